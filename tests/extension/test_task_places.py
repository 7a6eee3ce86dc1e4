"""Scripts in places of their own: an incognito tab, a file, the web store, a tab with another daemon's task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chromium import Chromium, eventually
from tests.support.link_daemon import LinkDaemon, LinkedBrowser
from tests.support.pages import Pages
from tests.support.task_fixtures import bench, browser, site, tab  # noqa: F401
from tests.support.tasks import TaskBench


@pytest.fixture
def switched(browser: Chromium) -> Iterator[Chromium]:  # noqa: F811
    yield browser
    browser.set_switches(incognito=False, file_urls=True)  # the extension reloads itself
    browser.wait_extension()


def test_a_script_runs_in_an_incognito_tab_once_the_person_allows_it(switched: Chromium, site: Pages) -> None:  # noqa: F811
    switched.wait_extension()
    switched.set_switches(incognito=True)
    bench = TaskBench(switched)
    made = switched.worker(f"chrome.windows.create({{ incognito: true, url: {site.url('/plain')!r} }})")
    tab = made["tabs"][0]
    assert tab["incognito"] is True
    eventually(lambda: switched.worker(f"chrome.tabs.get({tab['id']})")["status"] == "complete", 10, "the page is there")
    assert bench.value("return document.title", tab["id"]) == "Plain"
    switched.worker(f"chrome.windows.remove({made['id']})")


def test_a_script_runs_in_a_file_as_long_as_the_person_allows_files(switched: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<title>From a file</title>")
    opened = switched.open(page.as_uri())
    assert TaskBench(switched).value("return document.title", opened.id) == "From a file"
    switched.set_switches(file_urls=False)
    error = TaskBench(switched).error("return document.title", opened.id)
    assert (error["name"], error["started"]) == ("ForbiddenPageError", False)
    assert "file" in error["message"]
    opened.close()


@pytest.mark.parametrize("url", ["https://chromewebstore.google.com/", "https://chrome.google.com/webstore/category/extensions"])
def test_the_web_store_is_refused_by_its_address_before_a_tab_is_opened(browser: Chromium, url: str) -> None:  # noqa: F811
    bench = TaskBench(browser)
    before = len(browser.worker("chrome.tabs.query({})"))
    error = bench.error("return 1", {"open": url})
    assert (error["name"], error["started"]) == ("ForbiddenPageError", False)
    assert "web store" in error["message"].lower()
    assert len(browser.worker("chrome.tabs.query({})")) == before


@pytest.mark.parametrize("world", ["main", "isolated"])
def test_a_site_that_site_access_does_not_cover_is_named_with_the_switch(switched: Chromium, site: Pages, world: str) -> None:  # noqa: F811
    bench, inside, outside = TaskBench(switched), switched.open(site.url("/plain")), switched.open(site.other("/second"))
    tabs = [inside.id, outside.id]
    switched.set_site_access("ON_CLICK")
    try:
        errors = [bench.error("return 1", tab, world=world, timeout_ms=10_000) for tab in tabs]
        assert [(error["name"], error["started"]) for error in errors] == [("ForbiddenPageError", False)] * 2
        assert all("Site access" in error["message"] and "chrome://extensions" in error["message"] for error in errors)
        assert site.url("") in errors[0]["message"]
        switched.set_site_access("ON_SPECIFIC_SITES", "http://127.0.0.1/*")
        assert bench.value("return document.title", tabs[0], world=world) == "Plain"
        assert site.other("") in bench.error("return 1", tabs[1], world=world)["message"]
    finally:
        switched.set_site_access("ON_ALL_SITES")
    assert bench.value("return document.title", tabs[1], world=world) == "Second"
    for opened in (inside, outside):
        opened.close()


def test_javascript_that_is_switched_off_for_a_site_is_named_and_other_worlds_run(browser: Chromium, site: Pages) -> None:  # noqa: F811
    bench = TaskBench(browser)
    browser.worker("chrome.contentSettings.javascript.set({primaryPattern: 'http://127.0.0.1:*/*', setting: 'block'})")
    try:
        opened = browser.open(site.url("/plain"))
        where = opened.id
        error = bench.error("return 1", where)
        assert (error["name"], error["started"]) == ("WorldUnavailableError", False)
        assert "JavaScript is switched off" in error["message"] and "chrome://settings/content/javascript" in error["message"]
        assert bench.value("return document.title", where, world="isolated") == "Plain"
    finally:
        browser.worker("chrome.contentSettings.javascript.clear({})")
    opened.close()


def test_two_daemons_tasks_at_once_in_one_tab_each_end_at_their_own_daemon(site: Pages) -> None:  # noqa: F811
    def start(link: LinkedBrowser, task: str, tab: int, script: str) -> None:
        common = {"attempt": 1, "hop": 0, "frame": "main", "world": "main", "timeout_ms": 20_000, "file": "x.js", "avoid": []}
        answer = link.request("task.start", {**common, "task": task, "tab": tab, "args": None, "state": None, "script": script})
        assert answer["accepted"]

    with LinkDaemon() as one, LinkDaemon() as two, Chromium([one.address, two.address]) as chromium:
        first, second = one.wait_link(), two.wait_link()
        opened = chromium.open(site.url("/plain"))
        tab = opened.id
        start(first, "a", tab, "while (!window.letGo) await any.sleep(10); any.progress('a'); return 'first'")
        start(second, "b", tab, "any.progress('b'); return 'second'")
        assert second.wait_for("task.finish")["value"] == "second"
        assert not first.heard("task.finish"), "the first still runs"
        opened.evaluate("window.letGo = true")
        assert first.wait_for("task.finish")["value"] == "first"
        assert [said["value"] for said in first.heard("task.event")] == ["a"]
        assert [said["value"] for said in second.heard("task.event")] == ["b"]
        assert [said["task"] for said in first.heard("task.finish")] == ["a"]
        assert [said["task"] for said in second.heard("task.finish")] == ["b"]
