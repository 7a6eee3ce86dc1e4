"""A page in which another extension has a frame: what Chrome refuses is explained by name, and what still works does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chromium import REPOSITORY, Chromium, Tab, eventually
from tests.support.link_daemon import LinkDaemon, LinkedBrowser, RpcError
from tests.support.pages import Pages

OTHER = REPOSITORY / "tests/support/frame_extension"
NAME = "Menu of another extension"
MENU = "document.querySelector('html > iframe[src^=chrome-extension]')"


@pytest.fixture(scope="module")
def site() -> Iterator[Pages]:
    with Pages() as pages:
        yield pages


@pytest.fixture(scope="module")
def daemon() -> Iterator[LinkDaemon]:
    with LinkDaemon() as running:
        yield running


@pytest.fixture(scope="module")
def browser(daemon: LinkDaemon) -> Iterator[Chromium]:
    with Chromium(daemon.address, others=[OTHER]) as running:
        daemon.wait_link()
        yield running


@pytest.fixture
def link(daemon: LinkDaemon, browser: Chromium) -> LinkedBrowser:
    return daemon.wait_link()


def open_menu(browser: Chromium, site: Pages, path: str) -> Tab:
    tab = browser.open(site.url(path))
    refused = f"chrome.debugger.attach({{tabId: {tab.id}}}, '1.3').then(() => chrome.debugger.detach({{tabId: {tab.id}}})).then(() => '', e => e.message)"
    eventually(lambda: "different extension" in browser.worker(refused), 15, "the other extension is in the way")
    return tab


def send(link: LinkedBrowser, tab: int, method: str, **params: Any) -> Any:
    return link.request("debugger.send", {"tab": tab, "method": method, "params": params})["value"]


def attached(link: LinkedBrowser, tab: int) -> bool:
    try:
        return bool(link.request("debugger.attach", {"tab": tab, "fresh": True}) == {})
    except RpcError:
        return False


def test_a_refused_attaching_says_which_extension_is_in_the_way_and_what_to_do(link: LinkedBrowser, browser: Chromium, site: Pages) -> None:
    tab = open_menu(browser, site, "/plain?menu")
    with pytest.raises(RpcError) as refused:
        link.request("debugger.attach", {"tab": tab.id, "fresh": True})
    said = refused.value.error["data"]["cdp"]["message"]
    assert said.startswith("Cannot access a chrome-extension:// URL of different extension: ")
    assert NAME in said and "close that menu" in said and "chrome://extensions/?id=" in said
    tab.evaluate(f"{MENU}.remove()")
    assert eventually(lambda: attached(link, tab.id), 10, "once the frame is gone it attaches")
    link.request("debugger.detach", {"tab": tab.id})
    tab.close()


def test_a_program_whose_debugging_another_extension_has_ended_is_told_so_and_comes_back_once_it_is_gone(
    daemon: LinkDaemon, link: LinkedBrowser, browser: Chromium, site: Pages
) -> None:
    tab = browser.open(site.url("/plain"))
    number = tab.id
    link.request("debugger.attach", {"tab": number, "fresh": True})
    send(link, number, "Page.navigate", url=site.url("/second?menu"))
    link.wait_for("debugger.event", lambda event: event.get("tab") == number and event["method"] == "Inspector.detached")
    lines = eventually(lambda: [line for line in daemon.lines if f"ended the debugging of tab {number}" in line["text"]], 10)
    assert NAME in lines[0]["text"] and lines[0]["level"] == "warn"
    with pytest.raises(RpcError, match=NAME):
        send(link, number, "Page.navigate", url=site.url("/third"))
    link.request("chrome.call", {"path": "tabs.update", "args": [number, {"url": site.url("/third")}]})
    assert eventually(lambda: attached(link, number), 10, "a navigation by chrome.tabs leads away from it")
    link.request("debugger.detach", {"tab": number})
    tab.close()


def test_tasks_run_where_the_debugger_is_not_needed_and_say_elsewhere_who_is_in_the_way(
    daemon: LinkDaemon, link: LinkedBrowser, browser: Chromium, site: Pages
) -> None:
    plain, strict = open_menu(browser, site, "/frames?menu"), open_menu(browser, site, "/csp?menu")
    end = link.run("return location.pathname", plain.id, frame="all")
    assert end["outcome"] == "value" and set(end["value"]) == {"/frames", "/second", "/third"}, end
    for tab, world in ((plain.id, "isolated"), (strict.id, "main")):
        with pytest.raises(RpcError, match=NAME) as refused:
            link.run("return 1", tab, world=world)
        error = refused.value.error["data"]
        assert error["name"] == "WorldUnavailableError" and "close that menu" in error["message"], error
        assert "Allow user scripts" in error["hint"]
    browser.set_switches(user_scripts=True)
    allowed = "(() => { try { return typeof chrome.userScripts.execute } catch { return '' } })()"
    eventually(lambda: browser.worker(allowed) == "function", 10)
    for tab, world in ((plain.id, "isolated"), (strict.id, "main")):
        assert daemon.wait_link().run("return 1", tab, world=world)["value"] == 1
    plain.close()
    strict.close()
