"""No tab, in whatever state, holds up a client that connects, or another tab."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from chromium import Chromium, eventually
from daemon import Daemon
from pages import Pages
from playwright.sync_api import Browser, Dialog, Error, Page, Playwright, sync_playwright

#: `window.open` by the page's own script, as a person's click would have it
ALERTING_POPUP = "() => { setTimeout(() => { window.opened = window.open(''); opened.alert('x'); window.after = 1 }, 0) }"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def first(daemon: Daemon, browser: Chromium, playwright: Playwright) -> Iterator[Browser]:
    before = {tab.target for tab in browser.tabs()}
    connected = playwright.chromium.connect_over_cdp(daemon.url, timeout=10_000)
    yield connected
    connected.close()
    for tab in browser.tabs():
        if tab.target not in before:
            tab.close()
    eventually(lambda: daemon.health()["cdp"]["attached"] == 0, 15, "nothing is left attached")


def connect(url: str) -> float:
    """Another program connects and leaves; how long the connecting took. Its own thread: Playwright's sync API has one loop each."""
    took: list[float] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with sync_playwright() as own:
                begun = time.monotonic()
                joined = own.chromium.connect_over_cdp(url, timeout=10_000)
                took.append(time.monotonic() - begun)
                joined.close()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return took[0]


def pump(page: Page, until: str, condition: Callable[[], Any], seconds: float = 10) -> None:
    """Playwright's sync API hears of events only while one of its calls is under way."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, until
        page.wait_for_timeout(20)


def test_a_popup_that_alerts_at_once_is_told_of_and_holds_up_nobody(daemon: Daemon, first: Browser, site: Pages) -> None:
    page = first.contexts[0].new_page()
    page.goto(site.url("/plain"))
    popups: list[Page] = []
    page.on("popup", lambda told: popups.append(told))
    page.evaluate(ALERTING_POPUP)
    pump(page, "the popup is told of", lambda: popups)
    connect(daemon.url)
    # It goes on once it is closed, and so does its opener, whose script waits in alert().
    popups[0].close()
    assert page.evaluate("after") == 1


def test_a_page_whose_dialog_nobody_answers_holds_up_nobody(daemon: Daemon, first: Browser, site: Pages) -> None:
    page = first.contexts[0].new_page()
    page.goto(site.url("/plain"))
    dialogs: list[Dialog] = []
    page.on("dialog", lambda told: dialogs.append(told))  # and does not answer it
    page.evaluate("() => { setTimeout(() => { window.answer = confirm('well?') }, 0) }")
    pump(page, "the dialog is told of", lambda: dialogs)
    connect(daemon.url)
    dialogs[0].accept()
    page.wait_for_function("window.answer === true")


def test_a_script_without_end_holds_up_nobody(daemon: Daemon, first: Browser, browser: Chromium, site: Pages) -> None:
    page = first.contexts[0].new_page()
    page.goto(site.url("/plain"))
    with suppress(Error):
        page.evaluate("() => { setTimeout(() => { for (;;); }, 0) }")
    connect(daemon.url)
    page.close()


def test_a_crashed_page_holds_up_nobody(daemon: Daemon, first: Browser, browser: Chromium, site: Pages) -> None:
    page = first.contexts[0].new_page()
    page.goto(site.url("/second"))
    crashed: list[Page] = []
    page.on("crash", lambda told: crashed.append(told))
    next(tab for tab in browser.tabs() if tab.url == site.url("/second")).kill_renderer()
    pump(first.contexts[0].new_page(), "the crash is told of", lambda: crashed)
    connect(daemon.url)


def test_a_client_that_comes_and_goes_is_never_held_up_by_what_another_does(daemon: Daemon, first: Browser, site: Pages) -> None:
    page = first.contexts[0].new_page()
    page.goto(site.url("/plain"))
    page.on("dialog", lambda dialog: dialog.accept())
    over = threading.Event()
    took: list[float] = []
    failed: list[BaseException] = []

    def come_and_go() -> None:
        try:
            with sync_playwright() as own:
                while not over.is_set():
                    begun = time.monotonic()
                    own.chromium.connect_over_cdp(daemon.url, timeout=10_000).close()
                    took.append(time.monotonic() - begun)
                    over.wait(0.2 - took[-1] if took[-1] < 0.2 else 0)
        except BaseException as error:
            failed.append(error)

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        for turn in range(8):
            aside = first.contexts[0].new_page()
            aside.goto(site.url("/second"))
            if turn % 2:
                with page.expect_popup() as opened:
                    page.evaluate(ALERTING_POPUP)
                opened.value.close()
            else:
                page.evaluate("() => { setTimeout(() => { window.after = 1; alert('y') }, 0) }")
            page.wait_for_function("window.after === 1")
            page.evaluate("() => { delete window.after }")
            aside.close()
    finally:
        over.set()
        other.join()
    assert not failed, failed
    assert statistics.median(took) < 1, took
    assert max(took) < 5, took
