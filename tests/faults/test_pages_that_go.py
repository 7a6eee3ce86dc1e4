"""The page goes away under the script, in every way that Chrome has, while other tasks run; each ends it once, and says how."""

from __future__ import annotations

import pytest
from chromium import Chromium, eventually
from harness import Amid, counting_and_blocking
from pages import Pages


def test_a_closed_tab(amid: Amid, browser: Chromium, site: Pages) -> None:
    with amid:
        tab = browser.open(site.url("/plain"))
        amid.start("closed", tab)
        tab.close()
        assert amid.end("closed")["error"]["name"] == "TabClosedError"


def test_a_discarded_tab(amid: Amid, browser: Chromium, site: Pages) -> None:
    with amid:
        tab = browser.open(site.url("/plain"))
        number = tab.id
        amid.start("discarded", number)
        browser.open(site.url("/plain"))
        browser.worker(f"chrome.tabs.discard({number}).then(() => true)")
        record = amid.end("discarded")
    assert record["error"]["name"] in {"NavigatedError", "TabClosedError", "PageCrashedError"}
    assert "discard" in record["error"]["message"]


def test_a_same_document_navigation_does_not_disturb_the_script(amid: Amid, browser: Chromium, site: Pages) -> None:
    with amid:
        tab = browser.open(site.url("/plain"))
        amid.start("same-document", tab, "await any.waitFor(() => location.hash === '#there', {timeout: 30000}); return location.hash")
        tab.evaluate("history.pushState({}, '', '/plain?x=1'); location.hash = 'there'; true")
        record = amid.end("same-document")
    assert (record["state"], record["result"]) == ("completed", "#there"), record["error"]


@pytest.mark.parametrize("page", ["/plain", "/no-store"])  # which goes into the back/forward cache, and which does not
def test_a_navigation_within_the_site(amid: Amid, browser: Chromium, site: Pages, page: str) -> None:
    task = "within" + page.replace("/", "-")
    with amid:
        tab = browser.open(site.url(page))
        amid.start(task, tab)
        tab.evaluate("setTimeout(() => { location.href = '/plain?elsewhere' }, 0); true")
        record = amid.end(task)
    assert record["error"]["name"] == "NavigatedError"
    assert "elsewhere" in record["error"]["message"]


def test_a_navigation_to_another_site(amid: Amid, browser: Chromium, site: Pages) -> None:
    with amid:
        tab = browser.open(site.url("/plain"))
        amid.start("away", tab)
        other = site.other("/plain?other")
        tab.evaluate(f"setTimeout(() => {{ location.href = {other!r} }}, 0); true")
        assert amid.end("away")["error"]["name"] == "NavigatedError"


def test_coming_back_out_of_the_back_forward_cache_makes_no_second_end(amid: Amid, browser: Chromium, site: Pages) -> None:
    with amid:
        tab = browser.open(site.url("/plain"))
        amid.start("back", tab, "await new Promise(go => (window.letGo = go)); return 'late'")
        tab.evaluate("setTimeout(() => { location.href = '/plain?elsewhere' }, 0); true")
        assert amid.end("back")["error"]["name"] == "NavigatedError"
        tab.evaluate("setTimeout(() => history.back(), 0); true")
        eventually(lambda: tab.glance("location.pathname + location.search") == "/plain", 15, "the first page is back")
        tab.evaluate("window.letGo?.()")  # the old script ends, where its page comes out of the cache
        # The next task in that tab runs after whatever the old script still does.
        amid.submit("after-back", "return 'next'", tab)
        assert amid.end("after-back")["result"] == "next"


def test_a_reload(amid: Amid, browser: Chromium, site: Pages) -> None:
    with amid:
        tab = browser.open(site.url("/plain"))
        amid.start("reloaded", tab)
        tab.evaluate("setTimeout(() => location.reload(), 0); true")
        assert amid.end("reloaded")["error"]["name"] == "NavigatedError"


@pytest.mark.parametrize("dialog", ["alert('x')", "confirm('x')", "prompt('x')"])
def test_an_open_dialog_ends_in_a_timeout_that_names_it_and_other_tabs_go_on(amid: Amid, browser: Chromium, site: Pages, dialog: str) -> None:
    task = "dialog-" + dialog[:5]
    with amid:
        tab, other = browser.open(site.url("/plain")), browser.open(site.url("/plain"))
        number = other.id
        amid.start(task, tab, f"{dialog}; return 'answered'", timeout=8)
        amid.submit(task + "-other", "return 'free'", number)
        assert amid.end(task + "-other")["result"] == "free"
        record = amid.end(task)
    assert record["state"] == "failed", record
    assert record["error"]["name"] == "TimeoutError"
    assert "dialog" in record["error"]["message"]


def test_a_beforeunload_dialog_ends_in_a_timeout(amid: Amid, browser: Chromium, site: Pages) -> None:
    with amid:
        tab = browser.open(site.url("/plain"))
        number = tab.id
        tab.evaluate("addEventListener('beforeunload', e => { e.preventDefault(); e.returnValue = 'stay' }); true")
        tab.call("Input.dispatchMouseEvent", type="mousePressed", x=5, y=5, button="left", clickCount=1)
        tab.call("Input.dispatchMouseEvent", type="mouseReleased", x=5, y=5, button="left", clickCount=1)
        amid.submit("beforeunload", "setTimeout(() => { location.href = '/plain?gone' }, 10); await any.sleep(60000)", number, timeout=8)
        record = amid.end("beforeunload")
    assert record["error"]["name"] in {"TimeoutError", "NavigatedError"}, record["error"]


def test_a_page_that_never_finishes_loading_runs_scripts(amid: Amid, site: Pages) -> None:
    with amid:
        amid.submit("never", "return document.readyState", {"open": site.url("/endless?name=never")}, timeout=30)
        record = amid.end("never", 45)
    assert record["state"] == "completed", record["error"]
    assert record["result"] in {"loading", "interactive"}


def test_an_endless_loop_is_cancelled_and_the_tab_comes_back_at_its_address(amid: Amid, browser: Chromium, site: Pages) -> None:
    with amid:
        amid.start("loop", browser.open(site.url("/plain?loop")), "for (;;) {}", counted=counting_and_blocking)
        status, _ = amid.rest("POST", "/v1/tasks/loop/cancel")
        assert status == 200
        record = amid.end("loop")
        assert record["state"] == "cancelled"
        assert record["error"]["name"] == "CancelledError" and len(record["error"]["message"]) > 20
        amid.submit("after-loop", "return location.search", {"url": site.url("/plain?loop")})
        assert amid.end("after-loop")["result"] == "?loop"
