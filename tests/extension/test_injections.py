"""Which way a script takes into a page and a world, and where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chromium import Chromium, Tab, eventually
from tests.support.pages import Pages
from tests.support.task_fixtures import bench, browser, site, tab  # noqa: F401
from tests.support.tasks import TaskBench

# page, world, the injection without and with "Allow user scripts"
INJECTIONS = [
    ("/plain", "main", "scripting", "scripting"),
    ("/csp", "main", "debugger", "userScripts"),
    ("/trusted", "main", "debugger", "userScripts"),
    ("/plain", "isolated", "debugger", "userScripts"),
    ("/plain", "user", "debugger", "userScripts"),
    ("/csp", "isolated", "debugger", "userScripts"),
    ("/trusted", "user", "debugger", "userScripts"),
    ("/sandboxed", "isolated", "debugger", "userScripts"),
    ("/json", "main", "scripting", "scripting"),
    ("/xml", "main", "scripting", "scripting"),
    ("/svg", "main", "scripting", "scripting"),
    ("/text", "main", "scripting", "scripting"),
    ("/404", "main", "scripting", "scripting"),
]

SCRIPT = """
// a comment on the script's first line
any.progress({step: 1});
console.warn("seen", args.n);
const found = await any.waitFor("*");
await any.sleep(20);
return [document.location.pathname, args.n, typeof found];
"""


@pytest.fixture(scope="module")
def allowed() -> Iterator[TaskBench]:
    """A browser in which the person has switched on "Allow user scripts"."""
    with Chromium("http://127.0.0.1:9") as chromium:
        chromium.wait_extension()
        chromium.set_switches(user_scripts=True)
        eventually(lambda: chromium.worker("(() => { try { return typeof chrome.userScripts.execute } catch { return '' } })()") == "function", 10)
        yield TaskBench(chromium)


def expect_injection(bench: TaskBench, site: Pages, page: str, world: str, injection: str) -> None:  # noqa: F811
    opened = bench.browser.open(site.url(page))
    for _ in range(2):  # the second start uses what the first has brought
        end = bench.run(SCRIPT, opened.id, world=world, args={"n": 7})
        assert end["outcome"] == "value", end
        assert end["injection"] == injection
        assert end["value"][:2] == [page, 7]
        events = bench.notes(end["task"])
        assert [e["kind"] for e in events] == ["progress", "console"]
        assert (events[1]["level"], events[1]["text"], events[1]["line"]) == ("warn", "seen 7", 4)
    opened.close()


@pytest.mark.parametrize(("page", "world", "injection", "_other"), INJECTIONS)
def test_without_user_scripts_the_injection_is_scripting_where_text_evaluates_and_the_debugger_elsewhere(
    bench: TaskBench, site: Pages, page: str, world: str, injection: str, _other: str  # noqa: F811
) -> None:
    expect_injection(bench, site, page, world, injection)


@pytest.mark.parametrize(("page", "world", "_other", "injection"), INJECTIONS)
def test_with_user_scripts_allowed_they_are_preferred_to_the_debugger(
    allowed: TaskBench, site: Pages, page: str, world: str, _other: str, injection: str  # noqa: F811
) -> None:
    expect_injection(allowed, site, page, world, injection)


def failing_positions(bench: TaskBench, where: int, world: str) -> None:  # noqa: F811
    error = bench.error("const a = 1;\nfunction inner() {\n  throw new RangeError('too far');\n}\n  inner();", where, world=world)
    assert (error["name"], error["thrown"], error["line"], error["column"]) == ("ScriptError", "RangeError", 3, 9), error
    assert error["stack"].split("\n")[:3] == ["RangeError: too far", "    at inner (test.js:3:9)", "    at test.js:5:3"]
    wrong = bench.error("let a = 1;\nlet b = ;", where, world=world)
    assert (wrong["name"], wrong["thrown"], wrong["line"], wrong["column"]) == ("ScriptError", "SyntaxError", 2, 9), wrong
    assert wrong["started"] is False


@pytest.mark.parametrize(("page", "world"), [("/plain", "main"), ("/csp", "main"), ("/plain", "isolated"), ("/trusted", "user")])
def test_positions_are_those_of_the_users_file_by_every_injection(
    bench: TaskBench, allowed: TaskBench, site: Pages, page: str, world: str  # noqa: F811
) -> None:
    for each in (bench, allowed):
        opened = each.browser.open(site.url(page))
        failing_positions(each, opened.id, world)
        opened.close()


def test_the_isolated_world_does_not_see_what_the_page_has_defined(bench: TaskBench, allowed: TaskBench, site: Pages) -> None:  # noqa: F811
    for each in (bench, allowed):
        opened = each.browser.open(site.url("/plain"))
        opened.evaluate("window.secret = 5")
        assert each.value("return [typeof secret, document.title]", opened.id, world="isolated") == ["undefined", "Plain"]
        assert each.value("return secret", opened.id, world="main") == 5
        opened.close()


def test_the_debugger_is_let_go_as_soon_as_the_script_runs_by_itself(bench: TaskBench, site: Pages) -> None:  # noqa: F811
    opened = bench.browser.open(site.url("/csp"))
    params = bench.start("while (!window.letGo) await any.sleep(10); return 1", opened.id)
    bench.wait_running(params)
    ours = "chrome.debugger.getTargets().then(all => all.filter(t => t.tabId === %d).map(t => t.attached))" % opened.id
    # the test itself is attached from outside; what matters is that the extension can attach once more
    again = f"chrome.debugger.attach({{tabId: {opened.id}}}, '1.3').then(() => chrome.debugger.detach({{tabId: {opened.id}}})).then(() => 'free', e => e.message)"
    assert eventually(lambda: bench.browser.worker(again) == "free", 15, "the debugger is free")
    assert bench.browser.worker(ours)
    assert not bench.ends(params["task"])
    opened.evaluate("window.letGo = true")
    assert bench.end(params)["value"] == 1
    opened.close()


def test_a_page_sandboxed_without_scripts_has_no_way_into_its_main_world(bench: TaskBench, site: Pages) -> None:  # noqa: F811
    opened = bench.browser.open(site.url("/sandboxed"))
    error = bench.error("return 1", opened.id)
    assert error["name"] == "WorldUnavailableError"
    assert "sandboxed" in error["message"] and "isolated" in error["message"]
    assert error["started"] is False
    opened.close()


@pytest.mark.parametrize(
    "url",
    ["chrome://version/", "view-source:{plain}", "chrome-extension://{id}/popup.html", "about:blank", "data:text/html,x", "{pdf}", "{error}", "{empty}"],
)
def test_where_no_extension_may_go_the_error_comes_before_anything_runs_and_lists_the_ordinary_tabs(
    bench: TaskBench, browser: Chromium, site: Pages, tab: Tab, url: str  # noqa: F811
) -> None:
    address = url.format(plain=site.url("/plain"), id="fiboagademobpcbeeblkmghchapdlnjd", pdf=site.url("/pdf"), error="http://127.0.0.1:1/", empty=site.url("/empty-500"))
    opened = browser.worker(f"chrome.tabs.create({{url: {address!r}, active: false}}).then(t => t.id)")
    eventually(lambda: browser.worker(f"chrome.tabs.get({opened}).then(t => t.status)") == "complete", 10)
    error = bench.error("return 1", opened, timeout_ms=8000)
    assert error["name"] == "ForbiddenPageError", error
    assert error["started"] is False
    listed: list[dict[str, Any]] = error["tabs"]
    assert tab.id in [each["id"] for each in listed]
    assert all(each["url"].startswith("http") for each in listed)
    browser.worker(f"chrome.tabs.remove({opened})")


def test_every_frame_gives_one_entry_in_order_also_those_of_other_sites(bench: TaskBench, allowed: TaskBench, site: Pages) -> None:  # noqa: F811
    for each in (bench, allowed):
        for page, world in (("/frames", "main"), ("/frames", "isolated"), ("/frames-csp", "main")):
            opened = each.browser.open(site.url(page))
            end = each.run("return [location.pathname, window === top]", opened.id, frame="all", world=world)
            assert end["outcome"] == "value", end.get("error")
            first, *others = end["value"]
            assert first == [page, True]
            assert len(others) == 2 and all(other[1] is False for other in others)
            opened.close()


def test_the_debugger_finds_each_of_many_frames_that_are_placed_at_once(bench: TaskBench, site: Pages) -> None:  # noqa: F811
    opened = bench.browser.open(site.url("/many-frames-csp"))
    for world in ("main", "isolated"):
        end = bench.run("return location.host", opened.id, frame="all", world=world)
        assert end["outcome"] == "value" and end["injection"] == "debugger", end.get("error")
        hosts = [site.url("").split("/")[2]] * 4 + [site.other("").split("/")[2]] * 3
        assert sorted(end["value"]) == sorted(hosts)
    opened.close()


def test_a_frame_is_chosen_by_its_id_or_its_address(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/frames"))
    assert bench.value("return location.href", opened.id, frame={"url": "http://localhost/*"}) == site.other("/third")
    number = browser.worker(
        f"chrome.webNavigation.getAllFrames({{tabId: {opened.id}}}).then(all => all.find(f => f.url.endsWith('/second')).frameId)"
    )
    assert bench.value("return location.pathname", opened.id, frame=number) == "/second"
    missing = bench.error("return 1", opened.id, frame={"url": "https://nowhere.example/*"})
    assert missing["name"] == "FrameNotFoundError" and "/second" in missing["message"]
    assert bench.error("return 1", opened.id, frame=999999)["name"] == "FrameNotFoundError"
    opened.close()


def test_a_frame_that_fails_fails_the_task_and_is_named(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/frames"))
    error = bench.error("if (location.pathname === '/third') throw new Error('no'); return 1", opened.id, frame="all")
    assert error["name"] == "ScriptError" and site.other("/third") in error["message"]
    opened.close()


def test_frames_in_which_no_script_may_run_take_no_part(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    opened = browser.open(site.url("/frames-sandboxed"))
    assert bench.value("return location.pathname", opened.id, frame="all") == ["/frames-sandboxed", "/third"]
    opened.close()
