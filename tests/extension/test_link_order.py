"""Whichever side starts first, falls asleep, is closed or frozen: the link stands."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import pytest
from chromium import Chromium, eventually
from link_daemon import LinkDaemon, LinkedBrowser, RpcError, free_port


@pytest.fixture
def daemon() -> Iterator[LinkDaemon]:
    with LinkDaemon() as running:
        yield running


@pytest.fixture
def browser(daemon: LinkDaemon) -> Iterator[Chromium]:
    with Chromium(daemon.address) as running:
        yield running


def tabs_of(link: LinkedBrowser) -> list[object]:
    tabs: list[object] = link.request("chrome.call", {"path": "tabs.query", "args": [{}]})["value"]
    return tabs


def test_a_daemon_started_a_second_after_the_extension_is_linked_within_a_second() -> None:
    with LinkDaemon(start=False) as daemon, Chromium(daemon.address) as browser:
        browser.wait_extension()
        time.sleep(1)  # the length of time is the subject
        daemon.start()
        assert daemon.wait_link().linked_at - daemon.started_at < 1.5


def test_ten_restarts_of_the_daemon_are_ten_links_with_a_median_under_a_second(daemon: LinkDaemon, browser: Chromium) -> None:
    daemon.wait_link()
    waits = []
    for number in range(10):
        daemon.stop()
        seen = len(daemon.links)
        time.sleep(0.6 + number * 0.13)  # so that it starts at any moment between two looks
        daemon.start()
        waits.append(daemon.wait_link(after=seen).linked_at - daemon.started_at)
    print(f"daemon started → linked: median {statistics.median(waits):.3f} s, worst {max(waits):.3f} s")
    assert statistics.median(waits) < 1.0
    assert max(waits) < 3.0


def test_a_killed_worker_does_not_drop_the_link_and_the_next_call_wakes_it(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    for _ in range(3):
        browser.kill_worker()
        assert len(tabs_of(link)) == 1
    assert not link.closed
    assert len(daemon.links) == 1


def test_a_call_in_flight_when_the_worker_dies_is_answered_with_an_error(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    tab = browser.open("about:blank").id
    link.request("debugger.attach", {"tab": tab})
    for_ever = {"expression": "new Promise(() => {})", "awaitPromise": True}
    waiting = link.post("debugger.send", {"tab": tab, "method": "Runtime.evaluate", "params": for_ever})
    tabs_of(link)  # answered after that command was taken
    browser.kill_worker()
    with pytest.raises(RpcError, match="worker died before it answered"):
        waiting.result(10)
    assert not link.closed


def test_an_offscreen_document_that_is_closed_comes_back_and_links_again(daemon: LinkDaemon, browser: Chromium) -> None:
    first = daemon.wait_link()
    tabs_of(first)
    browser.close_offscreen()
    second = daemon.wait_link(after=1)
    assert second.hello["instance"] != first.hello["instance"]
    assert second.begin["browser"] == first.begin["browser"]
    assert len(tabs_of(second)) == 1


@pytest.mark.waits
def test_an_offscreen_document_closed_while_the_worker_sleeps_comes_back_by_the_alarm(daemon: LinkDaemon, browser: Chromium) -> None:
    daemon.wait_link()
    browser.kill_worker()
    browser.close_offscreen()
    daemon.wait_link(after=1, timeout=75)


def test_the_extension_reloaded_links_again(daemon: LinkDaemon, browser: Chromium) -> None:
    first = daemon.wait_link()
    browser.reload_extension()
    second = daemon.wait_link(after=1)
    assert second.begin["browser"] == first.begin["browser"]
    link = second
    count = len(daemon.links)
    assert link.request("extension.reload", {}) == {}
    third = daemon.wait_link(after=count)
    assert third.begin["has_key"]


def test_a_browser_killed_and_started_again_is_the_same_browser(daemon: LinkDaemon, browser: Chromium) -> None:
    first = daemon.wait_link()
    eventually(lambda: browser.stored("links"), 15, "the key is on disk")
    browser.kill()
    eventually(lambda: first.closed)
    browser.start()
    second = daemon.wait_link(after=1)
    assert second.begin["browser"] == first.begin["browser"], [(link.begin, link.hello, link.closed) for link in daemon.links]
    assert second.begin["has_key"]


@pytest.mark.waits
def test_after_a_long_sleep_the_link_is_known_to_be_lost_and_found_again(daemon: LinkDaemon, browser: Chromium) -> None:
    first = daemon.wait_link()
    eventually(lambda: [line for line in daemon.lines if "linked to the daemon" in line["text"]], 15, "the extension knows it, too")
    browser.suspend()
    time.sleep(45)  # the length of time is the subject
    browser.resume()
    second = daemon.wait_link(after=1, timeout=10)
    assert second.hello["instance"] == first.hello["instance"]
    eventually(lambda: [line for line in daemon.lines if "no message for" in line["text"]], 15)


@pytest.mark.waits
def test_an_idle_link_outlives_its_worker_and_is_pinged_every_twenty_seconds(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    eventually(lambda: not browser.worker_runs(), 60, "the idle worker falls asleep")

    def pings() -> list[float]:
        return [at for at, method, _ in list(link.said) if method == "link.ping"]

    eventually(lambda: len(pings()) >= 3, 50, "three pings")
    first, second, third = pings()[:3]
    assert 18 < second - first < 24
    assert 18 < third - second < 24
    assert link.request("link.ping", {}) == {}
    assert len(tabs_of(link)) == 1
    assert len(daemon.links) == 1


def test_two_daemons_are_linked_at_once_and_each_is_a_world_of_its_own() -> None:
    with LinkDaemon() as one, LinkDaemon() as two, Chromium([one.address, two.address]) as browser:
        a, b = one.wait_link(), two.wait_link()
        assert a.request("chrome.subscribe", {"path": "tabs.onCreated"}) == {}
        browser.open("about:blank")
        a.wait_for("chrome.event", lambda event: event["path"] == "tabs.onCreated")
        assert b.heard("chrome.event") == []
        one.stop()
        assert len(tabs_of(b)) == 2


def test_one_daemon_at_two_addresses_is_linked_once() -> None:
    with LinkDaemon() as daemon:
        with Chromium([daemon.address, f"http://localhost:{daemon.port}"]) as browser:
            daemon.wait_link()
            popup = browser.popup()
            eventually(lambda: "The same daemon twice" in popup.evaluate("document.body.innerText"))
            assert len(daemon.live()) == 1


def test_the_search_leaves_no_error_line_anywhere() -> None:
    port = free_port()
    with Chromium(f"http://127.0.0.1:{port}", prototypes=[f"http://127.0.0.1:{free_port()}"]) as browser:
        browser.collect_errors()
        with LinkDaemon(port=port) as daemon:
            daemon.wait_link()
            assert len(daemon.health_requests) >= 1
            daemon.stop()
            time.sleep(2.5)  # several looks, all in vain
            info = browser.extension_info()
            assert info["runtimeErrors"] == []
            assert info["manifestErrors"] == []
            assert [line for line in browser.log().splitlines() if "CONSOLE" in line and "[any]" not in line] == []


def test_a_daemon_added_on_the_options_page_is_linked_and_removed_again(daemon: LinkDaemon, browser: Chromium) -> None:
    with LinkDaemon() as other:
        page = browser.open(browser.extension_url("options.html"))
        eventually(lambda: page.evaluate("document.querySelectorAll('#daemons li').length") == 1)
        page.evaluate(f"document.getElementById('address').value = '127.0.0.1:{other.port}'; document.querySelector('#add button').click()")
        link = other.wait_link()
        eventually(lambda: page.evaluate("document.querySelectorAll('#daemons li').length") == 2)
        page.evaluate("document.querySelector('#daemons li button').click()")
        eventually(lambda: link.closed)
        page.evaluate("document.getElementById('address').value = 'http://192.168.1.1:8766'; document.querySelector('#add button').click()")
        eventually(lambda: "https" in page.evaluate("document.getElementById('trouble').textContent"))
