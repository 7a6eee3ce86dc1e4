"""What the extension keeps has an end: of tasks, programs and daemons that are over nothing is left, in storage or in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chromium import Chromium, eventually
from tests.support.link_daemon import LinkDaemon, LinkedBrowser, RpcError
from tests.support.pages import Pages

EMPTY = "chrome.storage.session.get(null).then(all => chrome.storage.session.remove(Object.keys(all).filter(key => key.startsWith('filler'))))"


@pytest.fixture(scope="module")
def site() -> Iterator[Pages]:
    with Pages() as pages:
        yield pages


@pytest.fixture
def daemon() -> Iterator[LinkDaemon]:
    with LinkDaemon() as running:
        yield running


@pytest.fixture
def browser(daemon: LinkDaemon) -> Iterator[Chromium]:
    with Chromium(daemon.address) as running:
        yield running


def fill_session_storage(browser: Chromium) -> None:
    quota = browser.worker("chrome.storage.session.QUOTA_BYTES")
    for number in range(100):
        left = quota - browser.worker("chrome.storage.session.getBytesInUse()")
        if left < 16:
            return
        key = f"filler {number:03}"
        browser.worker(f"chrome.storage.session.set({{ {json.dumps(key)}: 'x'.repeat({min(left - len(key) - 2, 4 << 20)}) }})")
    raise AssertionError("session storage is never full")


def session_storage(browser: Chromium) -> dict[str, Any]:
    """All of it but how this run of the extension began, which is one word."""
    found = browser.worker("chrome.storage.session.get(null)")
    return {key: value for key, value in found.items() if key != "loaded"}


def instances(browser: Chromium, module: str, name: str, of_each: str = "true") -> list[Any]:
    """`of_each` (an expression over `it`) of every living object of that class in the offscreen document."""
    target = browser._extension_target("offscreen")
    assert target
    with browser.cdp.attached(target) as session:
        expression = f"import(chrome.runtime.getURL({json.dumps(module)})).then(module => module.{name}.prototype)"
        made = browser.cdp.call("Runtime.evaluate", session, expression=expression, awaitPromise=True)
        found = browser.cdp.call("Runtime.queryObjects", session, prototypeObjectId=made["result"]["objectId"])
        function = f"function() {{ return this.map(it => {of_each}) }}"
        answer = browser.cdp.call("Runtime.callFunctionOn", session, objectId=found["objects"]["objectId"], functionDeclaration=function, returnByValue=True)
        return list(answer["result"]["value"])


def tabs(link: LinkedBrowser) -> list[int]:
    return [tab["id"] for tab in link.request("chrome.call", {"path": "tabs.query", "args": [{}]})["value"]]


def test_of_many_tasks_and_programs_that_are_over_nothing_is_left(daemon: LinkDaemon, browser: Chromium, site: Pages) -> None:
    link = daemon.wait_link()
    before = tabs(link)
    plain = browser.open(site.url("/plain"))
    strict = browser.open(site.url("/many-frames-csp"))
    tasks = []
    for number in range(40):
        opening = {"open": site.url("/plain" if number % 2 else "/frames"), "keep": number % 8 == 7}
        tasks.append(link.post("task.start", start(f"open-{number}", opening, "return document.title" if number % 3 else "throw new Error('no')")))
    for number in range(0, 40, 5):
        link.post("task.cancel", {"task": f"open-{number}", "attempt": 1, "hop": 0, "error": {"name": "CancelledError", "message": "enough"}})
    for number in range(30):
        link.run("return args", plain.id, args="x" * 10_000)
        if number % 10 == 0:
            link.run("return 1", strict.id, frame="all")
    for answer in tasks:
        answer.result(60)
    eventually(lambda: len({said["task"] for said in link.heard("task.finish") if said["task"].startswith("open-")}) == 40, 60)
    for _ in range(3):
        link.request("chrome.subscribe", {"path": "tabs.onMoved"})
        link.request("debugger.attach", {"tab": plain.id})
        link.request("debugger.follow", {"tab": plain.id, "on": True, "commands": []})
        link.request("debugger.detach", {"tab": plain.id})
        link.request("chrome.unsubscribe", {"path": "tabs.onMoved"})
    followed = browser.open(site.url("/plain"))
    link.request("debugger.follow", {"tab": followed.id, "on": True, "commands": []})
    link.request("debugger.follow", {"tab": plain.id, "on": False})
    followed.close()
    eventually(lambda: len(tabs(link)) == len(before) + 2 + 5, 15, "all tabs but those that were to be kept are closed")
    for tab in set(tabs(link)) - {*before, plain.id, strict.id}:
        link.request("chrome.call", {"path": "tabs.remove", "args": [tab]})
    eventually(lambda: session_storage(browser) == {}, 10, "session storage is empty")
    assert browser.stored("outbox") == []
    eventually(lambda: instances(browser, "task/run.js", "Run") == [], 10, "no run is left")
    eventually(lambda: len(instances(browser, "task/relays.js", "Relay")) <= 1 + 7, 10, "there is a relay for each frame that is there")
    assert instances(browser, "link/worker_client.js", "WorkerClient", "it.pending.size") == [0]
    eventually(lambda: not browser.worker("chrome.webNavigation.onErrorOccurred.hasListeners()"), 10, "nobody watches for failures")


def start(task: str, tab: Any, script: str) -> dict[str, Any]:
    rest = {"frame": "main", "world": "main", "timeout_ms": 60_000, "file": "a.js", "avoid": [], "args": None, "state": None}
    return {"task": task, "attempt": 1, "hop": 0, "tab": tab, "script": script, **rest}


def test_where_session_storage_is_full_tasks_run_and_leave_no_tab_and_the_log_says_it(daemon: LinkDaemon, browser: Chromium, site: Pages) -> None:
    link = daemon.wait_link()
    before = tabs(link)
    fill_session_storage(browser)
    assert link.run("return document.title", {"open": site.url("/plain")})["value"] == "Plain"
    assert link.request("chrome.subscribe", {"path": "tabs.onCreated"}) == {}
    kept = browser.open(site.url("/csp"))
    assert link.request("debugger.attach", {"tab": kept.id}) == {}
    assert link.run("return 2", kept.id)["value"] == 2
    link.wait_for("chrome.event", lambda said: said["path"] == "tabs.onCreated")
    eventually(lambda: len(tabs(link)) == len(before) + 1, 10)
    for name in ("opened", "subscriptions", "attached"):
        said = [line for line in eventually(lambda: daemon.lines, 10) if f'refuses "{name}"' in line["text"]]
        assert [line["level"] for line in said] == ["error"], name
    browser.worker(EMPTY)


def test_of_a_daemon_that_the_person_removed_neither_scripts_nor_results_nor_attachments_stay(daemon: LinkDaemon, browser: Chromium, site: Pages) -> None:
    with LinkDaemon() as other:
        daemon.wait_link()
        browser.worker(f"chrome.storage.local.set({{daemons: [{json.dumps(other.address)}]}})")
        link = other.wait_link()
        other.hold("task.finish")
        plain, strict = browser.open(site.url("/plain")), browser.open(site.url("/csp"))
        link.start("return 'unacknowledged'", plain.id)
        eventually(lambda: browser.stored("outbox"), 15, "the result is on disk")
        running = link.start("any.signal.onabort = () => (window.stopped = String(any.signal.reason)); await new Promise(() => {})", strict.id)
        link.wait_for("task.started", lambda said: said["task"] == running["task"])
        link.request("debugger.attach", {"tab": strict.id})
        link.request("chrome.subscribe", {"path": "tabs.onMoved"})
        link.post("debugger.send", {"tab": strict.id, "method": "Runtime.evaluate", "params": {"expression": "new Promise(() => {})", "awaitPromise": True}})
        browser.worker("chrome.storage.local.set({daemons: []})")
        eventually(lambda: strict.evaluate("window.stopped"), 15, "the script is told to stop")
        eventually(lambda: browser.stored("outbox") == [], 10, "its results are gone")
        assert [row["address"] for row in browser.stored("links")] == [daemon.address]
        eventually(lambda: session_storage(browser) == {}, 10, "its attachments and subscriptions are gone")
        assert instances(browser, "link/worker_client.js", "WorkerClient", "it.pending.size") == [0]
        eventually(lambda: [each for each in instances(browser, "link/link.js", "Link", "it.address") if each] == [daemon.address], 10, "one link is left")


def test_what_an_offscreen_document_had_asked_for_ends_with_it(daemon: LinkDaemon, browser: Chromium, site: Pages) -> None:
    link = daemon.wait_link()
    plain = browser.open(site.url("/plain"))
    link.request("chrome.subscribe", {"path": "tabs.onMoved"})
    link.request("debugger.follow", {"tab": plain.id, "on": True, "commands": []})
    daemon.stop()  # nobody comes back to end what it has begun
    browser.close_offscreen()
    browser.wait_extension()
    eventually(lambda: session_storage(browser) == {}, 10, "subscriptions and following are gone")


def test_a_result_that_is_too_old_for_any_daemon_is_forgotten(daemon: LinkDaemon, browser: Chromium) -> None:
    daemon.wait_link()
    put = """new Promise((resolve, reject) => {
      const opening = indexedDB.open("any");
      opening.onsuccess = () => {
        const database = opening.result;
        const change = database.transaction("outbox", "readwrite", { durability: "strict" });
        for (const days of [1, 31]) change.objectStore("outbox").put({ address: "http://127.0.0.1:9", key: `${days}`, text: "{}", task: "t", attempt: 1, hop: 0, since: Date.now() - days * 86_400_000 });
        change.oncomplete = () => { database.close(); resolve(); };
        change.onabort = () => reject(change.error);
      };
    })"""
    browser.offscreen(put)
    browser.close_offscreen()
    browser.wait_extension()
    daemon.wait_link(after=1)
    eventually(lambda: [row["key"] for row in browser.stored("outbox")] == ["1"], 10)
