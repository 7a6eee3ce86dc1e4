"""Whichever side starts first, and whichever goes away: the link stands again within a second."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium, eventually
from daemon import Daemon
from pages import Pages


@pytest.fixture
def own_daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(state_dir=tmp_path / "state", start=False)
    yield daemon
    daemon.close()


def link_time(daemon: Daemon) -> float:
    """Seconds from the daemon's readiness to the link."""
    began = time.monotonic()
    daemon.wait_for_browser()
    return time.monotonic() - began


def test_the_extension_first_and_ten_starts_of_the_daemon_make_ten_links(own_daemon: Daemon) -> None:
    with Chromium(daemon=own_daemon.url):
        times = []
        for _ in range(10):
            own_daemon.start()
            times.append(link_time(own_daemon))
            own_daemon.stop()
    print(f"median {statistics.median(times):.2f} s, worst {max(times):.2f} s")
    assert len(times) == 10
    assert statistics.median(times) <= 1.0
    assert max(times) <= 3.0


def test_a_killed_worker_does_not_drop_the_link_and_a_task_goes_on(own_daemon: Daemon, site: Pages) -> None:
    own_daemon.start()
    with Chromium(daemon=own_daemon.url) as browser:
        own_daemon.wait_for_browser()
        _, before = own_daemon.request("GET", "/v1/browsers")
        _, task = own_daemon.request("POST", "/v1/tasks", {"script": "await any.sleep(3000); return 'went on'", "tab": {"open": site.url("/plain")}})
        eventually(lambda: own_daemon.request("GET", f"/v1/tasks/{task['id']}")[1]["state"] == "running")
        browser.kill_worker()
        record = own_daemon.wait(task["id"])
        _, after = own_daemon.request("GET", "/v1/browsers")
    assert record["result"] == "went on"
    assert before["browsers"][0]["since"] == after["browsers"][0]["since"], "the link must not have dropped"


def test_a_closed_offscreen_document_comes_back(own_daemon: Daemon, site: Pages) -> None:
    own_daemon.start()
    with Chromium(daemon=own_daemon.url) as browser:
        own_daemon.wait_for_browser()
        browser.close_offscreen()
        eventually(browser.offscreen_runs, timeout=40, what="the offscreen document to be back")
        eventually(lambda: own_daemon.health()["browsers"] == 1, timeout=10)
        assert own_daemon.run("return 1", tab={"open": site.url("/plain")})["result"] == 1


@pytest.mark.waits
def test_both_ends_asleep_for_a_minute_find_each_other_again(own_daemon: Daemon, site: Pages) -> None:
    own_daemon.start()
    with Chromium(daemon=own_daemon.url) as browser:
        own_daemon.wait_for_browser()
        script = f"{site.counting('asleep')} await fetch('/hold?name=asleep'); return 'slept'"
        _, held = own_daemon.request("POST", "/v1/tasks", {"script": script, "tab": {"open": site.url("/plain")}, "timeout": None})
        eventually(lambda: own_daemon.request("GET", f"/v1/tasks/{held['id']}")[1]["state"] == "running", 20)
        browser.suspend()
        own_daemon.suspend()
        time.sleep(50)  # a laptop's sleep: longer than the 40 s after which a silent link is lost
        own_daemon.resume()
        browser.resume()
        record = own_daemon.run("return 'awake'", tab={"open": site.url("/plain")}, timeout=60)
        site.release("asleep")
        slept = own_daemon.wait(held["id"])
    assert record["result"] == "awake", record["error"]
    assert (slept["result"], len(slept["attempts"]), site.count("asleep")) == ("slept", 1, 1), slept["error"]
