"""What a script sees and says, and what becomes of it in the end."""

from __future__ import annotations

import json

import pytest

from tests.support.chromium import Chromium, Tab, eventually
from tests.support.pages import Pages
from tests.support.task_fixtures import bench, browser, site, tab  # noqa: F401
from tests.support.tasks import TaskBench, TaskError


UNTIL_LET_GO = "while (!window.letGo) await any.sleep(10);"


def let_go(tab: Tab) -> None:
    tab.evaluate("window.letGo = true")


def test_the_answer_comes_before_the_end_and_names_the_tab(bench: TaskBench, tab: Tab, site: Pages) -> None:  # noqa: F811
    params = bench.params(f"{UNTIL_LET_GO} return args.a + any.state.b", tab.id, args={"a": 1}, state={"b": 2})
    answer = bench.ask("task.start", params)["result"]
    assert answer == {"accepted": True, "tab": {"id": tab.id, "url": site.url("/plain"), "title": "Plain"}}
    assert bench.ends(params["task"]) == []
    let_go(tab)
    assert bench.end(params)["value"] == 3
    started = bench.notes(params["task"], "task.started")
    assert len(started) == 1 and started[0]["injection"] == "scripting"


def test_the_same_start_twice_runs_once_and_is_answered_as_before(bench: TaskBench, tab: Tab, site: Pages) -> None:  # noqa: F811
    params = bench.params(f"{site.counting('twice')} await any.sleep(100); return 1", tab.id)
    first = bench.ask("task.start", params)
    assert bench.ask("task.start", params) == first
    bench.end(params)
    assert bench.ask("task.start", params) == first
    assert site.count("twice") == 1
    assert len(bench.ends(params["task"])) == 1


def test_a_tab_with_a_task_is_busy_and_so_is_one_to_be_avoided(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    params = bench.start(UNTIL_LET_GO, tab.id)
    assert bench.ask("task.start", bench.params("return 1", tab.id)) == {"result": {"busy": tab.id}}
    let_go(tab)
    bench.end(params)
    assert bench.ask("task.start", bench.params("return 1", tab.id, avoid=[tab.id])) == {"result": {"busy": tab.id}}
    assert bench.value("return 1", tab.id) == 1


def test_the_active_tab_is_that_of_the_last_focused_window(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/second"))
    number = opened.id
    browser.worker(f"chrome.tabs.update({number}, {{active: true}})")
    assert bench.value("return location.pathname", "active") == "/second"
    opened.close()


def test_an_address_pattern_takes_the_tab_used_last(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    older, newer = browser.open(site.url("/third?a")), browser.open(site.url("/third?b"))
    assert bench.value("return location.search", {"url": site.url("/third*")}) == "?b"
    browser.worker(f"chrome.tabs.update({older.id}, {{active: true}})")
    assert eventually(lambda: bench.value("return location.search", {"url": site.url("/third*")}) == "?a", 15)
    newer.close()
    older.close()


def test_where_no_tab_matches_the_open_ones_are_listed(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    for spec in (987654321, {"url": "https://nowhere.example/*"}):
        error = bench.error("return 1", spec)
        assert error["name"] == "TabNotFoundError"
        assert tab.id in [each["id"] for each in error["tabs"]]
    assert bench.error("return 1", {"url": "not a pattern"})["name"] == "BadRequestError"


def test_a_tab_is_opened_in_the_background_and_closed_at_the_end(bench: TaskBench, browser: Chromium, site: Pages, tab: Tab) -> None:  # noqa: F811
    browser.worker(f"chrome.tabs.update({tab.id}, {{active: true}})")
    end = bench.run("return [document.title, document.visibilityState]", {"open": site.url("/second"), "background": True, "keep": False})
    assert end["value"] == ["Second", "hidden"]
    assert end["tab"]["url"] == site.url("/second")
    gone = f"chrome.tabs.get({end['tab']['id']}).then(() => false, () => true)"
    assert eventually(lambda: browser.worker(gone), 15, "the tab is closed")
    kept = bench.run("return 1", {"open": site.url("/second"), "background": True, "keep": True})
    assert browser.worker(f"chrome.tabs.get({kept['tab']['id']}).then(t => t.active)") is False
    browser.worker(f"chrome.tabs.remove({kept['tab']['id']})")


def test_an_address_that_gives_no_page_ends_the_task_before_it_begins(bench: TaskBench, site: Pages) -> None:  # noqa: F811
    for url in ("http://127.0.0.1:1/", site.url("/204"), site.url("/download")):
        error = bench.error("return 1", {"open": url, "background": True, "keep": False}, timeout_ms=10_000)
        assert error["name"] == "NavigatedError", error
        assert error["started"] is False


def test_a_page_that_does_not_answer_ends_the_task_at_its_timeout_and_nothing_runs(bench: TaskBench, site: Pages, browser: Chromium) -> None:  # noqa: F811
    error = bench.error("return 1", {"open": site.url("/hold?name=never"), "background": True, "keep": False}, timeout_ms=700)
    assert (error["name"], error["started"]) == ("TimeoutError", False)
    held = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/hold?name=never'))}, active: false}}).then(t => t.id)")
    error = bench.error("return 1", held, timeout_ms=700)
    assert (error["name"], error["started"]) == ("TimeoutError", False)
    browser.worker(f"chrome.tabs.remove({held})")


def test_a_page_that_never_finishes_loading_is_run_in_all_the_same(bench: TaskBench, site: Pages, browser: Chromium) -> None:  # noqa: F811
    opened = browser.open(site.url("/endless?name=a"), wait=False)
    eventually(lambda: opened.evaluate("!!document.querySelector('#first')"), 10)
    assert bench.value("return document.readyState", opened.id) == "loading"
    opened.close()
    half = bench.value("return document.querySelector('#half').textContent", {"open": site.url("/half?name=b"), "background": True})
    assert half == "there"


def test_a_discarded_tab_is_loaded_again_first(bench: TaskBench, browser: Chromium, site: Pages, tab: Tab) -> None:  # noqa: F811
    made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/second'))}, active: false}}).then(t => t.id)")
    eventually(lambda: browser.worker(f"chrome.tabs.get({made}).then(t => t.status)") == "complete", 10)
    made = browser.worker(f"chrome.tabs.discard({made}).then(t => t.id)")  # it has a new id
    assert bench.value("return document.title", made) == "Second"
    browser.worker(f"chrome.tabs.remove({made})")


def test_progress_and_console_are_told_in_order_with_positions(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    script = """any.progress(1);
console.log("a", {b: [1]}, null, undefined);
  console.error(new TypeError("wrong").message);
console.info(1n);
any.progress({done: true});
"""
    end = bench.run(script, tab.id)
    events = bench.notes(end["task"])
    assert [event["n"] for event in events] == [1, 2, 3, 4, 5]
    assert events[0]["value"] == 1 and events[4]["value"] == {"done": True}
    lines = [(event["level"], event["text"], event["line"], event["column"]) for event in events[1:4]]
    assert lines == [("log", 'a {"b":[1]} null undefined', 2, 9), ("error", "wrong", 3, 11), ("info", "1", 4, 9)]


def test_only_the_scripts_own_console_lines_are_told(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    tab.evaluate("setInterval(() => console.log('of the page'), 20); 0")
    end = bench.run("console.log('mine'); await any.sleep(200)", tab.id)
    assert [event["text"] for event in bench.notes(end["task"])] == ["mine"]


def test_waiting_works_in_a_background_tab_without_its_timers(bench: TaskBench, browser: Chromium, site: Pages, tab: Tab) -> None:  # noqa: F811
    made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/plain'))}, active: false}}).then(t => t.id)")
    eventually(lambda: browser.worker(f"chrome.tabs.get({made}).then(t => t.status)") == "complete", 10)
    script = """
      const from = performance.now();
      for (let i = 0; i < 20; i++) await any.sleep(10);
      const slept = performance.now() - from;
      queueMicrotask(() => document.body.append(Object.assign(document.createElement("b"), {id: "born"})));
      const born = await any.waitFor("#born");
      globalThis.flag = 0;
      any.sleep(150).then(() => (globalThis.flag = 1));
      const flag = await any.waitFor(() => globalThis.flag);
      return [document.visibilityState, slept, born.tagName, flag];
    """
    state, slept, born, flag = bench.value(script, made)
    assert (state, born, flag) == ("hidden", "B", 1)
    assert 200 <= slept < 15_000  # page timers would take a second each
    browser.worker(f"chrome.tabs.remove({made})")


def test_waiting_for_what_never_comes_ends_at_its_own_timeout(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    error = bench.error("await any.waitFor('#never', {timeout: 300})", tab.id)
    assert (error["name"], error["thrown"]) == ("ScriptError", "TimeoutError")
    assert '#never' in error["message"] and "300 ms" in error["message"]
    assert bench.error("await any.waitFor('[[')", tab.id)["thrown"] == "SyntaxError"


def test_what_is_thrown_is_told_whatever_it_is(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    for thrown, name, message in [
        ("'text'", None, "text"),
        ("{code: 5}", None, '{"code":5}'),
        ("null", None, "null"),
        ("undefined", None, "undefined"),
        ("new DOMException('gone', 'AbortError')", "AbortError", "gone"),
        ("Object.assign(new Error('mine'), {name: 'MyError'})", "MyError", "mine"),
        ("new Proxy({}, {get() { throw 1; }})", None, "a value that cannot be read"),
    ]:
        error = bench.error(f"throw {thrown}", tab.id)
        assert (error["name"], error["thrown"]) == ("ScriptError", name), error
        assert message in error["message"], error


def test_a_failure_brings_a_picture_where_the_tab_is_the_one_shown(bench: TaskBench, browser: Chromium, tab: Tab, site: Pages) -> None:  # noqa: F811
    browser.worker(f"chrome.tabs.update({tab.id}, {{active: true}})")
    shown = bench.run("throw new Error('look')", tab.id)
    assert shown["screenshot"].startswith("iVBOR")
    hidden = bench.run("throw new Error('look')", {"open": site.url("/plain"), "background": True})
    assert "screenshot" not in hidden
    assert "screenshot" not in bench.run("return 1", tab.id)


def test_at_its_timeout_a_waiting_script_is_told_so_and_its_later_end_does_not_count(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    script = """any.signal.addEventListener("abort", () => (window.why = any.signal.reason.name));
      try { await any.sleep(60000); } catch (e) { window.caught = e.name; } return "late";"""
    end = bench.run(script, tab.id, timeout_ms=3000)  # which runs from before the script is in the page
    assert (end["error"]["name"], end["started"]) == ("TimeoutError", True)
    assert "of 3 s" in end["error"]["message"]
    assert eventually(lambda: tab.evaluate("[window.why, window.caught]") == ["TimeoutError", "TimeoutError"], 15)
    assert bench.value("return 1", tab.id) == 1
    assert len(bench.ends(end["task"])) == 1


def test_a_cancelled_script_that_heeds_its_signal_is_aborted(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    params = bench.start("await any.waitFor('#never')", tab.id)
    bench.wait_running(params)
    assert bench.cancel(params) == {"stopped": "aborted"}
    end = bench.end(params)
    assert (end["error"]["name"], end["error"]["message"], end["started"]) == ("CancelledError", "cancelled by the test", True)
    assert bench.value("return 1", tab.id) == 1


def test_a_cancelled_script_that_goes_on_is_left_alone_and_that_is_said(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    params = bench.start("await new Promise(() => {})", tab.id)
    bench.wait_running(params)
    assert bench.cancel(params) == {"stopped": "unknown"}
    assert "goes on" in bench.end(params)["error"]["message"]


def test_an_endless_loop_is_cancelled_by_replacing_the_tab_at_its_address(bench: TaskBench, browser: Chromium, site: Pages, tab: Tab) -> None:  # noqa: F811
    for active in (False, True):
        made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/second'))}, active: {json.dumps(active)}}}).then(t => t.id)")
        eventually(lambda: browser.worker(f"chrome.tabs.get({made}).then(t => t.status)") == "complete", 10)
        params = bench.start("while (true) {}", made)
        bench.wait_running(params)
        assert bench.cancel(params) == {"stopped": "replaced"}
        end = bench.end(params)
        assert (end["error"]["name"], end["started"]) == ("CancelledError", True)
        assert "replaced" in end["error"]["message"] and site.url("/second") in end["error"]["message"]
        assert bench.value("return document.title", {"url": site.url("/second")}) == "Second"
        browser.worker("chrome.tabs.query({url: '%s'}).then(all => chrome.tabs.remove(all.map(t => t.id)))" % site.url("/second"))


def test_an_endless_loop_ends_at_its_timeout_and_the_tab_comes_back(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/third"))
    number = opened.id
    error = bench.error("for (;;) {}", number, timeout_ms=4000)
    assert (error["name"], error["started"]) == ("TimeoutError", True)
    assert "does not answer" in error["message"] and "dialog" in error["message"]
    assert eventually(lambda: title_of(bench, {"url": site.url("/third")}) == "Third", 10)
    browser.worker("chrome.tabs.query({url: '%s'}).then(all => chrome.tabs.remove(all.map(t => t.id)))" % site.url("/third"))


def title_of(bench: TaskBench, spec: object) -> object:  # noqa: F811
    try:
        end = bench.run("return document.title", spec, timeout_ms=3000)
    except (TaskError, AssertionError):
        return None
    return end.get("value")


def test_an_endless_loop_by_the_debugger_is_ended_and_the_page_lives(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/csp"))
    error = bench.error("for (;;) {}", opened.id, timeout_ms=1000)
    assert error["name"] == "TimeoutError"
    assert eventually(lambda: title_of(bench, {"url": site.url("/csp")}) == "Strict", 10)
    browser.worker("chrome.tabs.query({url: '%s'}).then(all => chrome.tabs.remove(all.map(t => t.id)))" % site.url("/csp"))


def test_a_forgotten_task_is_stopped_without_a_word(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    params = bench.start("await any.sleep(60000)", tab.id)
    key = {part: params[part] for part in ("task", "attempt", "hop")}
    assert bench.ask("task.forget", key) == {"result": {}}
    assert bench.value("return 1", tab.id) == 1
    assert bench.ends(params["task"]) == []
    assert params["task"] not in [hold["task"] for hold in bench.browser.offscreen("bench.host.holds()")]


def test_a_script_leads_its_tab_from_page_to_page(bench: TaskBench, site: Pages, browser: Chromium) -> None:  # noqa: F811
    script = """
      const seen = [...(any.state ?? []), document.title];
      const next = {Plain: "/second", Second: "/third?x=1"}[document.title];
      return next ? any.next(next, seen) : seen;
    """
    first = bench.params(script, {"open": site.url("/plain"), "background": True, "keep": False})
    bench.ask("task.start", first)
    end = bench.end(first)
    assert (end["outcome"], end["url"], end["state"]) == ("next", site.url("/second"), ["Plain"])
    tab_id = end["tab"]["id"]
    for hop, outcome in ((1, "next"), (2, "value")):
        params = {**first, "hop": hop, "tab": {"hop": tab_id, "opened": True}, "navigate": end["url"], "state": end["state"]}
        assert bench.ask("task.start", params)["result"]["accepted"]
        end = eventually(lambda hop=hop: next((e for e in bench.ends(first["task"]) if e["hop"] == hop), None), 15)  # type: ignore[misc]
        assert end["outcome"] == outcome, end
    assert end["value"] == ["Plain", "Second", "Third"]
    assert end["tab"]["url"] == site.url("/third?x=1")
    assert eventually(lambda: browser.worker(f"chrome.tabs.get({tab_id}).then(() => false, () => true)"), 15, "closed after the last hop")


def test_a_hop_whose_tab_is_gone_goes_on_in_a_new_one(bench: TaskBench, site: Pages) -> None:  # noqa: F811
    end = bench.run("return [document.title, any.state]", {"hop": 424242, "opened": False}, hop=1, navigate=site.url("/second"), state=[1])
    assert end["value"] == ["Second", [1]]


def test_a_hop_to_another_place_of_the_same_document_runs_there(bench: TaskBench, site: Pages, tab: Tab) -> None:  # noqa: F811
    end = bench.run("return location.hash", {"hop": tab.id, "opened": False}, hop=1, navigate=site.url("/plain#there"))
    assert end["value"] == "#there"


def test_a_hop_to_the_same_address_loads_it_anew(bench: TaskBench, site: Pages, tab: Tab) -> None:  # noqa: F811
    tab.evaluate("window.old = 1")
    assert bench.value("return typeof old", {"hop": tab.id, "opened": False}, hop=1, navigate=site.url("/plain")) == "undefined"


def test_a_hop_to_where_nobody_answers_fails_and_nothing_runs(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    error = bench.error("return 1", {"hop": tab.id, "opened": False}, hop=1, navigate="http://127.0.0.1:1/")
    assert (error["name"], error["started"]) == ("NavigatedError", False)


def test_the_worker_may_die_while_a_script_runs(bench: TaskBench, browser: Chromium, site: Pages, tab: Tab) -> None:  # noqa: F811
    params = bench.start(f"{site.counting('worker')} await any.sleep(800); any.progress(1); return 'kept'", tab.id)
    bench.wait_running(params)
    browser.kill_worker()
    assert bench.end(params)["value"] == "kept"
    assert site.count("worker") == 1


def test_a_start_whose_worker_dies_runs_once_all_the_same(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    for page, name in (("/plain", "died-plain"), ("/csp", "died-csp")):
        opened = browser.open(site.url(page))
        params = bench.params(f"{site.counting(name)} return 1", opened.id)
        text = json.dumps(params)
        browser.offscreen(f"void (bench.pending = bench.do('task.start', {text}))")
        browser.kill_worker()
        assert bench.end(params)["value"] == 1
        assert site.count(name) == 1
        opened.close()


def test_after_the_extension_was_reloaded_the_same_page_takes_scripts_again(site: Pages) -> None:  # noqa: F811
    with Chromium("http://127.0.0.1:9") as chromium:
        first = TaskBench(chromium)
        opened = chromium.open(site.url("/plain"))
        opened.evaluate("window.kept = 1")
        params = first.start("any.signal.onabort = () => (window.told = any.signal.reason.message); await any.sleep(60000)", opened.id)
        first.wait_running(params)
        chromium.reload_extension()
        assert eventually(lambda: opened.evaluate("window.told") == "the extension was reloaded", 10)
        eventually(chromium.offscreen_runs, 10)
        second = TaskBench(chromium)
        assert second.value("return [window.kept, document.title]", opened.id) == [1, "Plain"]


@pytest.mark.waits
def test_a_script_of_thirty_seconds_outlives_the_sleep_of_the_worker(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    params = bench.start("const from = performance.now(); await any.sleep(33_000); return performance.now() - from", tab.id, timeout_ms=60_000)
    assert bench.end(params, 50)["value"] >= 33_000


def test_what_fails_because_the_extension_is_being_unloaded_is_no_end_of_the_task(bench: TaskBench) -> None:  # noqa: F811
    said = bench.browser.offscreen("""(async () => {
      const { TaskHost } = await import(chrome.runtime.getURL("task/host.js"));
      const ends = [];
      const link = { address: "http://unloaded.test", request: async () => ({}), notify: () => {}, finish: async (...end) => void ends.push(end) };
      const callWorker = async () => { throw new Error("Extension context invalidated."); };
      const host = new TaskHost({ callWorker, link, log: () => {} });
      const start = { task: "t", attempt: 1, hop: 0, tab: 1, frame: "main", world: "main", timeout_ms: 20000, file: "t.js", avoid: [], args: null, state: null, script: "1" };
      let answer = "none";
      host.start(start).then((given) => (answer = given), (error) => (answer = error.message));
      await new Promise((resolve) => setTimeout(resolve)); // all that follows from the refusal has happened
      return { answer, ends, holds: host.holds().length };
    })()""")
    assert said == {"answer": "none", "ends": [], "holds": 1}


def test_an_end_that_a_page_says_before_its_link_is_there_is_kept_for_the_daemon(bench: TaskBench) -> None:  # noqa: F811
    # In a page of its own: in the offscreen document it is known by now which links there are, and this one is none of them.
    page = bench.browser.open(bench.browser.extension_url("options.html"))
    kept = page.evaluate("""(async () => {
      const { PrototypeLink } = await import(chrome.runtime.getURL("compat/prototype.js"));
      const { acceptRelay, runName } = await import(chrome.runtime.getURL("task/relays.js"));
      const address = "http://early.test", run = runName(address, "t", 1, 0, 0);
      let say;
      const ignored = { addListener: () => {} };
      acceptRelay({
        sender: { id: chrome.runtime.id, tab: { id: 987654 }, frameId: 0, documentId: "EARLY" },
        onMessage: { addListener: (listener) => (say = listener) }, onDisconnect: ignored, postMessage: () => {}, disconnect: () => {},
      });
      const note = { tab: null, opened: false, deadline: null, params: { timeout_ms: null, file: "t.js", world: "main", frame: "main" }, frames: [0], injection: "scripting" };
      say({ say: "hello", url: "http://a.test/", title: "A", type: "text/html", ready: "complete", runs: [{ run, state: "ended", note }] });
      say({ say: "end", run, outcome: "value", text: "7", page: "http://a.test/", title: "A" });
      const store = { get: async () => undefined, all: async () => [], put: async () => {}, delete: async () => {} };
      const context = { store, finder: { search: () => {}, stop: () => {} }, box: { add: () => {}, goOnAfter: () => {} }, callWorker: async () => ({ owed: 0 }), changed: () => {} };
      const link = new PrototypeLink(address, context);
      await link.start();
      return link.holds().map(({ task, state }) => [task, state]).concat([...link.outbox.entries.values()].map(({ kept }) => JSON.parse(kept.text).value));
    })()""")
    page.close()
    assert kept == [["t", "finished"], 7]
