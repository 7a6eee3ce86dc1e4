"""Things die under load; every accepted task still ends once, and no script runs twice in one attempt."""

from __future__ import annotations

import time

import pytest
from chromium import Chromium, eventually
from daemon import Daemon
from harness import Amid, Load, Rest, counting, ran_once_an_attempt
from pages import Pages
from proxy import Wire


def test_the_daemon_killed_under_load_loses_and_doubles_nothing(load: Load, daemon: Daemon, browser: Chromium) -> None:
    with load:
        for accepted in (10, 25, 40):
            load.until_accepted(accepted)
            daemon.kill9()
            daemon.start()
        load.until_accepted(50)
    load.settle()
    tally = load.check()
    assert tally.get("", 0) == len(load.accepted), f"the browser lived, so all should have completed: {tally}"


def test_the_worker_killed_under_load_loses_and_doubles_nothing(load: Load, daemon: Daemon, browser: Chromium) -> None:
    with load:
        for accepted in (10, 20, 30, 40):
            load.until_accepted(accepted)
            browser.kill_worker()
        load.until_accepted(50)
    load.settle()
    tally = load.check()
    assert tally.get("", 0) == len(load.accepted), tally


def test_the_offscreen_document_closed_under_load_doubles_nothing(load: Load, browser: Chromium) -> None:
    with load:
        load.until_accepted(15)
        browser.close_offscreen()
        load.until_accepted(40)
    load.settle()
    tally = load.check()
    assert set(tally) <= {"", "BrowserLostError"}, tally


def test_the_browser_killed_under_load_ends_each_task_once(load: Load, daemon: Daemon, browser: Chromium) -> None:
    with load:
        load.until_accepted(15)
        browser.kill()
        browser.start()
        load.until_accepted(40)
    load.settle()
    tally = load.check()
    assert set(tally) <= {"", "BrowserLostError"}, tally
    assert tally.get("", 0) >= 15


def test_the_extension_reloaded_under_load_ends_each_task_once(load: Load, browser: Chromium) -> None:
    with load:
        load.until_accepted(15)
        browser.reload_extension()
        load.until_accepted(40)
    load.settle()
    tally = load.check()
    assert set(tally) <= {"", "BrowserLostError"}, tally
    assert tally.get("", 0) >= 15


@pytest.mark.waits
def test_results_that_were_ready_during_a_cut_of_a_minute_arrive_after_it(daemon: Daemon, site: Pages, tmp_path) -> None:
    wire = Wire(daemon.port)
    rest = Rest(daemon.url)
    with Chromium(daemon=wire.url):
        daemon.wait_for_browser()
        load = Load(rest, site.url("/plain"), site.count, "cut", work="await any.sleep(2000); return args.key", fields={"timeout": 60, "queue_timeout": None})
        with load:
            load.until_accepted(10)
            eventually(lambda: site.count("cut-5") == 1, 60, "the fifth task to run")
            wire.cut()
            cut_at = time.monotonic()
            load.until_accepted(20)
        # The minute itself is what is tested: nothing else can stand for it.
        time.sleep(max(0.0, 60 - (time.monotonic() - cut_at)))
        wire.heal()
        load.settle()
    wire.close()
    tally = load.check()
    assert tally == {"": len(load.accepted)}, tally


@pytest.mark.waits
def test_a_task_whose_browser_stays_away_ends_as_BrowserLostError(rest: Rest, daemon: Daemon, browser: Chromium, site: Pages) -> None:
    rest.submit(counting("await any.sleep(600000)"), id="gone", args={"key": "gone"}, tab={"open": site.url("/plain")}, timeout=None)
    rest.until_state("gone", "running")
    eventually(lambda: site.count("gone") == 1, 20, "it runs")
    browser.kill()
    record = rest.end("gone", timeout=120)
    assert ran_once_an_attempt(rest, site.count, record) == len(record["attempts"]) == 1
    assert record["error"]["name"] == "BrowserLostError"
    assert record["state"] == "failed"


def test_a_renderer_killed_under_a_script_ends_it_as_PageCrashedError(amid: Amid, browser: Chromium, site: Pages) -> None:
    with amid:
        tab = browser.open(site.url("/plain"))
        amid.start("crash", tab)
        tab.kill_renderer()
        record = amid.end("crash")
    assert record["error"]["name"] == "PageCrashedError", record["error"]


def test_with_retries_a_crashed_page_is_revived_and_the_second_attempt_completes(amid: Amid, browser: Chromium, site: Pages) -> None:
    script = "const n = await (await fetch('/count/revived-number')).text(); if (n == 1) await any.sleep(60000); return 'second'"
    with amid:
        tab = browser.open(site.url("/plain"))
        amid.start("revived", tab, script, retries=1)
        eventually(lambda: site.count("revived-number") == 1, 20, "the first attempt knows that it is the first")
        tab.kill_renderer()
        record = amid.end("revived", 60, attempts=2)
    assert (record["state"], record["result"]) == ("completed", "second"), record["error"]
    assert record["attempts"][0]["error"]["name"] == "PageCrashedError"


def test_a_crawl_goes_on_where_it_was_when_the_daemon_dies_in_its_middle(rest: Rest, daemon: Daemon, browser: Chromium, site: Pages) -> None:
    script = """
    const seen = [...(any.state ?? []), location.search];
    await fetch('/count/hop' + seen.length);
    await any.sleep(200);
    return seen.length < 12 ? any.next('/plain?hop=' + seen.length, seen) : seen.length;
    """
    rest.submit(script, id="crawl", tab={"open": site.url("/plain")}, timeout=30)
    for hop in (3, 7):
        eventually(lambda: site.count(f"hop{hop}") == 1, timeout=20)
        daemon.kill9()
        daemon.start()
    record = rest.end("crawl", timeout=60)
    assert (record["state"], record["result"]) == ("completed", 12), record["error"]
    assert [site.count(f"hop{n}") for n in range(1, 13)] == [1] * 12
    assert [event["kind"] for event in rest.events("crawl")].count("end") == 1
