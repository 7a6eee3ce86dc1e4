"""A simulated browser: it speaks the extension's side of the link (docs/protocol.md) and runs nothing.

    with LinkClient(daemon.url) as browser:
        start = browser.next_start()            # a task.start, its params as a dict
        browser.accept(start); browser.started(start)
        browser.finish(start, value=42)         # returns once the daemon has acknowledged it

`browser.cut()` drops the link without a word; a further `connect()` comes back as the same browser with the same key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import os
import queue
import threading
import uuid
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

ORIGIN = "chrome-extension://" + os.environ.get("ANY_EXTENSION_ID", "fiboagademobpcbeeblkmghchapdlnjd")
PROTOCOL = 1
TIMEOUT = 20.0

Params = dict[str, Any]


class LinkError(Exception):
    """An error that the daemon answered; `data` is its JSON form."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("message", ""))
        self.code: int = error["code"]
        self.data: dict[str, Any] = error.get("data") or {}

    @property
    def name(self) -> str:
        return str(self.data.get("name", ""))


class LinkLost(Exception):
    """The link ended before the answer came."""


def prove(key: str, *parts: str) -> str:
    """The proof of `key` over the parts, as both sides make it."""
    digest = hmac.new(base64.b64decode(key), "|".join(parts).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def run_of(start: Params) -> Params:
    """The members that name a run in every message about it."""
    return {name: start[name] for name in ("task", "attempt", "hop")}


class LinkClient:
    """One simulated browser. `key` and `browser` are kept over links, as the extension keeps them in its profile."""

    def __init__(
        self, daemon: str, *, browser: str | None = None, key: str | None = None, label: str = "", start: bool = True, **hello: Any
    ) -> None:
        self.url = daemon.replace("http://", "ws://") + "/extension"
        self.browser = browser or str(uuid.uuid4())
        self.key = key
        self.label = label
        self.hello = hello
        #: {"id", "secret"}: what the config.json of the extension's folder holds
        self.installation: Params | None = None
        self.instance = str(uuid.uuid4())
        self.holds: list[Params] = []
        self.begun: Params = {}
        self.starts: queue.Queue[Params] = queue.Queue()
        self.cancels: queue.Queue[Params] = queue.Queue()
        self.forgotten: queue.Queue[Params] = queue.Queue()
        self.reloads: queue.Queue[Params] = queue.Queue()
        self.chrome_calls: queue.Queue[Params] = queue.Queue()
        self.closed = threading.Event()
        self.pings = 0
        self._ids = itertools.count(1)
        self._answers: dict[Any, tuple[ClientConnection, queue.Queue[dict[str, Any] | None]]] = {}
        self._socket: ClientConnection | None = None
        self._tabs = itertools.count(100)
        if start:
            self.connect()

    def __enter__(self) -> LinkClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # the link

    def open(self, origin: str = ORIGIN) -> None:
        """Opens the socket and says nothing yet."""
        self.closed = threading.Event()
        self._socket = connect(self.url, origin=origin, proxy=None, max_size=None, compression=None)  # type: ignore[arg-type]
        threading.Thread(target=self._read, args=(self._socket, self.closed), daemon=True).start()

    def connect(self) -> Params:
        """The whole handshake; what the daemon answered to hello."""
        self.open()
        self.begin()
        return self.say_hello()

    def begin(self, **changed: Any) -> Params:
        self._nonce = base64.b64encode(os.urandom(32)).decode()
        said = {"protocol": PROTOCOL, "version": "0.1.0", "browser": self.browser, "nonce": self._nonce, "has_key": bool(self.key)}
        if self.installation:
            said["installation"] = self.installation["id"]
        self.begun = self.call("link.begin", {**said, **changed})
        if "key" in self.begun:
            self.key = self.begun["key"]
        else:
            if not self.key and self.installation:
                self.key = prove(self.installation["secret"], "key", self.browser)
            assert self.key
            assert self.begun["proof"] == prove(self.key, "daemon", self._nonce, self.begun["nonce"], self.browser), "a stranger"
        return self.begun

    def say_hello(self, **changed: Any) -> Params:
        assert self.key
        said: Params = {
            "proof": prove(self.key, "browser", self.begun["nonce"], self._nonce, self.browser),
            "instance": self.instance,
            "label": self.label,
            "product": "Simulated/1",
            "platform": "test",
            "user_agent": "Simulated",
            "capabilities": {"user_scripts": False, "debugger": True, "incognito": False, "file_urls": False},
            "paused": False,
            "tabs": {"ordinary": 1, "total": 1},
            "holds": self.holds,
            "proxy": None,
        }
        answer = self.call("hello", {**said, **self.hello, **changed})
        self.browser = answer["browser"]
        return answer

    def cut(self) -> None:
        """Ends the link without a goodbye."""
        if self._socket:
            self._socket.socket.close()
            self._socket = None

    def close(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    def _read(self, socket: ClientConnection, closed: threading.Event) -> None:
        try:
            for text in socket:
                self._take(socket, json.loads(text))
        except (ConnectionClosed, OSError, EOFError):
            pass
        closed.set()
        for number, (asked_on, waiting) in list(self._answers.items()):
            if asked_on is socket:
                self._answers.pop(number, None)
                waiting.put(None)

    def _take(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        if "method" not in message:
            asked = self._answers.pop(message["id"], None)
            if asked:
                asked[1].put(message)
            return
        method, params = message["method"], message.get("params", {})
        if method == "task.start":
            self.starts.put({**params, "id": message["id"]})
            return
        if method == "link.ping":
            self.pings += 1
        kept = {"task.cancel": self.cancels, "task.forget": self.forgotten, "extension.reload": self.reloads}.get(method)
        if kept:
            kept.put(params)
        result: Any = {"stopped": "aborted"} if method == "task.cancel" else {}
        if method == "chrome.call":
            self.chrome_calls.put(params)
            result = {"value": [params["path"], params["args"]]}
        socket.send(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}))

    # messages

    def send(self, message: Any) -> None:
        assert self._socket, "not linked"
        self._socket.send(message if isinstance(message, str) else json.dumps(message))

    def notify(self, method: str, params: Params) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Params) -> queue.Queue[dict[str, Any] | None]:
        """Sends a request; its answer comes into the queue, or None where the link ended."""
        number = next(self._ids)
        answer: queue.Queue[dict[str, Any] | None] = queue.Queue()
        assert self._socket, "not linked"
        self._answers[number] = (self._socket, answer)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return answer

    def call(self, method: str, params: Params, timeout: float = TIMEOUT) -> Params:
        answer = self.ask(method, params).get(timeout=timeout)
        if answer is None:
            raise LinkLost(method)
        if "error" in answer:
            raise LinkError(answer["error"])
        return dict(answer["result"])

    # tasks

    def next_start(self, timeout: float = TIMEOUT) -> Params:
        return self.starts.get(timeout=timeout)

    def answer(self, start: Params, result: Any) -> None:
        self.send({"jsonrpc": "2.0", "id": start["id"], "result": result})

    def accept(self, start: Params, tab: int | None = None) -> Params:
        """Takes it into a tab, a new one unless it is named; the tab."""
        where = {"id": tab or next(self._tabs), "url": "http://127.0.0.1/page", "title": "A page"}
        start["where"] = where
        self.answer(start, {"accepted": True, "tab": where})
        return where

    def refuse(self, start: Params, name: str, message: str = "no") -> None:
        error = {"code": -32000, "message": message, "data": {"name": name, "message": message}}
        self.send({"jsonrpc": "2.0", "id": start["id"], "error": error})

    def started(self, start: Params) -> None:
        self.notify("task.started", {**run_of(start), "tab": start.get("where"), "injection": "scripting"})

    def event(self, start: Params, kind: str, n: int = 1, **members: Any) -> None:
        self.notify("task.event", {**run_of(start), "n": n, "kind": kind, **members})

    def finish_params(self, start: Params, **members: Any) -> Params:
        if not members.keys() & {"outcome", "value"}:
            members = {"outcome": "value", **members}
        if "value" in members:
            members = {"outcome": "value", **members}
        return {**run_of(start), "injection": "scripting", "tab": start.get("where"), "started": True, **members}

    def finish(self, start: Params, **members: Any) -> None:
        """Says the end and waits for its acknowledgement."""
        self.call("task.finish", self.finish_params(start, **members))

    def run(self, start: Params, value: Any) -> None:
        """The whole of a run that ends in that value."""
        self.accept(start)
        self.started(start)
        self.finish(start, value=value)
