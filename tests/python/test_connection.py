"""The library and a daemon that comes and goes, is not there, is somebody else, or wants a token."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Iterator

import pytest
from chromium import Chromium
from daemon import BINARY, Daemon, free_port

from anytab import Browser, NotFoundError, ProtocolError, UnauthorizedError, UnreachableError


def answers_by_now(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Runs `work` in a thread; its result or error lands in the list."""
    landed: list[Any] = []

    def body() -> None:
        try:
            landed.append(work())
        except BaseException as error:  # noqa: BLE001 (told to the test)
            landed.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread, landed


@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_a_wait_outlives_the_daemon_that_it_asked(lone: Daemon, end: str) -> None:
    with Browser(lone.url) as b, Browser(lone.url) as other:
        task = b.submit("return 1", queue_timeout=None)
        thread, landed = answers_by_now(lambda: task.wait(timeout=60).state)
        assert not landed
        getattr(lone, end)()
        assert not landed
        lone.start()
        other.task(task.id).cancel()
        thread.join(30)
        assert landed == ["cancelled"]


def test_events_go_on_after_a_restart_and_none_comes_twice(lone: Daemon) -> None:
    with Browser(lone.url) as b:
        task = b.submit("return 1", queue_timeout=None)
        seen = task.events()
        first = next(seen)
        lone.kill9()
        lone.start()
        task.cancel()
        events = [first, *seen]
        seqs = [event.seq for event in events if event.kind != "waiting"]
        assert seqs == list(range(1, len(seqs) + 1))
        assert events[-1].kind == "end"


def test_a_submit_made_while_the_daemon_is_away_is_one_task_once_it_is_back(lone: Daemon) -> None:
    with Browser(lone.url) as b:
        lone.kill9()
        thread, landed = answers_by_now(lambda: b.submit("return 1", queue_timeout=None).id)
        lone.start()
        thread.join(30)
        (ident,) = landed
        assert [record.id for record in b.tasks()] == [ident]


def test_a_daemon_that_stays_away_is_an_error_in_the_end(lone: Daemon) -> None:
    with Browser(lone.url, reconnect=0.5) as b:
        task = b.submit("return 1", queue_timeout=None)
        thread, landed = answers_by_now(lambda: task.result())
        lone.kill9()
        thread.join(30)
        assert isinstance(landed[0], UnreachableError)
        assert "did not come back" in str(landed[0])
        # And once it is back, the same Browser serves again.
        lone.start()
        assert b.task(task.id).record().state == "queued"


def test_a_result_delivered_while_nobody_was_connected_is_the_right_one() -> None:
    with Daemon() as daemon, Chromium(daemon=daemon.url):
        daemon.wait_for_browser()
        with Browser(daemon.url) as b:
            task = b.submit("await any.sleep(1500); return 'done'", tab={"open": f"{daemon.pages}/shop.html"})
            next(event for event in task.events() if event.kind == "started")
            daemon.kill9()
            daemon.start()
            assert task.result(timeout=60) == "done"
            assert len(task.record().attempts) == 1


def test_without_a_daemon_and_without_leave_to_start_one_it_says_so() -> None:
    with pytest.raises(UnreachableError, match="any serve"):
        Browser(f"http://127.0.0.1:{free_port()}", start=False).open()


def test_a_missing_program_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANY_BINARY")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("anytab._daemon.__file__", str(tmp_path / "a" / "b" / "c.py"))
    with pytest.raises(UnreachableError, match="ANY_BINARY"), Browser(f"http://127.0.0.1:{free_port()}"):
        pass


def test_a_daemon_that_dies_at_once_is_reported_with_its_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "any"
    program.write_text("#!/bin/sh\necho cannot do it >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("ANY_BINARY", str(program))
    with pytest.raises(UnreachableError, match="(?s)status 3.*cannot do it"), Browser(f"http://127.0.0.1:{free_port()}"):
        pass


class Stranger:
    """An HTTP server that is not any, or not one this library knows."""

    def __init__(self, status: int, body: bytes) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Stranger:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize(("status", "body"), [(200, b"hello"), (404, b"{}"), (200, b'{"name": "other"}')])
def test_a_stranger_on_the_port_is_told_apart_from_any(status: int, body: bytes) -> None:
    with Stranger(status, body) as stranger, pytest.raises(UnreachableError, match="something other than any holds"):
        Browser(stranger.url).open()


@pytest.mark.parametrize(("protocol", "older"), [(99, "the library is older"), (0, "the daemon is older")])
def test_a_daemon_of_another_protocol_is_refused_naming_the_older_side(protocol: int, older: str) -> None:
    body = json.dumps({"ok": True, "name": "any", "version": "9.9", "protocol": protocol, "token": False}).encode()
    with Stranger(200, body) as daemon, pytest.raises(ProtocolError, match=older):
        Browser(daemon.url).open()


def test_the_token_is_found_in_the_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    with Daemon("--token") as daemon:
        monkeypatch.setenv("ANY_STATE_DIR", str(daemon.state_dir))
        with Browser(daemon.url) as b:
            assert b.tasks() == []
        token = (daemon.state_dir / "token").read_text().strip()
        monkeypatch.setenv("ANY_STATE_DIR", str(daemon.state_dir / "elsewhere"))
        with Browser(daemon.url, token=token) as b:
            assert b.tasks() == []
        with pytest.raises(UnauthorizedError, match="ANY_TOKEN"):
            Browser(daemon.url).open()
        with pytest.raises(UnauthorizedError):
            Browser(daemon.url, token="wrong").open()


@pytest.fixture
def free_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address where nothing answers yet; whatever gets started there is ended afterwards."""
    monkeypatch.setenv("ANY_COMPAT_PORT", "0")
    url = f"http://127.0.0.1:{free_port()}"
    yield url
    try:
        with Browser(url, start=False) as b:
            pid = int(b.health()["pid"])
    except UnreachableError:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 15
    while Path(f"/proc/{pid}/exe").exists() and time.monotonic() < deadline:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        time.sleep(0.02)


@pytest.fixture
def started(free_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, named by the environment."""
    monkeypatch.setenv("ANY_DAEMON", free_address)
    return free_address


def test_the_daemon_is_started_where_none_runs_and_stays(started: str, tmp_path: Path) -> None:
    assert BINARY.exists()
    with Browser() as b:
        assert b.url == started
        pid = b.health()["pid"]
        task = b.submit("return 1", queue_timeout=None)
    assert os.getsid(pid) == pid  # a session of its own: the terminal's end is not its end
    with Browser() as b:
        assert b.health()["pid"] == pid
        assert b.task(task.id).cancel().state == "cancelled"
        with pytest.raises(NotFoundError):
            b.task("another").record()
    assert (tmp_path / "state" / "any" / "daemon.log").stat().st_mode & 0o077 == 0


def test_many_who_start_it_at_the_same_time_share_one(started: str) -> None:
    def open_one() -> Any:
        with Browser() as b:
            return b.health()["pid"]

    work = [answers_by_now(open_one) for _ in range(5)]
    for thread, _ in work:
        thread.join(60)
    assert len({str(landed[0]) for _, landed in work}) == 1
    assert isinstance(work[0][1][0], int), work[0][1]


def test_the_daemon_of_the_settings_file_is_started_and_found_with_its_token(free_address: str, tmp_path: Path) -> None:
    folder = tmp_path / "of the file"
    file = tmp_path / "config" / "any" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'listen = ["{free_address[7:]}"]\nstate_dir = "{folder}"\ntoken = true\n')
    with Browser() as b:
        assert b.url == free_address
        health = b.health()
        assert (health["state_dir"], health["token"], health["listen"]) == (str(folder), True, [free_address[7:]])
        assert b.tasks() == []
    with Browser(start=False) as b:
        assert b.health()["pid"] == health["pid"]
    assert not (tmp_path / "state").exists()


def test_a_daemon_is_started_at_the_address_that_was_asked_for_whatever_the_settings_file_says(free_address: str, tmp_path: Path) -> None:
    file = tmp_path / "config" / "any" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'listen = ["127.0.0.1:{free_port()}"]\n')
    with Browser(free_address) as b:
        assert b.health()["listen"] == [free_address[7:]]
