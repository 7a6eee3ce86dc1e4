"""The command line and its daemon: it starts one where none runs, says why it cannot, ends it, and proves who it is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from chromium import eventually
from daemon import BINARY, Daemon, free_port
from link_client import LinkClient
from patched import newer_copy

NO_DAEMON = 5


def runs(pid: int) -> bool:
    """Whether that process has not ended; one that nobody has waited for has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Place:
    """The command line at an address and with a state folder where no daemon runs yet."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.state = folder / "state"
        self.daemon = Daemon(port=port, state_dir=self.state, start=False)  # never started here: how to ask the one that is
        self.env = self.daemon.env | {"ANY_COMPAT_PORT": "0"}

    def __call__(self, *words: str, binary: Path = BINARY, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([binary, *words], env=self.env | env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen([BINARY, *words], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def answers(self) -> bool:
        try:
            return bool(self.daemon.health())
        except OSError:
            return False

    def daemons(self) -> list[int]:
        """Those that run with this state folder, which no other test has."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if words[1:2] == ["serve"] and str(self.state) in words and runs(int(entry.name)):
                found.append(int(entry.name))
        return found

    def end(self) -> None:
        for each in self.daemons():
            os.kill(each, signal.SIGTERM)
            try:
                eventually(lambda: not runs(each), 15, "the daemon ends")
            except AssertionError:
                os.kill(each, signal.SIGKILL)
                raise


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    it = Place(tmp_path)
    try:
        yield it
    finally:
        it.end()


# starting


def test_run_starts_a_daemon_where_none_runs_and_works_with_it(place: Place) -> None:
    with place.begin("eval", "return 6 * 7", "--queue-timeout", "none") as running:
        eventually(place.answers, 20, "the daemon answers")
        with LinkClient(place.daemon.url) as browser:
            browser.run(browser.next_start(), 42)
            out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (0, "42\n"), err
    assert f"no daemon runs at {place.daemon.url}: starting one (any stop ends it)" in err
    pid = place.daemon.health()["pid"]
    assert place.daemons() == [pid]
    assert os.getsid(pid) == pid, "a session of its own: the terminal's end is not its end"
    assert (place.state / "daemon.log").stat().st_mode & 0o077 == 0
    again = place("eval", "return 1", "--detach")
    assert again.returncode == 0 and "starting" not in again.stderr
    assert place.daemons() == [pid]


def test_a_result_is_told_also_where_no_daemon_runs_any_more(place: Place) -> None:
    task = place("eval", "return 'kept'", "--queue-timeout", "none", "--detach").stdout.strip()
    with LinkClient(place.daemon.url) as browser:
        browser.run(browser.next_start(), "kept")
    assert place("stop").returncode == 0
    assert place.daemons() == []
    told = place("result", task)
    assert (told.returncode, told.stdout) == (0, '"kept"\n'), told.stderr
    assert "starting one" in told.stderr
    assert len(place.daemons()) == 1


def test_many_that_start_it_at_the_same_time_share_one(place: Place) -> None:
    all_of_them = [place.begin("eval", "return 1", "--queue-timeout", "none", "--id", f"t{n}", "--detach") for n in range(5)]
    said = [each.communicate(timeout=60) for each in all_of_them]
    assert [each.returncode for each in all_of_them] == [0] * 5, said
    eventually(lambda: len(place.daemons()) == 1, 20, "those that lost the race have ended")
    listed = place("tasks").stdout
    assert all(f"t{n}" in listed for n in range(5)), listed


@pytest.mark.parametrize("command", [("eval", "return 1"), ("result", "some-task")])
def test_a_port_that_another_web_server_holds_exits_5(place: Place, command: tuple[str, str]) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", place.daemon.port), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        done = place(*command)
    finally:
        server.shutdown()
        server.server_close()
    assert (done.returncode, done.stdout) == (NO_DAEMON, ""), done.stderr
    assert f"what answers at {place.daemon.url} is not any" in done.stderr
    assert "any serve --listen" in done.stderr and "ANY_DAEMON" in done.stderr
    assert place.daemons() == []


def test_a_port_that_a_program_holds_which_hangs_up_exits_5_and_names_it(place: Place) -> None:
    def hang_up(server: socket.socket) -> None:
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return

    with socket.socket() as server:
        server.bind(("127.0.0.1", place.daemon.port))
        server.listen()
        threading.Thread(target=hang_up, args=(server,), daemon=True).start()
        done = place("eval", "return 1")
        server.shutdown(socket.SHUT_RDWR)
    assert (done.returncode, done.stdout) == (NO_DAEMON, ""), done.stderr
    assert "the daemon ended at its start" in done.stderr and str(place.daemon.port) in done.stderr
    assert f"pid {os.getpid()}" in done.stderr, "who holds the port"
    assert str(place.state / "daemon.log") in done.stderr
    assert place.daemons() == []


def test_a_state_folder_that_cannot_be_made_exits_5_and_says_what_to_do(place: Place) -> None:
    place.state.write_text("a file where the folder should be")
    for state in (place.state, place.state / "deeper"):
        done = place("eval", "return 1", ANY_STATE_DIR=str(state))
        assert (done.returncode, done.stdout) == (NO_DAEMON, ""), done.stderr
        assert f"cannot make the state folder {state}: " in done.stderr and "ANY_STATE_DIR" in done.stderr
    assert place.daemons() == []


def test_a_daemon_that_ends_at_its_start_exits_5_with_the_last_words_of_its_own(place: Place) -> None:
    place.state.mkdir()
    (place.state / "journal.db").write_bytes(b"x" * 8192)
    (place.state / "daemon.log").write_text("the words of a daemon before it\n")
    done = place("eval", "return 1")
    assert (done.returncode, done.stdout) == (NO_DAEMON, ""), done.stderr
    assert "the daemon ended at its start" in done.stderr and "journal.db" in done.stderr and "damaged" in done.stderr
    assert "the words of a daemon before it" not in done.stderr
    assert place.daemons() == []


# ending


def test_stop_ends_the_daemon_and_the_next_command_can_start_one_at_once(place: Place) -> None:
    pids = set()
    for n in range(3):
        started = place("eval", "return 1", "--detach", "--queue-timeout", "none")
        assert started.returncode == 0 and "starting one" in started.stderr, started.stderr
        pid = place.daemon.health()["pid"]
        done = place("stop")
        assert done.returncode == 0 and f"the daemon (pid {pid}) has ended" in done.stderr
        assert not runs(pid)
        pids.add(pid)
    assert len(pids) == 3


def test_stop_where_no_daemon_runs_exits_5_and_starts_none(place: Place) -> None:
    done = place("stop")
    assert done.returncode == NO_DAEMON and "no daemon answers" in done.stderr
    assert place.daemons() == []


def test_a_daemon_older_than_the_command_line_is_told_and_replaced_by_stop(place: Place, tmp_path: Path) -> None:
    assert place("eval", "return 1", "--detach").returncode == 0
    newer, version = newer_copy(str(BINARY), tmp_path)
    done = place("eval", "return 1", "--detach", binary=newer)
    assert done.returncode == 0, "they work together"
    assert f"the daemon that runs is older (0.1.0) than this command line ({version}): `any stop`" in done.stderr
    assert place("stop", binary=newer).returncode == 0
    after = place("eval", "return 1", "--detach", binary=newer)
    assert after.returncode == 0 and "older" not in after.stderr
    assert place.daemon.health()["version"] == version


# who calls


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that demands its token."""
    with Daemon("--token", state_dir=tmp_path / "guarded") as running:
        yield running


def test_the_token_is_taken_from_the_environment_else_from_the_state_folder(guarded: Daemon, tmp_path: Path) -> None:
    token = (guarded.state_dir / "token").read_text().strip()

    def tasks(**env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([BINARY, "tasks"], env=guarded.env | env, capture_output=True, text=True, timeout=30)

    elsewhere = str(tmp_path / "elsewhere")
    assert tasks().returncode == 0
    assert tasks(ANY_TOKEN="").returncode == 0, "an empty variable is none"
    assert tasks(ANY_TOKEN=token, ANY_STATE_DIR=elsewhere).returncode == 0
    none = tasks(ANY_STATE_DIR=elsewhere)
    assert none.returncode == NO_DAEMON and f"looked for in {elsewhere}/token" in none.stderr and "set ANY_TOKEN" in none.stderr
    wrong = tasks(ANY_TOKEN="wrong")
    assert wrong.returncode == NO_DAEMON and "the token is wrong" in wrong.stderr
    assert "looked for in ANY_TOKEN of the environment" in wrong.stderr, "the variable goes before the file, as in the libraries"


def test_doctor_says_where_the_wrong_token_came_from(guarded: Daemon) -> None:
    done = subprocess.run([BINARY, "doctor"], env=guarded.env | {"ANY_TOKEN": "wrong"}, capture_output=True, text=True, timeout=30)
    assert done.returncode == NO_DAEMON
    assert "ANY_TOKEN of the environment has none or a wrong one" in done.stdout


def test_help_names_the_variables_of_the_environment() -> None:
    said = subprocess.run([BINARY, "--help"], capture_output=True, text=True, timeout=10).stdout
    assert all(name in said for name in ("ANY_DAEMON", "ANY_TOKEN", "ANY_STATE_DIR", "ANY_DEMAND_TOKEN", "Exit codes"))
