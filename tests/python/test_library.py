"""The library in a real browser, through a real daemon."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from chromium import Chromium, eventually
from daemon import Daemon

import anytab
from anytab import (
    AsyncBrowser,
    Browser,
    CancelledError,
    ConflictError,
    ForbiddenPageError,
    NoBrowserError,
    NotFoundError,
    NotSerializableError,
    ScriptError,
    TabNotFoundError,
    WaitTimeoutError,
)

FOREVER = "await new Promise(() => {})"


@pytest.fixture
def shop(daemon: Daemon, browser: Chromium) -> Iterator[str]:
    """The shop, open in a tab of its own, at an address that no task opens: a task's tab may close after its result."""
    url = f"{daemon.pages}/shop.html?mine"
    tab = browser.open(url)
    yield url
    tab.close()


def here(daemon: Daemon, page: str = "shop.html") -> Any:
    return {"open": f"{daemon.pages}/{page}"}


def test_a_script_runs_in_the_tab_one_looks_at(b: Browser, shop: str) -> None:
    assert b.run("return document.title") == "The Paper Shop"


def test_args_reach_the_script_and_values_come_back_as_they_were(b: Browser, daemon: Daemon) -> None:
    value = {"a": [1, 2.5, None, True, "é\u2028"], "__proto__": {"x": 1}}
    assert b.run("return args", args=value, tab=here(daemon)) == value


def test_a_script_that_returns_nothing_gives_none(b: Browser, daemon: Daemon) -> None:
    task = b.submit("const x = 1", tab=here(daemon))
    assert task.result(timeout=30) is None
    assert task.record().result_type == "undefined"


def test_every_field_of_a_request_is_told_to_the_daemon(b: Browser, daemon: Daemon) -> None:
    task = b.submit(
        "return [document.title, args]",
        args=3,
        id="every-field",
        file="mine.js",
        browser=b.browsers()[0].id,
        tab={"open": f"{daemon.pages}/shop.html", "background": True, "keep": False},
        frame="all",
        world="main",
        timeout=20,
        queue_timeout=None,
        retries=1,
        priority=5,
        labels={"kind": "test"},
    )
    assert task.result(timeout=30) == [["The Paper Shop", 3]]
    raw = task.record().raw
    told = {key: raw[key] for key in ("id", "file", "frame", "world", "timeout", "queue_timeout", "retries", "priority", "labels")}
    assert told == {
        "id": "every-field",
        "file": "mine.js",
        "frame": "all",
        "world": "main",
        "timeout": 20,
        "queue_timeout": None,
        "retries": 1,
        "priority": 5,
        "labels": {"kind": "test"},
    }
    assert [record.id for record in b.tasks(label="kind:test")] == ["every-field"]


def test_the_scripts_own_error_is_raised_with_its_stack_in_its_file(b: Browser, daemon: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "broken.js"
    path.write_text("const go = () => {\n  throw new RangeError('too far')\n}\ngo()\n")
    with pytest.raises(ScriptError, match="RangeError: too far") as caught:
        b.run(path, tab=here(daemon))
    error = caught.value
    assert (error.thrown, error.file, error.line) == ("RangeError", "broken.js", 2)
    assert "broken.js:2" in str(error) and "broken.js:4" in str(error)
    assert error.record is not None and error.record.state == "failed"


def test_what_json_cannot_carry_is_named_by_its_path(b: Browser, daemon: Daemon) -> None:
    with pytest.raises(NotSerializableError) as caught:
        b.run("return {a: [1, 10n]}", tab=here(daemon))
    assert caught.value.path is not None and "a" in caught.value.path


def test_an_infrastructure_failure_has_a_class_of_its_own_and_lists_the_tabs(b: Browser, shop: str) -> None:
    with pytest.raises(TabNotFoundError) as caught:
        b.run("return 1", tab={"url": "https://nowhere.example/*"})
    assert any(shop in str(tab) for tab in caught.value.tabs)


def test_a_page_chrome_guards_is_forbidden(b: Browser, browser: Chromium) -> None:
    tab = browser.open("chrome://version")
    try:
        with pytest.raises(ForbiddenPageError):
            b.run("return 1", tab=tab.id)
    finally:
        tab.close()


def test_events_tell_the_whole_story_in_order(b: Browser, daemon: Daemon) -> None:
    task = b.submit(
        "any.progress({n: 1}); console.warn('careful'); await any.sleep(10); any.progress({n: 2}); return 3", tab=here(daemon)
    )
    events = list(task.events())
    kinds = [event.kind for event in events if event.kind != "waiting"]
    assert kinds[0] == "queued" and kinds[-1] == "end"
    assert kinds.index("dispatched") < kinds.index("started") < kinds.index("progress")
    assert [event["value"] for event in events if event.kind == "progress"] == [{"n": 1}, {"n": 2}]
    assert [event["text"] for event in events if event.kind == "console"] == ["careful"]
    assert events[-1]["state"] == "completed"
    seqs = [event.seq for event in events if event.kind != "waiting"]
    assert seqs == list(range(1, len(seqs) + 1))
    # Also afterwards, and as often as one likes.
    assert [event.seq for event in task.events() if event.kind != "waiting"] == seqs


def test_events_can_be_left_early(b: Browser, daemon: Daemon) -> None:
    task = b.submit("any.progress(1); " + FOREVER, tab=here(daemon))
    for event in task.events():
        if event.kind == "progress":
            break
    task.cancel()
    assert task.wait(timeout=30).state == "cancelled"


def test_waiting_has_an_end_and_the_task_goes_on(b: Browser, daemon: Daemon) -> None:
    task = b.submit(FOREVER, tab=here(daemon), timeout=None)
    began = time.monotonic()
    with pytest.raises(WaitTimeoutError, match=task.id) as caught:
        task.result(timeout=0.5)
    assert 0.4 < time.monotonic() - began < 5
    assert caught.value.record is not None and not caught.value.record.done
    task.cancel()
    assert task.wait(timeout=30).state == "cancelled"


def test_a_cancelled_task_raises_so_and_can_be_cancelled_again(b: Browser, daemon: Daemon) -> None:
    task = b.submit(FOREVER, tab=here(daemon))
    task.cancel()
    with pytest.raises(CancelledError):
        task.result(timeout=30)
    assert task.cancel().state == "cancelled"
    assert [record.id for record in b.tasks(state="cancelled", limit=1)] == [task.id]


def test_what_has_ended_well_cannot_be_cancelled(b: Browser, daemon: Daemon) -> None:
    task = b.submit("return 1", tab=here(daemon))
    task.result(timeout=30)
    with pytest.raises(ConflictError):
        task.cancel()


def test_the_tasks_own_timeout_is_an_error_of_the_task(b: Browser, daemon: Daemon) -> None:
    with pytest.raises(anytab.TimeoutError):
        b.run(FOREVER, tab=here(daemon), timeout=0.3)


def test_a_task_is_found_again_by_its_id(b: Browser, daemon: Daemon) -> None:
    ident = b.submit("return 'kept'", tab=here(daemon)).id
    with Browser(daemon.url) as other:
        assert other.task(ident).result(timeout=30) == "kept"
    with pytest.raises(NotFoundError):
        b.task("never-heard-of").result(timeout=5)


def test_the_same_id_twice_is_the_same_task(b: Browser, daemon: Daemon) -> None:
    tab = here(daemon)
    first = b.submit("return Math.random()", id="once", tab=tab).result(timeout=30)
    assert b.submit("return Math.random()", id="once", tab=tab).result(timeout=30) == first
    with pytest.raises(ConflictError):
        b.submit("return 2", id="once", tab=tab)


def test_tabs_and_browsers_are_listed(b: Browser, shop: str) -> None:
    (browser,) = b.browsers()
    assert browser.linked and "Chrom" in browser.product
    (tab,) = [tab for tab in b.tabs() if tab.url == shop]
    assert tab.title == "The Paper Shop" and tab.browser == browser.id
    assert b.run("return location.href", tab=tab.id) == shop


def test_any_function_of_chrome_can_be_called(b: Browser, shop: str) -> None:
    tabs = b.chrome("tabs.query", {"url": shop})
    assert [tab["title"] for tab in tabs] == ["The Paper Shop"]
    with pytest.raises(anytab.AnyError):
        b.chrome("tabs.noSuchFunction")


def test_a_browser_keeps_the_label_it_is_given(b: Browser, daemon: Daemon) -> None:
    browser = b.wait_for_browser(timeout=5)
    assert b.label(browser.id, "work").label == "work"
    assert b.run("return 1", browser="work", tab=here(daemon)) == 1


def test_the_log_tells_of_a_task_that_failed_and_of_the_browser_it_ran_in(b: Browser, daemon: Daemon) -> None:
    task = b.submit("throw new Error('for the log')", tab=here(daemon))
    browser = task.wait(timeout=30).browser

    def told() -> bool:
        lines = [line for line in b.logs(limit=500) if line.task == task.id]
        return any("for the log" in line.text and line.browser == browser for line in lines)

    eventually(told, 10, "the log speaks of the task")


def test_without_a_browser_a_task_waits_no_longer_than_it_was_told(lone: Daemon) -> None:
    with Browser(lone.url) as b:
        with pytest.raises(NoBrowserError):
            b.run("return 1", queue_timeout=0)
        with pytest.raises(NoBrowserError):
            b.wait_for_browser(timeout=0.2)
        task = b.submit("return 1", queue_timeout=None)
        with pytest.raises(WaitTimeoutError, match="waiting for a browser"):
            task.result(timeout=0.3)
        task.cancel()


def test_a_long_list_of_tasks_comes_in_pages(lone: Daemon) -> None:
    async def fill() -> None:
        async with AsyncBrowser(lone.url) as b:
            await asyncio.gather(*(b.submit("return 1", id=f"t{n}", queue_timeout=None) for n in range(450)))

    asyncio.run(fill())
    with Browser(lone.url) as b:
        everything = b.tasks(limit=None)
        assert {record.id for record in everything} == {f"t{n}" for n in range(450)}
        assert len(b.tasks(limit=210)) == 210
        assert [r.id for r in b.tasks(limit=210)] == [r.id for r in everything[:210]]


def test_many_tasks_run_at_once_over_one_connection(daemon: Daemon, browser: Chromium) -> None:
    async def main() -> list[Any]:
        async with AsyncBrowser(daemon.url) as b:
            tasks = [await b.submit("await any.sleep(50); return args", args=n, tab=here(daemon)) for n in range(8)]
            return [await task for task in tasks]

    assert asyncio.run(main()) == list(range(8))


def test_awaited_events_end_with_the_task(daemon: Daemon, browser: Chromium) -> None:
    async def main() -> list[str]:
        async with AsyncBrowser(daemon.url) as b:
            task = await b.submit("any.progress(1); return 2", tab=here(daemon))
            kinds = [event.kind async for event in task.events()]
            assert await task == 2
            return kinds

    kinds = asyncio.run(main())
    assert "progress" in kinds and kinds[-1] == "end"


def test_an_interrupted_run_cancels_its_task(daemon: Daemon, browser: Chromium) -> None:
    async def main() -> str:
        async with AsyncBrowser(daemon.url) as b:
            running = asyncio.ensure_future(b.run(FOREVER, id="interrupted", tab=here(daemon), timeout=None))
            task = b.task("interrupted")
            while True:
                try:
                    if (await task.record()).state == "running":
                        break
                except NotFoundError:
                    pass
                await asyncio.sleep(0.02)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            return (await task.wait(timeout=30)).state

    assert asyncio.run(main()) == "cancelled"


def test_threads_share_one_browser(b: Browser, daemon: Daemon) -> None:
    results: dict[int, Any] = {}

    def work(number: int) -> None:
        results[number] = b.run("return args * 2", args=number, tab=here(daemon))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == {0: 0, 1: 2, 2: 4, 3: 6}
