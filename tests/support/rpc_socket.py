"""The RPC socket without a library: one message out, one in.

    with RpcSocket(daemon.port) as rpc:
        rpc.call("tasks.submit", script="return 1")
        rpc.notifications                     # (method, params) of all that came meanwhile
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

from websockets.sync.client import connect


class RpcError(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.data: dict[str, Any] = error.get("data", {})
        self.name = str(self.data.get("name"))


class RpcSocket:
    def __init__(self, port: int, query: str = "") -> None:
        self._socket = connect(f"ws://127.0.0.1:{port}/v1/rpc{query}", proxy=None, max_size=None, compression=None)
        self._ids = itertools.count(1)
        self._answers: dict[Any, dict[str, Any]] = {}
        self.notifications: list[tuple[str, dict[str, Any]]] = []
        #: every message in the order in which it came
        self.seen: list[dict[str, Any]] = []

    def __enter__(self) -> RpcSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def raw(self, text: str) -> None:
        self._socket.send(text)

    def send(self, method: str, /, **params: Any) -> int:
        number = next(self._ids)
        self.raw(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
        return number

    def read(self, timeout: float = 20.0) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(timeout))
        self.seen.append(message)
        if "method" in message:
            self.notifications.append((message["method"], message["params"]))
        elif isinstance(message["id"], int):
            self._answers[message["id"]] = message
        return message

    def answer(self, number: int, timeout: float = 20.0) -> Any:
        end = time.monotonic() + timeout
        while number not in self._answers:
            self.read(max(0.01, end - time.monotonic()))
        message = self._answers.pop(number)
        if "error" in message:
            raise RpcError(message["error"])
        return message["result"]

    def call(self, method: str, **params: Any) -> Any:
        return self.answer(self.send(method, **params))

    def until(self, method: str, timeout: float = 20.0, **members: Any) -> dict[str, Any]:
        """The params of the first notification (seen or yet to come) that has these members."""
        end = time.monotonic() + timeout
        looked = 0
        while True:
            for name, params in self.notifications[looked:]:
                if name == method and members.items() <= params.items():
                    return params
            looked = len(self.notifications)
            self.read(max(0.01, end - time.monotonic()))
