"""Towards a program that is itself the prototype's server, the extension plays the prototype's extension."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from chromium import Chromium, eventually
from link_daemon import LinkDaemon
from pages import Pages
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response


class Prototype:
    """A server of the prototype's kind. Its POST is read here by hand: the library's server speaks GET only."""

    def __init__(self, port: int = 0) -> None:
        import threading

        self.loop = asyncio.new_event_loop()
        self.ended: list[dict[str, Any]] = []
        self.sockets: list[ServerConnection] = []
        self.port = port
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._start(), self.loop).result(10)
        self.address = f"http://127.0.0.1:{self.port}"

    async def _start(self) -> None:
        self._events = await serve(self._talk, "127.0.0.1", 0, process_request=self._no_extension, ping_interval=None)
        inner = self._events.sockets[0].getsockname()[1]  # type: ignore[index]

        async def door(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"POST "):
                length = next(int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length"))
                body = json.loads(await reader.readexactly(length))
                self.ended.append({"path": head.split()[1].decode(), **body})
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{\"ok\": true}")
                await writer.drain()
                writer.close()
                return
            other_reader, other = await asyncio.open_connection("127.0.0.1", inner)
            other.write(head)

            async def pump(a: asyncio.StreamReader, b: asyncio.StreamWriter) -> None:
                try:
                    while data := await a.read(65536):
                        b.write(data)
                except OSError:
                    pass
                b.close()

            await asyncio.gather(pump(reader, other), pump(other_reader, writer))

        self._door = await asyncio.start_server(door, "127.0.0.1", self.port)
        self.port = self._door.sockets[0].getsockname()[1]

    def _no_extension(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/events":
            return None
        return connection.respond(HTTPStatus.NOT_FOUND, '{"detail": "Not Found"}')

    async def _talk(self, connection: ServerConnection) -> None:
        self.sockets.append(connection)
        await connection.wait_closed()

    def send(self, task: dict[str, Any]) -> None:
        eventually(lambda: self.sockets, 15, "the extension comes to /events")
        asyncio.run_coroutine_threadsafe(self.sockets[-1].send(json.dumps(task)), self.loop).result(10)

    def end_of(self, task: str) -> dict[str, Any]:
        return eventually(lambda: [e for e in self.ended if e["task_id"] == task], 20, f"{task} ends")[0]

    def close(self) -> None:
        async def go() -> None:
            self._door.close()
            self._events.close()

        asyncio.run_coroutine_threadsafe(go(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)


@pytest.fixture
def prototype() -> Iterator[Prototype]:
    server = Prototype()
    yield server
    server.close()


def test_the_prototypes_program_gets_its_results_by_its_own_routes(prototype: Prototype) -> None:
    with Pages() as pages, Chromium([], prototypes=[prototype.address]) as browser:
        browser.open(pages.url("/plain"))
        prototype.send({"id": "one", "script": "return {title: document.title, n: 41 + 1}", "timeout": 20})
        assert prototype.end_of("one") == {
            "path": "/task/one", "task_id": "one", "status": "completed", "error": None,
            "output": {"title": pages_title(browser), "n": 42},
        }  # fmt: skip
        prototype.send({"id": "two", "script": "throw new TypeError('no')", "timeout": 20})
        failed = prototype.end_of("two")
        assert (failed["status"], failed["output"]) == ("failed", None)
        assert "no" in failed["error"]
        prototype.send({"id": "three", "script": "await new Promise(() => {})", "timeout": 0.5})
        assert "TimeoutError" in prototype.end_of("three")["error"]


def pages_title(browser: Chromium) -> str:
    return str(next(tab for tab in browser.tabs() if "/plain" in tab.url).evaluate("document.title"))


def test_a_server_of_the_prototypes_kind_in_the_list_of_daemons_is_served_too(prototype: Prototype) -> None:
    with Pages() as pages, Chromium(prototype.address) as browser:
        browser.open(pages.url("/plain"))
        prototype.send({"id": "one", "script": "return 1"})
        assert prototype.end_of("one")["output"] == 1


def test_a_daemon_of_ours_on_the_prototypes_port_is_left_alone() -> None:
    with LinkDaemon() as daemon, LinkDaemon() as other, Chromium(daemon.address, prototypes=[other.address]):
        daemon.wait_link()
        eventually(lambda: len(other.health_requests) >= 2, 10)
        assert other.links == []


def test_a_program_on_the_port_of_a_daemon_that_the_browser_has_met_gets_no_scripts_run() -> None:
    with LinkDaemon() as daemon, Chromium(daemon.address) as browser:
        daemon.wait_link()
        daemon.close()
        stranger = Prototype(daemon.port)
        popup = browser.popup()
        eventually(lambda: "Another program answers here" in popup.evaluate("document.body.innerText"), 20, "the popup tells of the stranger")
        assert stranger.sockets == []
        stranger.close()
