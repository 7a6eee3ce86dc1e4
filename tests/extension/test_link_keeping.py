"""What must outlive a crash or a cut: lines of the log, results."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import Chromium, eventually
from link_daemon import LinkDaemon, RpcError
from pages import Pages

START = {"attempt": 1, "hop": 0, "frame": "main", "world": "main", "timeout_ms": 20000, "file": "script.js", "avoid": [], "args": None, "state": None}


@pytest.fixture
def daemon() -> Iterator[LinkDaemon]:
    with LinkDaemon() as running:
        yield running


@pytest.fixture
def browser(daemon: LinkDaemon) -> Iterator[Chromium]:
    with Chromium(daemon.address) as running:
        yield running


def test_lines_from_before_a_crash_of_the_browser_reach_the_daemon(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    eventually(lambda: daemon.lines)
    daemon.hold("log")  # from now on nothing is acknowledged
    browser.kill_worker()
    with pytest.raises(RpcError):
        link.request("extension.dance")
    daemon.stop()
    text = f"the link to {daemon.address} is lost"
    eventually(lambda: text in str(browser.stored("lines")), 15, "the line is on disk")
    browser.kill()
    daemon.release("log")
    before = len(daemon.lines)
    daemon.start()
    browser.start()
    daemon.wait_link(after=1)
    lines = eventually(lambda: [line for line in daemon.lines[before:] if text in line["text"]])
    begun = eventually(lambda: [line for line in daemon.lines[before:] if "begins" in line["text"]])
    assert lines[0]["n"] < begun[-1]["n"]
    numbers = [line["n"] for line in daemon.lines]
    assert numbers == sorted(set(numbers))


def test_an_unacknowledged_result_is_said_again_after_a_cut_and_forgotten_once_acknowledged(daemon: LinkDaemon, browser: Chromium) -> None:
    with Pages() as pages:
        link = daemon.wait_link()
        tab = browser.open(pages.url("/plain")).id
        daemon.hold("task.finish")
        assert link.request("task.start", {**START, "task": "t1", "tab": tab, "script": "return {text: 'kept', n: [1, 2]}"})["accepted"]
        first = link.wait_for("task.finish")
        link.cut()
        second = daemon.wait_link(after=1)
        assert {"task": "t1", "attempt": 1, "hop": 0, "state": "finished"} in second.hello["holds"]
        again = second.wait_for("task.finish")
        assert again == first
        assert again["value"] == {"text": "kept", "n": [1, 2]}
        daemon.release("task.finish")
        second.cut()
        third = daemon.wait_link(after=2)
        third.wait_for("task.finish")
        third.request("link.ping")
        third.cut()
        fourth = daemon.wait_link(after=3)
        assert fourth.hello["holds"] == []
        fourth.request("link.ping")
        assert fourth.heard("task.finish") == []


def test_what_pages_hold_is_found_again_after_the_offscreen_document_was_closed(daemon: LinkDaemon, browser: Chromium) -> None:
    with Pages() as site:
        link = daemon.wait_link()
        done, going = browser.open(site.url("/plain")), browser.open(site.url("/plain"))
        daemon.hold("task.finish")
        finished = link.start(f"{site.counting('found')} return 'finished before'", done.id)
        link.end(finished)
        runs = link.start(f"{site.counting('found')} while (!window.letGo) await any.sleep(10); return 'finished after'", going.id)
        link.wait_for("task.started", lambda said: said["task"] == runs["task"])
        browser.close_offscreen()
        again = daemon.wait_link(after=1)
        held = {(hold["task"], hold["state"]) for hold in again.hello["holds"]}
        assert held == {(finished["task"], "finished"), (runs["task"], "running")}
        going.evaluate("window.letGo = true")
        assert again.end(finished)["value"] == "finished before"
        assert again.end(runs)["value"] == "finished after"
        assert site.counts["found"] == 2


def test_an_unacknowledged_result_survives_the_browser(daemon: LinkDaemon, browser: Chromium) -> None:
    with Pages() as pages:
        link = daemon.wait_link()
        tab = browser.open(pages.url("/plain")).id
        daemon.hold("task.finish")
        link.request("task.start", {**START, "task": "t2", "tab": tab, "script": "return 'x'.repeat(1e6)"})
        link.wait_for("task.finish")
        eventually(lambda: browser.stored("outbox"), 15, "the result is on disk")
        browser.kill()
        daemon.release("task.finish")
        seen = len(daemon.links)
        browser.start()
        again = daemon.wait_link(after=seen)
        assert {"task": "t2", "attempt": 1, "hop": 0, "state": "finished"} in again.hello["holds"]
        assert len(again.wait_for("task.finish")["value"]) == 1_000_000


def test_a_result_that_the_daemon_forgot_is_dropped(daemon: LinkDaemon, browser: Chromium) -> None:
    with Pages() as pages:
        link = daemon.wait_link()
        tab = browser.open(pages.url("/plain")).id
        daemon.hold("task.finish")
        link.request("task.start", {**START, "task": "t3", "tab": tab, "script": "return 3"})
        link.wait_for("task.finish")
        assert link.request("task.forget", {"task": "t3", "attempt": 1, "hop": 0}) == {}
        link.cut()
        assert daemon.wait_link(after=1).hello["holds"] == []
