"""debugger.follow: what a followed tab opens is attached before its scripts run, as far as Chrome lets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chromium import Chromium, eventually
from link_daemon import LinkDaemon, LinkedBrowser, RpcError
from pages import Pages

INIT = {"method": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": "globalThis.early = true", "runImmediately": True}}
COMMANDS = [{"method": "Page.enable"}, INIT, {"method": "Runtime.enable"}, {"method": "No.such"}]


@pytest.fixture(scope="module")
def daemon() -> Iterator[LinkDaemon]:
    with LinkDaemon() as running:
        yield running


@pytest.fixture(scope="module")
def browser(daemon: LinkDaemon) -> Iterator[Chromium]:
    with Chromium(daemon.address) as running:
        yield running


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    with Pages() as running:
        yield running


@pytest.fixture
def link(daemon: LinkDaemon, browser: Chromium) -> LinkedBrowser:
    return daemon.wait_link()


def send(link: LinkedBrowser, tab: int, method: str, **params: Any) -> Any:
    return link.request("debugger.send", {"tab": tab, "method": method, "params": params})["value"]


def evaluate(link: LinkedBrowser, tab: int, expression: str) -> Any:
    answer = send(link, tab, "Runtime.evaluate", expression=expression, userGesture=True, returnByValue=True)
    return answer["result"].get("value")


def loaded(link: LinkedBrowser, tab: int) -> None:
    """Waits until the popup's document is complete. Chrome ends or loses what the one before it was asked."""

    def complete() -> bool:
        ask = {"expression": "location.href !== 'about:blank' && document.readyState === 'complete'"}
        try:
            answer = link.request("debugger.send", {"tab": tab, "method": "Runtime.evaluate", "params": ask}, 5)
        except (RpcError, TimeoutError):
            return False
        return bool(answer["value"]["result"].get("value"))

    eventually(complete, 15, "the popup is complete")


def told(link: LinkedBrowser, path: str, opener: int | None = None) -> list[Any]:
    said = [event["args"][0] for event in link.heard("chrome.event") if event["path"] == path]
    return [event for event in said if opener is None or event.get("opener") == opener]


def opener_of(link: LinkedBrowser, browser: Chromium, url: str, page: bool = True) -> int:
    tab = browser.open(url).id
    link.request("debugger.attach", {"tab": tab})
    if page:
        send(link, tab, "Page.enable")
    assert link.request("debugger.follow", {"tab": tab, "on": True, "commands": COMMANDS}) == {}
    return tab


@pytest.mark.parametrize("page", [True, False], ids=["with Page enabled", "with nothing enabled"])
def test_a_popup_is_attached_and_told_with_its_opener(link: LinkedBrowser, browser: Chromium, pages: Pages, page: bool) -> None:
    opener = opener_of(link, browser, pages.url("/plain"), page)
    evaluate(link, opener, f"void open({pages.url('/plain?popup')!r})")
    followed = eventually(lambda: told(link, "debugger.followed", opener), 10)[0]
    assert followed["frame"] == 0
    assert followed["url"].endswith("/plain?popup")
    assert "error" not in followed
    assert link.request("debugger.attach", {"tab": followed["tab"]}) == {"already": True}
    answers = eventually(lambda: [a for a in told(link, "debugger.followedAnswers") if a["tab"] == followed["tab"]], 10)[0]["answers"]
    assert answers[0] == {"value": {}}
    assert answers[1]["value"]["identifier"]
    assert answers[3]["error"]["code"] == -32601
    loaded(link, followed["tab"])
    assert evaluate(link, followed["tab"], "globalThis.early") is True


def test_the_opener_is_told_before_anything_of_the_popup(link: LinkedBrowser, browser: Chromium, pages: Pages) -> None:
    opener = opener_of(link, browser, pages.url("/plain"))
    evaluate(link, opener, f"void open({pages.url('/plain?order')!r})")
    tab = eventually(lambda: told(link, "debugger.followed", opener), 10)[0]["tab"]
    eventually(lambda: [event for event in link.heard("debugger.event") if event.get("tab") == tab], 10)
    first = next(
        method if method == "debugger.event" else params["path"]
        for _, method, params in link.said
        if (method == "debugger.event" and params.get("tab") == tab)
        or (method == "chrome.event" and params["path"].startswith("debugger.") and params["args"][0]["tab"] == tab)
    )
    assert first == "debugger.followed"


def test_a_popup_of_a_background_tab_has_that_tab_as_opener(link: LinkedBrowser, browser: Chromium, pages: Pages) -> None:
    opener = opener_of(link, browser, pages.url("/plain"))
    in_front = opener_of(link, browser, pages.url("/plain?front"))
    evaluate(link, opener, f"void open({pages.url('/plain?behind')!r}, '_blank', 'noopener')")
    followed = eventually(lambda: [f for f in told(link, "debugger.followed") if f["url"].endswith("?behind")], 10)
    assert [each["opener"] for each in followed] == [opener]
    assert not told(link, "debugger.followed", in_front)


def test_a_followed_popup_is_itself_followed(link: LinkedBrowser, browser: Chromium, pages: Pages) -> None:
    opener = opener_of(link, browser, pages.url("/plain"))
    evaluate(link, opener, f"void open({pages.url('/plain?first')!r})")
    first = eventually(lambda: told(link, "debugger.followed", opener), 10)[0]["tab"]
    loaded(link, first)
    evaluate(link, first, f"void open({pages.url('/plain?second')!r})")
    assert eventually(lambda: told(link, "debugger.followed", first), 10)[0]["url"].endswith("?second")


def test_following_ends_when_it_is_switched_off_and_with_the_link(link: LinkedBrowser, browser: Chromium, pages: Pages, daemon: LinkDaemon) -> None:
    opener = opener_of(link, browser, pages.url("/plain"))
    assert link.request("debugger.follow", {"tab": opener, "on": False}) == {}
    evaluate(link, opener, f"void open({pages.url('/plain?unseen')!r})")
    eventually(lambda: [tab for tab in link.request("chrome.call", {"path": "tabs.query", "args": [{}]})["value"] if tab["url"].endswith("?unseen")], 10)
    assert not told(link, "debugger.followed", opener)

    link.request("debugger.follow", {"tab": opener, "on": True, "commands": []})
    count = len(daemon.links)
    link.cut()
    again = daemon.wait_link(after=count)
    # A new link begins with nothing: neither attachments nor following of the one before.
    assert again.request("debugger.attach", {"tab": opener}) == {}
    evaluate(again, opener, f"void open({pages.url('/plain?later')!r})")
    eventually(lambda: [tab for tab in again.request("chrome.call", {"path": "tabs.query", "args": [{}]})["value"] if tab["url"].endswith("?later")], 10)
    assert not told(again, "debugger.followed")


def test_following_goes_on_after_the_worker_died(daemon: LinkDaemon, browser: Chromium, pages: Pages) -> None:
    link = daemon.wait_link()
    opener = opener_of(link, browser, pages.url("/plain"))
    browser.kill_worker()
    evaluate(link, opener, f"void open({pages.url('/plain?revived')!r})")
    assert eventually(lambda: told(link, "debugger.followed", opener), 10)[0]["url"].endswith("?revived")


def test_what_makes_no_sense_is_refused(link: LinkedBrowser) -> None:
    for params in ({"on": True}, {"tab": 1, "on": True, "commands": [{"params": {}}]}, {"tab": 1, "on": True, "commands": "x"}):
        with pytest.raises(RpcError) as refused:
            link.request("debugger.follow", params)
        assert refused.value.name == "BadRequestError"
