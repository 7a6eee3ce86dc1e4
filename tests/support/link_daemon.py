"""A scripted daemon: speaks the link of docs/protocol.md, so that the extension can be tested by itself.

    with LinkDaemon() as daemon:                     # its own thread; 127.0.0.1, a free port (or `port=`)
        link = daemon.wait_link()                    # the extension has said hello
        link.request("chrome.call", {"path": "tabs.query", "args": [{}]})["value"]
        link.wait_for("task.finish", lambda p: p["task"] == "t1")
        daemon.stop(); daemon.start()                # the same port, key and id: what the extension met before

What the extension asks is answered as the real daemon would; `answers[method] = callable(params) -> result` overrides, and
`hold("task.finish")` leaves a method unanswered.
"""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import hashlib
import hmac
import itertools
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from chromium import eventually
from daemon import free_port
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Params = dict[str, Any]


class RpcError(Exception):
    """An error that the extension answered; `error` is its JSON-RPC error object, `name` the task error's name."""

    def __init__(self, error: Params) -> None:
        super().__init__(error.get("message"))
        self.error = error
        self.name = (error.get("data") or {}).get("name")


class Refuse(Exception):
    """Raised by an entry of `answers` to answer with an error."""

    def __init__(self, name: str, message: str, code: int = -32000) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message, "data": {"name": name, "message": message}}


class LinkedBrowser:
    """One connection of the extension."""

    def __init__(self, daemon: LinkDaemon, connection: ServerConnection) -> None:
        self.daemon = daemon
        self.connection = connection
        self.begin: Params = {}
        self.nonce = ""
        self.hello: Params = {}
        self.origin = connection.request.headers.get("Origin") if connection.request else None
        #: (monotonic time, method, params) of everything the extension said
        self.said: list[tuple[float, str, Params]] = []
        self.closed = False
        self.linked_at = 0.0
        self._last = 0
        self._pending: dict[int, concurrent.futures.Future[Any]] = {}

    def post(self, method: str, params: Params | None = None) -> concurrent.futures.Future[Any]:
        """Sends a request and returns the future of its result."""
        self._last += 1
        number = self._last
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._pending[number] = future
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}
        text = json.dumps(message, separators=(",", ":"))  # the form in which the daemon writes
        self.daemon.run(self.connection.send(text), 120)  # some are of 100 MB
        return future

    def request(self, method: str, params: Params | None = None, timeout: float = 15.0) -> Any:
        """The result; raises RpcError, or ConnectionError where the link ends first."""
        return self.post(method, params).result(timeout)

    def heard(self, method: str) -> list[Params]:
        return [params for _, said, params in list(self.said) if said == method]

    def wait_for(self, method: str, fits: Callable[[Params], Any] = lambda _: True, timeout: float = 15.0) -> Params:
        """The params of the first message of this method that fits."""
        found = eventually(lambda: [p for p in self.heard(method) if fits(p)], timeout, f"the extension says {method}")
        return found[0]

    # tasks

    _tasks = itertools.count(1)

    def start(self, script: str, tab: Any, **more: Any) -> Params:
        """Starts a task and returns its params, once the extension has accepted it."""
        run: Params = {"task": f"linked-{next(self._tasks)}", "attempt": 1, "hop": 0, "tab": tab, "frame": "main", "world": "main"}
        rest: Params = {"timeout_ms": 20_000, "file": "test.js", "avoid": [], "args": None, "state": None, "script": script, **more}
        answer = self.request("task.start", {**run, **rest})
        assert answer.get("accepted"), answer
        return {**run, **rest}

    def end(self, task: Params, timeout: float = 25.0) -> Params:
        """The only end of a task, once it is there."""
        self.wait_for("task.finish", lambda said: said["task"] == task["task"], timeout)
        ends = [said for said in self.heard("task.finish") if said["task"] == task["task"]]
        assert len(ends) == 1, ends
        return ends[0]

    def run(self, script: str, tab: Any, **more: Any) -> Params:
        return self.end(self.start(script, tab, **more))

    def cut(self) -> None:
        """Ends the connection without a word, as a broken wire does."""
        self.daemon.loop.call_soon_threadsafe(self.connection.transport.abort)

    def _lost(self) -> None:
        self.closed = True
        for future in self._pending.values():
            if not future.done():
                future.set_exception(ConnectionError("the link ended"))


class LinkDaemon:
    def __init__(self, *, port: int | None = None, key: bytes | None = None, name: str = "any", start: bool = True) -> None:
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.id = str(uuid.uuid4())
        self.name = name
        self.version = "0.1.0"
        self.protocol = 1
        #: the key of each browser id, as the daemon's journal holds it
        self.keys: dict[str, bytes] = {}
        self._fixed_key = key
        #: the secrets of the extension's folders, by their ids; where there are any, no key is told: the daemon of another user
        self.installations: dict[str, str] = {}
        self.links: list[LinkedBrowser] = []
        self.answers: dict[str, Callable[[Params], Any]] = {}
        self.held: set[str] = set()
        self.health_requests: list[Headers] = []
        self.lines: list[Params] = []
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve_loop, daemon=True)
        self._thread.start()
        self._server: Server | None = None
        self.started_at = 0.0
        if start:
            self.start()

    def _serve_loop(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def run(self, coroutine: Coroutine[Any, Any, Any], timeout: float = 10.0) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def start(self) -> None:
        """Opens the port."""

        async def go() -> None:
            self._server = await serve(
                self._talk, "127.0.0.1", self.port, process_request=self._http, max_size=None, compression=None,
                ping_interval=None, close_timeout=0.2, reuse_address=True,
            )  # fmt: skip

        self.run(go())
        self.started_at = time.monotonic()

    def stop(self) -> None:
        """Closes the port and every connection, at once."""

        async def go() -> None:
            assert self._server
            for link in self.links:
                link.connection.transport.abort()
            self._server.close()
            await self._server.wait_closed()
            self._server = None

        if self._server:
            self.run(go())

    def close(self) -> None:
        self.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)

    def __enter__(self) -> LinkDaemon:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hold(self, method: str) -> None:
        """Requests of this method are not answered until `release`."""
        self.held.add(method)

    def release(self, method: str) -> None:
        self.held.discard(method)

    def live(self) -> list[LinkedBrowser]:
        return [link for link in self.links if link.linked_at and not link.closed]

    def wait_link(self, timeout: float = 20.0, after: int = 0) -> LinkedBrowser:
        """The newest live link; with `after`, not one of the first so many."""
        found = eventually(lambda: [x for x in self.links[after:] if x.linked_at and not x.closed], timeout, "the extension links")
        return found[-1]

    def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/extension":
            return None
        if request.path == "/health":
            self.health_requests.append(request.headers)
            body = json.dumps({"ok": True, "name": self.name, "version": self.version, "protocol": self.protocol})
            response = connection.respond(HTTPStatus.OK, body)
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = "application/json"
            return response
        return connection.respond(HTTPStatus.NOT_FOUND, "{}")

    async def _talk(self, connection: ServerConnection) -> None:
        link = LinkedBrowser(self, connection)
        self.links.append(link)
        try:
            async for text in connection:
                message = json.loads(text)
                if "method" not in message:
                    future = link._pending.pop(message["id"], None)
                    if future and "error" in message:
                        future.set_exception(RpcError(message["error"]))
                    elif future:
                        future.set_result(message["result"])
                    continue
                method, params = message["method"], message.get("params", {})
                link.said.append((time.monotonic(), method, params))
                if "id" not in message or method in self.held:
                    continue
                try:
                    answer: Params = {"result": self._answer(link, method, params)}
                except Refuse as refused:
                    answer = {"error": refused.body}
                await connection.send(json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}))
                if method == "hello" and "result" in answer:
                    link.linked_at = time.monotonic()
        except ConnectionClosed:
            pass
        finally:
            link._lost()

    def _answer(self, link: LinkedBrowser, method: str, params: Params) -> Any:
        if method in self.answers:
            return self.answers[method](params)
        if method == "link.begin":
            return self._begin(link, params)
        if method == "hello":
            link.hello = params
            key = self.keys[link.begin["browser"]]
            if params["proof"] != proof(key, "browser", link.nonce, link.begin["nonce"], link.begin["browser"]):
                raise Refuse("UnauthorizedError", "the proof is wrong")
            browser = link.begin["browser"]
            for other in self.live():
                if other.begin["browser"] == browser and other.hello["instance"] != params["instance"]:
                    browser = str(uuid.uuid4())
                    self.keys[browser] = key
            return {"browser": browser, "label": params["label"]}
        if method == "log":
            self.lines += params["lines"]
            return {"n": params["lines"][-1]["n"]}
        return {}

    def _begin(self, link: LinkedBrowser, params: Params) -> Params:
        link.begin = params
        link.nonce = base64.b64encode(os.urandom(32)).decode()
        browser = params["browser"]
        answer = {"daemon": self.id, "protocol": self.protocol, "version": self.version, "nonce": link.nonce}
        if self.installations:
            secret = base64.b64decode(self.installations[params["installation"]])
            self.keys[browser] = hmac.new(secret, f"key|{browser}".encode(), hashlib.sha256).digest()
        elif not params["has_key"] or browser not in self.keys:
            self.keys[browser] = self._fixed_key or os.urandom(32)
            answer["key"] = base64.b64encode(self.keys[browser]).decode()
        if "key" not in answer:
            answer["proof"] = proof(self.keys[browser], "daemon", params["nonce"], link.nonce, browser)
        return answer


def proof(key: bytes, side: str, first: str, second: str, browser: str) -> str:
    text = f"{side}|{first}|{second}|{browser}"
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
