"""Each way in which a page goes from under a script ends the task in its own error, at once and once."""

from __future__ import annotations

import json
import time

import pytest

from tests.support.chromium import Chromium, Tab, eventually
from tests.support.pages import Pages
from tests.support.task_fixtures import bench, browser, site, tab  # noqa: F401
from tests.support.tasks import TaskBench

FOREVER = "await new Promise(() => {})"


def ends_with(bench: TaskBench, params: dict[str, object], name: str, within: float = 15.0) -> dict[str, object]:  # noqa: F811
    end = bench.end(params, within)  # type: ignore[arg-type]
    assert end["outcome"] == "error", end
    assert end["error"]["name"] == name, end["error"]
    return end


def begun(bench: TaskBench, where: int, script: str = FOREVER, **more: object) -> dict[str, object]:  # noqa: F811
    params = bench.start(script, where, **more)
    bench.wait_running(params)
    return params


@pytest.mark.parametrize("world", ["main", "isolated"])
@pytest.mark.parametrize("page", ["/plain", "/no-store", "/unload"])
@pytest.mark.parametrize("other", [False, True])
def test_a_page_that_is_left_ends_the_task_at_once_saying_where_to(
    bench: TaskBench, browser: Chromium, site: Pages, page: str, other: bool, world: str  # noqa: F811
) -> None:
    opened = browser.open(site.url(page))
    params = begun(bench, opened.id, world=world)
    to = site.other("/second") if other else site.url("/second")
    left = time.monotonic()
    opened.goto(to, wait=False)
    end = ends_with(bench, params, "NavigatedError")
    assert time.monotonic() - left < 10  # and not at its timeout of 20 s
    assert to in end["error"]["message"] and site.url(page) in end["error"]["message"]  # type: ignore[index]
    assert end["started"] is True
    opened.wait_loaded()
    assert bench.value("return document.title", opened.id) == "Second"
    opened.close()


def test_a_script_that_comes_back_with_its_page_has_no_second_end(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/plain"))
    params = begun(bench, opened.id, "globalThis.kept = 1; any.signal.onabort = () => (globalThis.told = any.signal.reason.name); await new Promise(go => (globalThis.letGo = go)); return 'late'")
    opened.goto(site.url("/second"))
    ends_with(bench, params, "NavigatedError")
    opened.evaluate("history.back()")
    opened.wait_loaded()
    eventually(lambda: opened.glance("document.title") == "Plain", 15)
    restored = opened.evaluate("globalThis.kept === 1")
    if restored:  # it lay in the back/forward cache
        assert eventually(lambda: opened.evaluate("globalThis.told") == "CancelledError", 15, "the script is told")
    opened.evaluate("globalThis.letGo?.()")  # only now it ends by itself
    assert bench.value("return document.title", opened.id) == "Plain"
    assert len(bench.ends(params["task"])) == 1  # type: ignore[arg-type]
    opened.close()


def test_a_reload_ends_the_task(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    params = begun(bench, tab.id)
    tab.call("Page.reload")
    ends_with(bench, params, "NavigatedError")


def test_a_script_that_leads_its_own_page_away_is_told_of_any_next(bench: TaskBench, tab: Tab, site: Pages) -> None:  # noqa: F811
    end = bench.run(f"location.href = {json.dumps(site.url('/second'))}; {FOREVER}", tab.id)
    assert end["error"]["name"] == "NavigatedError" and "any.next" in end["error"]["message"]


def test_a_script_goes_on_through_navigations_within_its_document(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    script = "history.pushState(0, '', '/pushed'); await any.sleep(50); location.hash = 'x'; await any.sleep(50); return location.pathname + location.hash"
    end = bench.run(script, tab.id)
    assert end["value"] == "/pushed#x"
    assert end["tab"]["url"].endswith("/pushed#x")


def test_a_document_that_is_written_anew_keeps_its_script(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    script = "document.open(); document.write('<title>New</title><p id=n>x'); document.close(); await any.sleep(50); await any.waitFor('#n'); return document.title"
    assert bench.value(script, tab.id) == "New"
    assert bench.value("return document.title", tab.id) == "New"


def test_a_tab_that_is_closed_ends_the_task(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/plain"))
    params = begun(bench, opened.id)
    opened.close()
    end = ends_with(bench, params, "TabClosedError")
    assert end["started"] is True


def test_a_tab_that_chrome_discards_ends_the_task_and_that_is_said(bench: TaskBench, browser: Chromium, site: Pages, tab: Tab) -> None:  # noqa: F811
    made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/third?discarded'))}, active: false}}).then(t => t.id)")
    eventually(lambda: browser.worker(f"chrome.tabs.get({made}).then(t => t.status)") == "complete", 10)
    params = begun(bench, made)
    again = browser.worker(f"chrome.tabs.discard({made}).then(t => t.id)")
    end = ends_with(bench, params, "PageCrashedError")
    assert "discarded" in end["error"]["message"]  # type: ignore[index]
    browser.worker(f"chrome.tabs.remove({again})")


@pytest.mark.parametrize("world", ["main", "isolated"])
def test_a_renderer_that_is_killed_ends_the_task(bench: TaskBench, browser: Chromium, site: Pages, world: str) -> None:  # noqa: F811
    opened = browser.open(site.other("/plain"))
    params = begun(bench, opened.id, world=world)
    number = opened.id
    opened.kill_renderer()
    end = ends_with(bench, params, "PageCrashedError")
    assert end["started"] is True
    # the next task loads the crashed tab again first
    assert bench.value("return document.title", number) == "Plain"
    browser.worker(f"chrome.tabs.remove({number})")


def test_a_frame_that_is_removed_ends_the_task(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    for name in ("same", "other"):
        opened = browser.open(site.url("/frames"))
        pattern = site.url("/second") if name == "same" else "http://localhost/third"
        params = begun(bench, opened.id, frame={"url": pattern.replace(f":{site.port}", "")})
        opened.evaluate(f"document.querySelector('[name={name}]').remove()")
        end = ends_with(bench, params, "NavigatedError")
        assert "removed" in end["error"]["message"]  # type: ignore[index]
        opened.close()


def test_a_frame_that_is_sent_elsewhere_ends_the_task(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/frames"))
    params = begun(bench, opened.id, frame={"url": "http://localhost/third"})
    opened.evaluate("document.querySelector('[name=other]').src = '/second?later'")
    end = ends_with(bench, params, "NavigatedError")
    assert "/second?later" in end["error"]["message"]  # type: ignore[index]
    opened.close()


@pytest.mark.parametrize("how", ["alert('x')", "confirm('x')", "prompt('x')"])
def test_an_open_dialog_ends_the_task_at_its_timeout(bench: TaskBench, browser: Chromium, site: Pages, how: str) -> None:  # noqa: F811
    made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/third?dialog'))}, active: true}}).then(t => t.id)")
    eventually(lambda: browser.worker(f"chrome.tabs.get({made}).then(t => t.status)") == "complete", 10)
    error = bench.error(f"{how}; return 1", made, timeout_ms=4000)
    assert (error["name"], error["started"]) == ("TimeoutError", True)
    assert "dialog" in error["message"]
    pattern = site.url("/third?dialog")
    assert eventually(lambda: browser.worker(f"chrome.tabs.query({{url: {json.dumps(pattern)}}}).then(all => all.length === 1 && all[0].id !== {made})"), 10)
    assert bench.value("return document.title", {"url": pattern}) == "Third"
    browser.worker(f"chrome.tabs.query({{url: {json.dumps(pattern)}}}).then(all => chrome.tabs.remove(all.map(t => t.id)))")


def test_a_dialog_of_the_page_that_is_open_beforehand_ends_the_task_at_its_timeout(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/third?alert'))}, active: true}}).then(t => t.id)")
    eventually(lambda: browser.worker(f"chrome.tabs.get({made}).then(t => t.status)") == "complete", 10)
    assert bench.value("return 1", made) == 1
    browser.worker(f"chrome.scripting.executeScript({{target: {{tabId: {made}}}, func: () => void setTimeout(() => alert('x'))}}).then(() => true)")
    eventually(lambda: bench_silent(bench, made), 8)
    error = bench.error(f"{site.counting('behind-alert')} return 1", made, timeout_ms=800)
    assert error["name"] == "TimeoutError"
    assert error["started"] in (False, "unknown")
    assert site.count("behind-alert") == 0
    browser.worker("chrome.tabs.query({url: '%s'}).then(all => chrome.tabs.remove(all.map(t => t.id)))" % site.url("/third?alert"))


def bench_silent(bench: TaskBench, made: int) -> bool:  # noqa: F811
    """Whether the page no longer answers its relay."""
    answer = f"""import('/task/relays.js').then(async ({{relayAt}}) => {{ const relay = relayAt({made}, 0); relay.pongs = 0;
      relay.send({{do: 'ping', run: 'x'}}); return !(await relay.until(() => relay.pongs > 0, 300)); }})"""
    return bool(bench.browser.offscreen(answer))


def test_a_page_that_wants_to_be_kept_does_not_lose_the_task(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/beforeunload"))
    number = opened.id
    opened.evaluate("document.querySelector('button').focus()")
    opened.call("Input.dispatchMouseEvent", type="mousePressed", x=20, y=20, button="left", clickCount=1)
    opened.call("Input.dispatchMouseEvent", type="mouseReleased", x=20, y=20, button="left", clickCount=1)
    params = begun(bench, number, FOREVER, timeout_ms=5000)
    browser.worker(f"void chrome.tabs.update({number}, {{url: {json.dumps(site.url('/second'))}}})")
    end = ends_with(bench, params, "TimeoutError")
    assert end["started"] is True
    browser.cdp.post("Target.closeTarget", targetId=opened.target)


def test_a_page_that_goes_before_the_script_begins_leaves_the_task_unstarted_or_run_on_the_next(
    bench: TaskBench, browser: Chromium, site: Pages  # noqa: F811
) -> None:
    for turn in range(6):
        opened = browser.open(site.url("/plain"))
        number = opened.id
        name = f"racing-{turn}"
        opened.evaluate(f"setTimeout(() => location.assign({json.dumps(site.url('/second'))}), {turn * 4}); 0")
        params = bench.params(f"{site.counting(name)} return document.title", number)
        answer = bench.ask("task.start", params)
        if "error" in answer:
            assert site.count(name) == 0
            continue
        end = bench.end(params)
        ran = site.count(name)
        assert ran <= 1
        if end["outcome"] == "value":
            assert ran == 1 and end["value"] in ("Plain", "Second")
        else:
            assert end["error"]["name"] == "NavigatedError"
            assert end["started"] is not False or ran == 0
        opened.close()


def test_a_page_that_connects_while_it_goes_into_the_cache_is_given_no_task(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/plain"))
    number = opened.id
    document = browser.worker(f"chrome.webNavigation.getFrame({{tabId: {number}, frameId: 0}}).then(f => f.documentId)")
    # As a relay that is put into a page in the moment in which the next one takes its place: Chrome opens its port and never closes it.
    late = "() => document.addEventListener('freeze', () => chrome.runtime.connect({name: 'any-relay:1'}))"
    browser.worker(f"chrome.scripting.executeScript({{target: {{tabId: {number}}}, func: {late}}}).then(() => true)")
    opened.goto(site.url("/second"))
    known = f"import('/task/relays.js').then(({{hasLeft, relayAt}}) => hasLeft({json.dumps(document)}) && !relayAt({number}, 0))"
    assert eventually(lambda: browser.offscreen(known), 10, "its relay counts as gone")
    assert bench.value("return document.title", number) == "Second"
    opened.close()
