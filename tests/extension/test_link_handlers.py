"""The daemon calls whatever the browser has: chrome.* functions and events, raw CDP. One browser for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import Chromium, eventually
from link_daemon import LinkDaemon, LinkedBrowser, RpcError
from pages import Pages


@pytest.fixture(scope="module")
def daemon() -> Iterator[LinkDaemon]:
    with LinkDaemon() as running:
        yield running


@pytest.fixture(scope="module")
def browser(daemon: LinkDaemon) -> Iterator[Chromium]:
    with Chromium(daemon.address) as running:
        yield running


def call(link: LinkedBrowser, path: str, *args: object) -> object:
    return link.request("chrome.call", {"path": path, "args": list(args)})["value"]


def test_any_chrome_function_is_called_by_its_path(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    assert call(link, "storage.local.set", {"x": [1, None]}) is None
    assert call(link, "storage.local.get", "x") == {"x": [1, None]}
    assert call(link, "runtime.id") == "fiboagademobpcbeeblkmghchapdlnjd"
    assert call(link, "proxy.settings.get", {})["value"]["mode"]  # type: ignore[index]
    assert call(link, "bookmarks.getTree")
    assert call(link, "cookies.getAll", {}) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tabs.nothing", "BadRequestError"),
        ("constructor.constructor", "BadRequestError"),
        ("tabs.query.call", "BadRequestError"),
        ("tabs.__proto__.x", "BadRequestError"),
        ("runtime.connect", "NotSerializableError"),
        ("tabs.onCreated", "BadRequestError"),
        ("tabs.get", "BadRequestError"),
    ],
)
def test_what_cannot_be_called_is_refused_by_name(daemon: LinkDaemon, browser: Chromium, path: str, name: str) -> None:
    link = daemon.wait_link()
    with pytest.raises(RpcError, match=path.split(".")[0]) as refused:
        call(link, path, 999999)
    assert refused.value.name == name


def test_a_result_with_a_blob_is_refused_by_name(daemon: LinkDaemon, browser: Chromium) -> None:
    with Pages() as pages:
        link = daemon.wait_link()
        tab = browser.open(pages.url("/plain")).id
        with pytest.raises(RpcError, match="pageCapture.saveAsMHTML") as refused:
            call(link, "pageCapture.saveAsMHTML", {"tabId": tab})
        assert refused.value.name == "NotSerializableError"


def test_subscriptions_go_on_after_the_worker_died(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    assert link.request("chrome.subscribe", {"path": "tabs.onCreated"}) == {}
    browser.kill_worker()
    eventually(browser.worker_runs, 15, "the worker is woken because a daemon listens")
    link.request("chrome.unsubscribe", {"path": "tabs.onRemoved"})  # answered behind what is restored
    for number in range(1, 4):
        browser.open("about:blank")
        eventually(lambda n=number: len(link.heard("chrome.event")) == n, 10)  # type: ignore[misc]
    assert link.request("chrome.unsubscribe", {"path": "tabs.onCreated"}) == {}
    browser.open("about:blank")
    call(link, "tabs.query", {})
    assert len(link.heard("chrome.event")) == 3


def test_a_filter_goes_with_a_subscription(daemon: LinkDaemon, browser: Chromium) -> None:
    with Pages() as pages:
        link = daemon.wait_link()
        only = {"url": [{"pathEquals": "/plain"}]}
        link.request("chrome.subscribe", {"path": "webNavigation.onCommitted", "filter": only})
        browser.open("data:text/html,x")
        browser.open(pages.url("/plain"))
        event = link.wait_for("chrome.event", lambda said: said["path"] == "webNavigation.onCommitted")
        link.request("chrome.unsubscribe", {"path": "webNavigation.onCommitted"})
        assert event["args"][0]["url"].endswith("/plain")


def test_an_event_that_wants_an_answer_is_refused_by_name(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    with pytest.raises(RpcError, match="onMessage") as refused:
        link.request("chrome.subscribe", {"path": "runtime.onMessage"})
    assert refused.value.name == "NotSerializableError"


def test_raw_cdp_goes_through_with_its_events_and_errors(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    tab = browser.open("data:text/html,<title>here</title>").id
    assert link.request("debugger.attach", {"tab": tab}) == {}
    send = lambda method, **params: link.request("debugger.send", {"tab": tab, "method": method, "params": params})["value"]  # noqa: E731
    assert send("Runtime.evaluate", expression="document.title")["result"]["value"] == "here"
    send("Runtime.enable")
    link.wait_for("debugger.event", lambda event: event["tab"] == tab and event["method"] == "Runtime.executionContextCreated")
    with pytest.raises(RpcError, match="wasn't found") as refused:
        send("Browser.getVersion")
    assert refused.value.error["data"]["cdp"]["code"] == -32601
    assert link.request("debugger.detach", {"tab": tab}) == {}
    with pytest.raises(RpcError):
        send("Runtime.enable")
