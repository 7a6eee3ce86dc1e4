"""A real daemon for tests, on a port and in a folder of its own.

    with Daemon() as daemon:
        daemon.url                     # http://127.0.0.1:PORT
        daemon.health()
        daemon.request("POST", "/v1/tasks", {"script": "return 1"})     # (status, JSON)
        daemon.pages                   # address of the example pages
        daemon.kill9(); daemon.start() # the same port and folder again
        daemon.log()

The program is $ANY_BINARY, else build/release/any. Only the process that was started here is ever signalled.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ANY_BINARY") or REPOSITORY / "build" / "release" / "any").resolve()


#: What keeps other test processes off the ports that this one was given: a lock on a file each, until it ends.
_PORTS = Path(tempfile.gettempdir()) / f"any-test-ports-{os.getuid()}"
_held_ports: list[TextIOWrapper] = []


def free_port() -> int:
    """A port of 127.0.0.1 for this process alone, below those that the kernel gives to outgoing connections.

    No other test process is given it, even while nobody listens there: a browser that looks for a daemon that is to come would find
    another test's.
    """
    _PORTS.mkdir(exist_ok=True)
    while True:
        port = random.randrange(11_000, 32_000)
        lock = (_PORTS / str(port)).open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _held_ports.append(lock)
        return port


class Daemon:
    """One `any serve`. Starts at construction (unless `start=False`); `close()` ends it and removes its folder."""

    def __init__(
        self,
        *flags: str,
        port: int | None = None,
        state_dir: Path | str | None = None,
        env: dict[str, str] | None = None,
        wrapper: Sequence[str] = (),
        start: bool = True,
    ) -> None:
        self.port = port or free_port()
        self.pages_port = free_port()
        self._flags = flags
        self._env = env or {}
        self._wrapper = wrapper
        self._own = state_dir is None
        self.state_dir = Path(state_dir) if state_dir else Path(tempfile.mkdtemp(prefix="any-daemon-"))
        self.log_path = self.state_dir.parent / f"{self.state_dir.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        if start:
            self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pages(self) -> str:
        """Where the example pages are, without a slash at the end."""
        url = self.health()["pages"]
        assert url, "the daemon serves no pages"
        return str(url).rstrip("/")

    @property
    def command(self) -> list[str]:
        return [
            *self._wrapper,
            str(BINARY),
            "serve",
            "--listen",
            f"127.0.0.1:{self.port}",
            "--state-dir",
            str(self.state_dir),
            "--compat-port",
            "0",
            "--pages",
            str(self.pages_port),
            *self._flags,
        ]

    @property
    def env(self) -> dict[str, str]:
        """The environment of a program that is to talk to this daemon and no other."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ANY_") and "proxy" not in k.lower()}
        own = {
            "ANY_DAEMON": self.url,
            "ANY_STATE_DIR": str(self.state_dir),
            "ANY_BINARY": str(BINARY),
            "XDG_CONFIG_HOME": str(self.state_dir / "config"),
            "PYTHONPATH": str(REPOSITORY / "python"),
        }
        return {**kept, **own, **self._env}

    # life

    def start(self, timeout: float = 20.0) -> None:
        """Starts it (again) and waits until it answers."""
        assert self.process is None, "it runs already"
        assert BINARY.exists(), f"{BINARY} is not built (cmake --preset release && cmake --build --preset release)"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=self.env
            )
        end = time.monotonic() + timeout
        while True:
            try:
                self.health()
                return
            except (OSError, http.client.HTTPException):
                pass
            if self.process.poll() is not None:
                status, self.process = self.process.returncode, None
                raise RuntimeError(f"the daemon ended with status {status}:\n{self.log()[-3000:]}")
            if time.monotonic() > end:
                self.kill9()
                raise RuntimeError(f"the daemon did not answer within {timeout} s:\n{self.log()[-3000:]}")
            time.sleep(0.005)

    @property
    def pid(self) -> int:
        assert self.process, "it does not run"
        return self.process.pid

    def stop(self, timeout: float = 15.0) -> int:
        """Ends it in order (SIGTERM); its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"the daemon did not end within {timeout} s of SIGTERM:\n{self.log()[-3000:]}") from None
        self.process = None
        self._no_report()
        return status

    def _no_report(self) -> None:
        """Where the program was built with a sanitizer: it has found nothing."""
        log = self.log()
        found = [log.find(mark) for mark in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", ": runtime error: ") if mark in log]
        assert not found, f"the daemon's sanitizer says:\n{log[min(found) :][:6000]}"

    def kill9(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def suspend(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        if self.process is not None:
            try:
                os.kill(self.pid, signal.SIGCONT)
                self.stop()
            finally:
                self._tidy()
        else:
            self._tidy()

    def _tidy(self) -> None:
        if self._own:
            shutil.rmtree(self.state_dir, ignore_errors=True)
            self.log_path.unlink(missing_ok=True)

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # talk

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, timeout: float = 330.0
    ) -> tuple[int, Any]:
        """One REST request: status, and JSON (or text where it is none)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            data = None if body is None else body if isinstance(body, (bytes, str)) else json.dumps(body)
            kind = {} if data is None else {"Content-Type": "application/json"}
            connection.request(method, path, data, {**kind, **(headers or {})})
            answer = connection.getresponse()
            raw = answer.read()
            if "json" in (answer.getheader("Content-Type") or ""):
                return answer.status, json.loads(raw)
            return answer.status, raw.decode(errors="replace")
        finally:
            connection.close()

    def health(self) -> dict[str, Any]:
        status, body = self.request("GET", "/health", timeout=5)
        assert status == 200 and isinstance(body, dict), (status, body)
        return body

    def run(self, script: str, **fields: Any) -> dict[str, Any]:
        """Submits a script and waits for the record of its end."""
        status, record = self.request("POST", "/v1/tasks", {"script": script, **fields})
        assert status in (200, 201), record
        return self.wait(record["id"])

    def wait(self, task: str, timeout: float = 120.0) -> dict[str, Any]:
        """The record of a task once it has ended."""
        end = time.monotonic() + timeout
        while True:
            status, record = self.request("GET", f"/v1/tasks/{task}?wait=30")
            assert status == 200, record
            if record["ended"]:
                return dict(record)
            assert time.monotonic() < end, f"task {task} has not ended within {timeout} s: {record}"

    def cli(self, *args: str, stdin: str | None = None, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Runs `any ARGS…` against this daemon."""
        return subprocess.run(
            [str(BINARY), *args], input=stdin or "", capture_output=True, text=True, timeout=timeout, env=self.env, check=False
        )

    def wait_for_browser(self, count: int = 1, timeout: float = 30.0) -> None:
        """Waits until that many browsers are linked."""
        end = time.monotonic() + timeout
        while self.health()["browsers"] < count:
            assert time.monotonic() < end, f"no browser linked within {timeout} s:\n{self.log()[-3000:]}"
            time.sleep(0.02)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
