"""What a client connects to: a raw Chromium's debugging port, or the gateway of a daemon whose browser has the extension."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from contextlib import ExitStack
from typing import Any

from chromium import Chromium, eventually
from daemon import Daemon

NAMES = ("raw", "gateway")
#: both browsers alike: new windows of a known size; Stagehand 4 comes to the debugging port from an extension's worker
FLAGS = ("--window-size=1280,800", "--remote-allow-origins=*")


class NoDoors(Exception):
    """The daemon has no CDP doors."""


class Endpoint:
    """`http`: what is given to a client as the browser's address. Close it when done."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._stack = ExitStack()
        self.daemon: Daemon | None = None
        try:
            if name == "raw":
                self.browser = self._stack.enter_context(Chromium(extension=False, flags=FLAGS))
                port = int((self.browser.profile / "DevToolsActivePort").read_text().split("\n")[0])
                self.http = f"http://127.0.0.1:{port}"
            else:
                self.daemon = self._stack.enter_context(Daemon())
                self.http = self.daemon.url
                if self.status("/json/version") == 404:
                    raise NoDoors("the daemon answers 404 to GET /json/version: it has no CDP doors yet")
                self.browser = self._stack.enter_context(Chromium(self.http, flags=FLAGS))
                daemon = self.daemon
                eventually(lambda: daemon.health()["browsers"] == 1, 20, "the browser is linked")
                self.browser.set_switches(file_urls=True, incognito=True)  # each reloads the extension
                eventually(self._serves, 20, "the browser is linked again")
        except BaseException:
            self._stack.close()
            raise

    def _serves(self) -> bool:
        return self.status("/json/version") == 200

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.http + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def json(self, path: str, method: str = "GET") -> Any:
        """The answer to a request, parsed where it is JSON."""
        request = urllib.request.Request(self.http + path, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
        try:
            return json.loads(text)
        except ValueError:
            return text

    @property
    def socket(self) -> str:
        """The browser-level WebSocket's address."""
        return str(self.json("/json/version")["webSocketDebuggerUrl"])

    def close(self) -> None:
        self._stack.close()
