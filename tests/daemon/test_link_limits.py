"""What a page may flood, what a full disk stops, and what a death in the middle of a cancel leaves."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import Daemon
from disk import fill, small_disk_at
from link_client import LinkClient, run_of


def submit(daemon: Daemon, **fields: Any) -> str:
    status, record = daemon.request("POST", "/v1/tasks", {"script": "return 1", **fields})
    assert status == 201, record
    return str(record["id"])


def task(daemon: Daemon, task_id: str) -> dict[str, Any]:
    return dict(daemon.request("GET", f"/v1/tasks/{task_id}")[1])


def until(condition: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def begin(browser: LinkClient, daemon: Daemon) -> tuple[str, dict[str, Any]]:
    """A task that runs: its id and its start."""
    task_id = submit(daemon)
    start = browser.next_start()
    browser.accept(start)
    browser.started(start)
    return task_id, start


def events(daemon: Daemon, task_id: str) -> list[dict[str, Any]]:
    """All events of a task that has ended, from the journal."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    connection.request("GET", f"/v1/tasks/{task_id}/events")
    text = connection.getresponse().read().decode()
    connection.close()
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


def test_a_cancel_goes_on_after_the_daemons_death(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        task_id, start = begin(browser, daemon)
        until(lambda: task(daemon, task_id)["state"] == "running", "it runs")
        status, record = daemon.request("POST", f"/v1/tasks/{task_id}/cancel")
        assert status == 200 and record["state"] == "running"
        daemon.kill9()
        daemon.start()
        ended = task(daemon, task_id)
        assert (ended["state"], ended["error"]["name"]) == ("cancelled", "CancelledError")
        browser.cancels.queue.clear()
        browser.holds = [{**run_of(start), "state": "running"}]
        browser.connect()
        assert run_of(browser.cancels.get(timeout=10)) == run_of(start)


def test_a_page_that_floods_progress_and_console_fills_neither_disk_nor_memory(daemon: Daemon) -> None:
    def resident() -> int:
        return int(Path(f"/proc/{daemon.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    with LinkClient(daemon.url) as browser:
        task_id, start = begin(browser, daemon)
        before = resident()
        count = 20_000
        for n in range(count):
            browser.event(start, "progress", n, value={"n": n, "text": "x" * 1000})
            if n % 4 == 0:
                browser.event(start, "console", n, level="log", text="y" * 1000, line=1, column=1)
        browser.call("link.ping", {})
        assert task(daemon, task_id)["progress"]["n"] == count - 1
        browser.finish(start, value=1)
        assert resident() - before < 40 << 20
        ended = daemon.wait(task_id)
        assert ended["progress"]["n"] == count - 1
        assert len(ended["console"]) == 1001 and "more lines followed" in ended["console"][-1]["text"]
        kept = events(daemon, task_id)
        assert sum(event["kind"] == "progress" for event in kept) == 1000
        assert [event["seq"] for event in kept] == list(range(1, len(kept) + 1))
        daemon.stop()
        assert sum(file.stat().st_size for file in daemon.state_dir.rglob("*") if file.is_file()) < 20 << 20


def test_progress_beyond_its_limit_is_told_to_watchers_as_it_stands(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        task_id, start = begin(browser, daemon)
        for n in range(1500):
            browser.event(start, "progress", n, value=n)
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
        connection.request("GET", f"/v1/tasks/{task_id}/events")
        stream = connection.getresponse()
        live: list[int] = []
        n = 1500
        while len(live) < 3:
            browser.event(start, "progress", n, value=n)
            n += 1
            line = stream.readline().decode()
            if line.startswith("data: "):
                event = json.loads(line[6:])
                if event.get("live") and event["kind"] == "progress":
                    live.append(event["value"])
        connection.close()
        assert live == sorted(live) and live[0] >= 1000
        browser.finish(start, value=1)


def test_the_largest_result_and_a_screenshot_fit_into_one_message(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        task_id, start = begin(browser, daemon)
        largest = "x" * ((128 << 20) - 2)
        browser.call("task.finish", browser.finish_params(start, screenshot="iVBO" * (15 << 20), value=largest), timeout=120)
        status, result = daemon.request("GET", f"/v1/tasks/{task_id}/result")
        assert status == 200 and len(result) == len(largest)
        assert daemon.wait(task_id)["screenshot"]
        task_id, start = begin(browser, daemon)
        browser.call("task.finish", browser.finish_params(start, value=largest + "x"), timeout=120)
        assert daemon.wait(task_id)["error"]["name"] == "ResultTooLargeError"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk_at(tmp_path / "small") as folder:
        yield folder


def test_health_names_a_full_disk_until_there_is_room_again(small_disk: Path) -> None:
    with Daemon(state_dir=small_disk / "state") as daemon:
        assert daemon.health()["ok"] is True and "problem" not in daemon.health()
        filler = small_disk / "filler"
        fill(filler)
        for _ in range(200):
            status, answer = daemon.request("POST", "/v1/tasks", {"script": "return 1 //" + "x" * 100_000})
            if status != 201:
                break
        assert (status, answer["error"]["name"]) == (507, "DiskFullError")
        health = daemon.health()
        assert health["ok"] is False and "journal cannot be written" in health["problem"]
        filler.unlink()
        until(lambda: daemon.health()["ok"], "it is well again by itself")
        assert "problem" not in daemon.health()


def test_a_low_limit_of_open_files_is_said_at_the_start(tmp_path: Path) -> None:
    with Daemon(state_dir=tmp_path / "few", wrapper=("prlimit", "--nofile=500:500")) as daemon:
        assert "the system allows 500 open files" in daemon.log()


def test_the_soft_limit_of_open_files_is_raised_to_the_hard_one(tmp_path: Path) -> None:
    with Daemon(state_dir=tmp_path / "soft", wrapper=("prlimit", "--nofile=256:20000")) as daemon:
        limits = Path(f"/proc/{daemon.pid}/limits").read_text()
        assert [line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")] == ["20000"]
        assert "open files" not in daemon.log()
