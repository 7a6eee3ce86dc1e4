"""The page goes away under the script, in every way that Chrome has; each ends it once, and says how."""

from __future__ import annotations

import pytest
from chromium import Chromium, Tab, eventually
from harness import Rest
from pages import Pages


def start(rest: Rest, tab: Tab, task: str, work: str = "await any.sleep(30000); return 'stayed'", timeout: float = 40) -> None:
    rest.submit(work, id=task, tab=tab.id, timeout=timeout)
    rest.until_state(task, "running")


def test_a_closed_tab(rest: Rest, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    start(rest, tab, "closed")
    tab.close()
    assert rest.end("closed", 15)["error"]["name"] == "TabClosedError"


def test_a_discarded_tab(rest: Rest, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    number = tab.id
    start(rest, tab, "discarded")
    browser.open(site.url("/plain"))
    browser.worker(f"chrome.tabs.discard({number}).then(() => true)")
    record = rest.end("discarded", 20)
    assert record["error"]["name"] in {"NavigatedError", "TabClosedError", "PageCrashedError"}
    assert "discard" in record["error"]["message"]


def test_a_same_document_navigation_does_not_disturb_the_script(rest: Rest, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    start(rest, tab, "same-document", "await any.waitFor(() => location.hash === '#there', {timeout: 10000}); return location.hash")
    tab.evaluate("history.pushState({}, '', '/plain?x=1'); location.hash = 'there'; true")
    record = rest.end("same-document", 20)
    assert (record["state"], record["result"]) == ("completed", "#there"), record["error"]


@pytest.mark.parametrize("page", ["/plain", "/no-store"])
def test_a_navigation_within_the_site(rest: Rest, browser: Chromium, site: Pages, page: str) -> None:
    tab = browser.open(site.url(page))
    task = "within" + page.replace("/", "-")
    start(rest, tab, task)
    tab.evaluate("setTimeout(() => { location.href = '/plain?elsewhere' }, 0); true")
    record = rest.end(task, 15)
    assert record["error"]["name"] == "NavigatedError"
    assert "elsewhere" in record["error"]["message"]


def test_a_navigation_to_another_site(rest: Rest, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    start(rest, tab, "away")
    other = site.other("/plain?other")
    tab.evaluate(f"setTimeout(() => {{ location.href = {other!r} }}, 0); true")
    assert rest.end("away", 15)["error"]["name"] == "NavigatedError"


def test_coming_back_out_of_the_back_forward_cache_makes_no_second_end(rest: Rest, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    start(rest, tab, "back", "await any.sleep(3000); return 'late'")
    tab.evaluate("setTimeout(() => { location.href = '/plain?elsewhere' }, 0); true")
    assert rest.end("back", 15)["error"]["name"] == "NavigatedError"
    tab.evaluate("setTimeout(() => history.back(), 0); true")
    eventually(lambda: tab.url.endswith("/plain"), what="the first page to be back")
    # The next task in that tab runs after whatever the old script still does.
    rest.submit("await any.sleep(4000); return 'next'", id="after-back", tab=tab.id)
    assert rest.end("after-back", 30)["result"] == "next"
    assert [event["kind"] for event in rest.events("back")].count("end") == 1


def test_a_reload(rest: Rest, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    start(rest, tab, "reloaded")
    tab.evaluate("setTimeout(() => location.reload(), 0); true")
    assert rest.end("reloaded", 15)["error"]["name"] == "NavigatedError"


@pytest.mark.parametrize("dialog", ["alert('x')", "confirm('x')", "prompt('x')"])
def test_an_open_dialog_ends_in_a_timeout_that_names_it_and_other_tabs_go_on(rest: Rest, browser: Chromium, site: Pages, dialog: str) -> None:
    tab, other = browser.open(site.url("/plain")), browser.open(site.url("/plain"))
    task = "dialog-" + dialog[:5]
    rest.submit(f"{dialog}; return 'answered'", id=task, tab=tab.id, timeout=3)
    rest.submit("return 'free'", id=task + "-other", tab=other.id)
    assert rest.end(task + "-other", 10)["result"] == "free"
    record = rest.end(task, 25)
    assert record["state"] == "failed", record
    assert record["error"]["name"] == "TimeoutError"
    assert "dialog" in record["error"]["message"]


def test_a_beforeunload_dialog_ends_in_a_timeout(rest: Rest, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    tab.evaluate("addEventListener('beforeunload', e => { e.preventDefault(); e.returnValue = 'stay' }); true")
    tab.call("Input.dispatchMouseEvent", type="mousePressed", x=5, y=5, button="left", clickCount=1)
    tab.call("Input.dispatchMouseEvent", type="mouseReleased", x=5, y=5, button="left", clickCount=1)
    rest.submit("setTimeout(() => { location.href = '/plain?gone' }, 10); await any.sleep(60000)", id="beforeunload", tab=tab.id, timeout=4)
    record = rest.end("beforeunload", 30)
    assert record["error"]["name"] in {"TimeoutError", "NavigatedError"}, record["error"]


def test_a_page_that_never_finishes_loading_runs_scripts(rest: Rest, browser: Chromium, site: Pages) -> None:
    rest.submit("return document.readyState", id="never", tab={"open": site.url("/endless?name=never")}, timeout=20)
    record = rest.end("never", 30)
    assert record["state"] == "completed", record["error"]
    assert record["result"] in {"loading", "interactive"}


def test_an_endless_loop_is_cancelled_and_the_tab_comes_back_at_its_address(rest: Rest, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain?loop"))
    number = tab.id
    rest.submit("for (;;) {}", id="loop", tab=number, timeout=60)
    rest.until_state("loop", "running")
    status, _ = rest("POST", "/v1/tasks/loop/cancel")
    assert status == 200
    record = rest.end("loop", 20)
    assert record["state"] == "cancelled"
    assert record["error"]["name"] == "CancelledError" and len(record["error"]["message"]) > 20
    rest.submit("return location.search", id="after-loop", tab={"url": site.url("/plain?loop")})
    assert rest.end("after-loop", 20)["result"] == "?loop"
