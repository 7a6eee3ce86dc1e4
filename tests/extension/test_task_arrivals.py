"""Tabs on the way to a page: one whose first page never came, addresses that change on arrival, frames that come later."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.chromium import Chromium, Tab, eventually
from tests.support.pages import LEAVING, Pages
from tests.support.task_fixtures import bench, browser, site, tab  # noqa: F401
from tests.support.tasks import TaskBench


def hop(bench: TaskBench, script: str, where: int, url: str, **more: object) -> dict[str, object]:  # noqa: F811
    """The end of a task that its tab is sent on for."""
    return bench.run(script, {"hop": where, "opened": False}, hop=1, navigate=url, **more)


@pytest.fixture
def pageless(browser: Chromium, site: Pages) -> Iterator[int]:  # noqa: F811
    """A tab whose first navigation has brought no page."""
    site.counts["GET /204-once"] = 0
    made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/204-once'))}}})")["id"]
    eventually(lambda: browser.worker(f"chrome.tabs.get({made})")["status"] == "complete", 10, "Chrome has given the page up")
    state = browser.worker(f"chrome.tabs.get({made})")
    assert (state["url"], state["pendingUrl"]) == ("", site.url("/204-once"))
    yield made
    browser.worker(f"chrome.tabs.remove({made})")


@pytest.mark.parametrize("spec", ["number", "active", "pattern"])
def test_a_tab_whose_first_page_never_came_is_sent_there_again(bench: TaskBench, site: Pages, pageless: int, spec: str) -> None:  # noqa: F811
    tabs = {"number": pageless, "active": "active", "pattern": {"url": site.url("/204-once")}}
    end = bench.run("return document.title", tabs[spec])
    assert (end["tab"]["id"], end["value"]) == (pageless, "There")
    assert site.count("GET /204-once") == 2


def test_one_that_gets_no_page_again_is_asked_for_once_a_task_and_blames_nobody(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/204'))}}})")["id"]
    eventually(lambda: browser.worker(f"chrome.tabs.get({made})")["status"] == "complete", 10, "Chrome has given the page up")
    before = site.count("GET /204")
    error = bench.error("return 1", made)
    assert (error["name"], error["started"]) == ("NavigatedError", False)
    assert site.url("/204") in error["message"] and "something in the browser" in error["message"]
    assert site.count("GET /204") == before + 1
    browser.worker(f"chrome.tabs.remove({made})")


def test_a_tab_whose_first_navigation_was_stopped_is_said_to_show_no_page(bench: TaskBench, browser: Chromium, site: Pages, tab: Tab) -> None:  # noqa: F811
    made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/hold?name=stopped'))}}})")["id"]
    target = eventually(lambda: next((each for each in browser.tabs() if "stopped" in each.url), None), 10, "the tab is there")
    target.call("Page.stopLoading")
    eventually(lambda: browser.worker(f"chrome.tabs.get({made})")["status"] == "complete", 10, "it has stopped")
    site.release("stopped")
    error = bench.error("return 1", made)
    assert (error["name"], error["started"]) == ("ForbiddenPageError", False)
    assert "shows no page" in error["message"] and "send it to one" in error["message"]
    assert tab.id in [each["id"] for each in error["tabs"]]
    browser.worker(f"chrome.tabs.remove({made})")


@pytest.mark.parametrize("how", LEAVING)
@pytest.mark.parametrize("way", ["open", "next"])
def test_a_page_that_leads_on_as_soon_as_it_has_come_is_not_the_one_that_the_script_runs_in(
    bench: TaskBench, site: Pages, tab: Tab, how: str, way: str  # noqa: F811
) -> None:
    url, name = site.url(f"/leaves?how={how}"), f"{how}-{way}"
    script = f"{site.counting(name)} return document.title"
    if way == "open":
        end = bench.run(script, {"open": url})
    else:
        end = hop(bench, script, tab.id, url)
    assert (end["outcome"], end.get("value")) == ("value", "Second"), end
    assert site.count(name) == 1




def test_a_page_that_only_rewrites_its_address_is_where_the_script_runs(bench: TaskBench, site: Pages, tab: Tab) -> None:  # noqa: F811
    assert bench.value("return location.hash", {"open": site.url("/router#a")}) == "#/a"
    where = tab.id
    end = hop(bench, "return location.hash", where, site.url("/router#b"))
    assert end["value"] == "#/b"


@pytest.mark.parametrize("to", ["#b", "#/b", "#/a", "#"])
def test_a_hop_within_a_document_whose_router_rewrites_the_hash_runs_there(bench: TaskBench, site: Pages, tab: Tab, to: str) -> None:  # noqa: F811
    tab.goto(site.url("/router#a"))
    tab.evaluate("window.mark = 'same document'")
    end = hop(bench, "return [location.pathname, window.mark]", tab.id, site.url("/router" + to))
    assert end["value"] == ["/router", "same document"]


def test_an_address_that_the_server_changes_is_followed(bench: TaskBench, site: Pages, tab: Tab) -> None:  # noqa: F811
    url = site.url(f"/redirect?to={site.other('/second')}")
    assert bench.value("return document.title", {"open": url}) == "Second"
    assert hop(bench, "return document.title", tab.id, url)["value"] == "Second"


@pytest.mark.parametrize("way", ["open", "next"])
def test_all_frames_of_a_page_that_has_just_come_are_those_it_has_when_it_has_loaded(
    bench: TaskBench, site: Pages, tab: Tab, way: str  # noqa: F811
) -> None:
    url, script = site.url("/frames"), "return document.title"
    end = bench.run(script, {"open": url}, frame="all") if way == "open" else hop(bench, script, tab.id, url, frame="all")
    assert end["value"] == ["Frames", "Second", "Third"]


@pytest.mark.parametrize("way", ["open", "next"])
def test_a_frame_that_comes_after_the_load_is_waited_for(bench: TaskBench, site: Pages, tab: Tab, way: str) -> None:  # noqa: F811
    url, script, frame = site.url("/frame-later"), "return document.title", {"url": "*://*/third"}
    end = bench.run(script, {"open": url}, frame=frame) if way == "open" else hop(bench, script, tab.id, url, frame=frame)
    assert end["value"] == "Third"


def test_all_frames_of_a_page_that_loads_are_waited_for(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/held-frame?name=frame'))}}})")["id"]
    eventually(lambda: browser.worker(f"chrome.tabs.get({made})")["title"] == "Held frame", 10, "the page is there")
    release = threading.Timer(0.5, site.release, ["frame"])
    release.start()
    assert bench.value("return document.title", made, frame="all") == ["Held frame", "Held"]
    release.join()
    browser.worker(f"chrome.tabs.remove({made})")


def test_a_frame_that_does_not_come_is_said_with_those_there_are(bench: TaskBench, site: Pages, tab: Tab) -> None:  # noqa: F811
    error = bench.error("return 1", {"open": site.url("/frames")}, frame={"url": "*://*/nowhere"})
    assert (error["name"], error["started"]) == ("FrameNotFoundError", False)
    assert site.url("/second") in error["message"] and site.other("/third") in error["message"]
    before = time.monotonic()
    error = bench.error("return 1", tab.id, frame={"url": "*://*/nowhere"})
    assert error["name"] == "FrameNotFoundError"
    assert time.monotonic() - before < 2, "of a page that has long been there nothing is waited for"


@pytest.fixture
def staying(browser: Chromium, site: Pages) -> Iterator[Tab]:  # noqa: F811
    """A tab whose page asks whether to leave it: somebody has clicked in it."""
    opened = browser.open(site.url("/beforeunload"))
    for kind in ("mousePressed", "mouseReleased"):
        opened.call("Input.dispatchMouseEvent", type=kind, x=20, y=20, button="left", clickCount=1)
    opened.call("Page.enable")
    yield opened
    browser.cdp.post("Page.handleJavaScriptDialog", opened.session, accept=True)
    opened.close()


def test_a_question_whether_to_leave_is_named_by_the_hop_it_holds_up_and_by_the_next_task(bench: TaskBench, site: Pages, staying: Tab) -> None:  # noqa: F811
    where = staying.id
    script = site.counting("stayed")
    ends = [bench.error(script, {"hop": where, "opened": False}, hop=1, navigate=site.url("/second"), timeout_ms=2000)]
    ends += [bench.error(script, tab, timeout_ms=2000) for tab in (where, {"url": site.url("/beforeunload")})]
    for error in ends:
        assert error["name"] == "TimeoutError" and error["started"] in (False, "unknown")
        assert "beforeunload" in error["message"] and site.url("/second") in error["message"] and "answer it" in error["message"]
    assert bench.browser.worker(f"chrome.tabs.get({where})")["url"] == site.url("/beforeunload"), "the page is left as it is"
    assert site.count("stayed") == 0


def test_a_hop_goes_on_once_the_question_whether_to_leave_is_answered(bench: TaskBench, browser: Chromium, site: Pages, staying: Tab) -> None:  # noqa: F811
    def asked() -> bool:
        return any((session, name) == (staying.session, "Page.javascriptDialogOpening") for session, name, _ in browser.cdp.events)

    where = staying.id
    hopping = threading.Thread(target=lambda: ends.append(hop(bench, "return document.title", where, site.url("/second"))))
    ends: list[dict[str, object]] = []
    hopping.start()
    eventually(asked, 10, "the page asks")
    browser.cdp.post("Page.handleJavaScriptDialog", staying.session, accept=True)
    hopping.join(30)
    assert [end["value"] for end in ends] == ["Second"]


def test_a_hop_to_a_server_that_does_not_answer_says_so(bench: TaskBench, site: Pages, tab: Tab) -> None:  # noqa: F811
    url = site.url("/hold?name=mute-server")
    error = bench.error("return 1", {"hop": tab.id, "opened": False}, hop=1, navigate=url, timeout_ms=1500)
    assert (error["name"], error["started"]) == ("TimeoutError", False)
    assert f"no answer from {url}" in error["message"]
    site.release("mute-server")
