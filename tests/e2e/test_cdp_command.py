"""`any cdp`: one command of the protocol, or the events that follow it, in a real Chromium."""

from __future__ import annotations

import json
import signal
import time

import pytest

from chromium import Chromium, eventually
from daemon import Daemon
from pages import Pages


def attached(daemon: Daemon) -> dict[str, int]:
    return daemon.health()["cdp"]


def test_a_command_of_the_browser_is_printed_as_json(cli) -> None:
    done = cli("cdp", "Browser.getVersion")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["product"].startswith("Chrome/")


@pytest.mark.parametrize("which", ["id", "active", "pattern"])
def test_a_command_reaches_the_page_of_the_tab_that_is_named(cli, browser: Chromium, site: Pages, which: str) -> None:
    tab = browser.open(site.url("/second"))
    tab.call("Page.bringToFront")
    eventually(lambda: browser.worker(f"chrome.tabs.get({tab.id}).then(t => t.active && t.status)") == "complete", 10)
    name = {"id": tab.id, "active": "active", "pattern": site.url("/second") + "*"}[which]
    done = cli("cdp", "Runtime.evaluate", '{"expression": "({title: document.title, a: 1})", "returnByValue": true}', "--tab", name)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"]["value"] == {"title": "Second", "a": 1}
    tab.close()


def test_what_it_has_switched_on_ends_with_it(cli, daemon: Daemon, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    assert cli("cdp", "Network.enable", "--tab", tab.id).returncode == 0
    eventually(lambda: attached(daemon) == {"clients": 0, "sessions": 0, "attached": 0}, 10, "nothing stays attached")
    tab.close()


def test_two_at_once_in_one_tab_get_their_own_answers(cli, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    ask = '{"expression": "new Promise(done => setTimeout(() => done(%d), 300))", "awaitPromise": true}'
    running = [cli.start("cdp", "Runtime.evaluate", ask % number, "--tab", tab.id) for number in (1, 2)]
    said = [json.loads(each.communicate(timeout=30)[0])["result"]["value"] for each in running]
    assert said == [1, 2]
    tab.close()


def test_a_tab_that_closes_before_it_answers_is_exit_6(cli, daemon: Daemon, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    asking = cli.start("cdp", "Runtime.evaluate", '{"expression": "new Promise(() => {})", "awaitPromise": true}', "--tab", tab.id)
    eventually(lambda: attached(daemon)["attached"] == 1, 20)
    tab.close()
    _, err = asking.communicate(timeout=20)
    assert asking.returncode == 6 and "TabClosedError" in err and "may or may not" in err, err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["Page.navigate", "{"], 2, "JSON object"),
        (["Page.navigate", "[1]"], 2, "JSON object"),
        (["navigate"], 2, "no CDP method"),
        (["Page.reload"], 1, "needs one"),
        (["Page.reload", "--tab", "987654"], 6, "any tabs"),
        (["Page.reload", "--tab", "https://nowhere.example/*"], 6, "any tabs"),
        (["Browser.getVersion", "--browser", "nobody"], 8, "any browsers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_named_with_its_next_step(cli, words: list[str], code: int, says: str) -> None:
    done = cli("cdp", *words)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert says in done.stderr


def test_chromes_own_error_is_exit_1_in_its_words(cli, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    done = cli("cdp", "DOM.describeNode", '{"nodeId": 12345}', "--tab", tab.id)
    assert done.returncode == 1 and "Could not find node" in done.stderr
    done = cli("cdp", "Page.navigate", "--tab", tab.id)
    assert done.returncode == 1 and "Invalid parameters" in done.stderr
    tab.close()


def test_an_answer_that_does_not_come_in_time_is_exit_4(cli, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    done = cli("cdp", "Runtime.evaluate", '{"expression": "new Promise(() => {})", "awaitPromise": true}', "--tab", tab.id, "--timeout", 1)
    assert done.returncode == 4 and "may or may not" in done.stderr
    tab.close()


def test_without_a_browser_it_says_how_to_get_one(lonely_cli) -> None:
    done = lonely_cli("cdp", "Browser.getVersion")
    assert done.returncode == 3 and "any launch" in done.stderr


def test_events_are_printed_one_a_line_until_there_are_enough(cli, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    watching = cli.start("cdp", "Network.enable", "--tab", tab.id, "--events", "Network.requestWillBeSent", "--count", 2, "--for", 30)
    eventually(lambda: tab.glance("fetch('/count/watched').then(() => true)") and watching.poll() is not None, 20, "two requests were seen")
    out, err = watching.communicate(timeout=10)
    assert watching.returncode == 0, err
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["method"] for event in events] == ["Network.requestWillBeSent"] * 2
    assert all("/count/watched" in event["params"]["request"]["url"] for event in events)
    tab.close()


def test_ctrl_c_ends_the_watching_in_order_and_leaves_nothing_attached(cli, daemon: Daemon, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    watching = cli.start("cdp", "Page.enable", "--tab", tab.id, "--events", "Page.*")
    eventually(lambda: attached(daemon)["attached"] == 1, 20)
    watching.send_signal(signal.SIGINT)
    assert watching.wait(10) == 0
    eventually(lambda: attached(daemon) == {"clients": 0, "sessions": 0, "attached": 0}, 10)
    tab.close()


def test_a_tab_that_closes_ends_the_watching_and_says_so(cli, daemon: Daemon, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    watching = cli.start("cdp", "Page.enable", "--tab", tab.id, "--events", "*")
    eventually(lambda: attached(daemon)["attached"] == 1, 20)
    began = time.monotonic()
    tab.close()
    _, err = watching.communicate(timeout=20)
    assert watching.returncode == 6 and "target closed" in err, err
    assert time.monotonic() - began < 10
