"""CDP through the extension: what the daemon says reaches Chrome unread, what Chrome says reaches the daemon in its order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from chromium import Chromium, Tab, eventually
from link_daemon import LinkDaemon, LinkedBrowser, RpcError
from pages import Pages

MIB = 1 << 20


@pytest.fixture(scope="module")
def daemon() -> Iterator[LinkDaemon]:
    with LinkDaemon() as running:
        yield running


@pytest.fixture(scope="module")
def browser(daemon: LinkDaemon) -> Iterator[Chromium]:
    with Chromium(daemon.address) as running:
        yield running


@pytest.fixture
def link(daemon: LinkDaemon, browser: Chromium) -> LinkedBrowser:
    return daemon.wait_link()


@pytest.fixture
def tab(browser: Chromium, link: LinkedBrowser) -> Iterator[Tab]:
    opened = browser.open("data:text/html,<title>here</title>")
    link.request("debugger.attach", {"tab": opened.id})
    yield opened
    opened.close()


def send(link: LinkedBrowser, tab: Tab | int, method: str, timeout: float = 15.0, **params: Any) -> Any:
    number = tab if isinstance(tab, int) else tab.id
    return link.request("debugger.send", {"tab": number, "method": method, "params": params}, timeout)["value"]


def value_of(link: LinkedBrowser, tab: Tab, expression: str, timeout: float = 15.0) -> Any:
    answer = send(link, tab, "Runtime.evaluate", timeout, expression=expression, awaitPromise=True, returnByValue=True)
    return answer["result"].get("value")


def events(link: LinkedBrowser, tab: int, method: str) -> list[Any]:
    return [event for event in link.heard("debugger.event") if event.get("tab") == tab and event["method"] == method]


def test_a_command_may_follow_its_attaching_without_waiting(link: LinkedBrowser, browser: Chromium) -> None:
    tab = browser.open("data:text/html,x").id
    attached = link.post("debugger.attach", {"tab": tab})
    answers = [link.post("debugger.send", {"tab": tab, "method": "Runtime.evaluate", "params": {"expression": str(n)}}) for n in range(20)]
    assert attached.result(10) == {}
    assert [answer.result(10)["value"]["result"]["value"] for answer in answers] == list(range(20))


def test_answers_and_events_come_in_the_order_in_which_chrome_gave_them(link: LinkedBrowser, tab: Tab) -> None:
    order: list[Any] = []
    seen = len(link.said)
    send(link, tab, "Runtime.enable")
    futures = []
    for number in range(50):
        future = link.post("debugger.send", {"tab": tab.id, "method": "Runtime.evaluate", "params": {"expression": f"console.log({number}), {number}"}})
        future.add_done_callback(lambda done: order.append(("answer", done.result()["value"]["result"]["value"], len(link.said))))
        futures.append(future)
    for future in futures:
        future.result(10)
    logged = [
        (index, params["params"]["args"][0]["value"])
        for index, (_, method, params) in enumerate(link.said)
        if index >= seen and method == "debugger.event" and params["method"] == "Runtime.consoleAPICalled"
    ]
    assert [number for _, number in logged] == list(range(50))
    # The event of a line precedes the answer of the command that wrote it.
    assert [answered for _, answered, _ in order] == list(range(50))
    assert all(logged[number][0] < said for _, number, said in order)


def test_a_request_of_another_form_is_understood_as_well(link: LinkedBrowser, tab: Tab) -> None:
    link._last += 1
    number = link._last
    future: Future[Any] = Future()
    link._pending[number] = future
    params = {"params": {"expression": "6 * 7"}, "method": "Runtime.evaluate", "tab": tab.id}
    text = json.dumps({"method": "debugger.send", "params": params, "id": number, "jsonrpc": "2.0"})
    link.daemon.run(link.connection.send(text))
    assert future.result(10)["value"]["result"]["value"] == 42


def test_texts_that_are_no_text_arrive(link: LinkedBrowser, tab: Tab) -> None:
    # What Chrome itself makes of half a pair is its own; the link stands, and what is whole arrives whole.
    assert value_of(link, tab, r"'\u2028\0 \ud83d\ude00 \"\\'") == '\u2028\0 \U0001f600 "\\'
    assert isinstance(value_of(link, tab, r"'a\ud83d'"), str)
    with pytest.raises(RpcError):
        send(link, tab, "No.\ud83dsuch")
    assert value_of(link, tab, "1") == 1


def test_an_error_of_cdp_is_told_as_chrome_has_it(link: LinkedBrowser, tab: Tab) -> None:
    with pytest.raises(RpcError, match="wasn't found") as refused:
        send(link, tab, "Browser.getVersion")
    assert refused.value.error["data"]["cdp"] == {"code": -32601, "message": "'Browser.getVersion' wasn't found"}
    with pytest.raises(RpcError) as unattached:
        send(link, 999999, "Page.enable")
    assert unattached.value.error["data"]["cdp"]["code"] == -32000
    with pytest.raises(RpcError) as nothing:
        link.request("debugger.send", {"method": "Page.enable"})
    assert nothing.value.name == "BadRequestError"
    with pytest.raises(RpcError) as shapeless:
        link.request("debugger.send", {"tab": tab.id, "method": "Page.enable", "params": [1]})
    assert shapeless.value.error["data"]["cdp"]["code"] == -32602


def test_attaching_again_finds_it_and_attaching_afresh_begins_anew(link: LinkedBrowser, tab: Tab) -> None:
    send(link, tab, "Runtime.enable")
    send(link, tab, "Page.addScriptToEvaluateOnNewDocument", source="window.old = 1")
    assert link.request("debugger.attach", {"tab": tab.id}) == {"already": True}
    before = len(events(link, tab.id, "Runtime.consoleAPICalled"))
    assert link.request("debugger.attach", {"tab": tab.id, "fresh": True}) == {}
    assert value_of(link, tab, "console.log('unheard'), 1") == 1
    assert len(events(link, tab.id, "Runtime.consoleAPICalled")) == before
    assert not events(link, tab.id, "Inspector.detached")


def test_a_shared_worker_is_a_target_of_its_own(link: LinkedBrowser, browser: Chromium) -> None:
    with Pages() as pages:
        page = browser.open(pages.url("/plain"))
        page.evaluate("globalThis.w = new SharedWorker(URL.createObjectURL(new Blob(['globalThis.mine = 7'])))")

        def worker() -> str | None:
            targets = link.request("chrome.call", {"path": "debugger.getTargets", "args": []})["value"]
            return next((target["id"] for target in targets if target["type"] == "worker" and target["url"].startswith("blob:")), None)

        target = eventually(worker, 10)
        assert target
        assert link.request("debugger.attach", {"target": target}) == {}
        sent = {"target": target, "method": "Runtime.evaluate", "params": {"expression": "globalThis.mine"}}
        # Chrome lists it before its script has run.
        assert eventually(lambda: link.request("debugger.send", sent)["value"]["result"].get("value"), 10) == 7
        link.request("debugger.send", {"target": target, "method": "Runtime.enable"})
        link.wait_for("debugger.event", lambda event: event.get("target") == target and event["method"] == "Runtime.executionContextCreated")
        page.close()
        gone = link.wait_for("debugger.event", lambda event: event.get("target") == target and event["method"] == "Inspector.detached")
        assert gone["params"] == {"reason": "target_closed"}


def test_the_end_of_an_attachment_is_told_with_its_reason(link: LinkedBrowser, browser: Chromium) -> None:
    opened = browser.open("data:text/html,x")
    tab = opened.id
    link.request("debugger.attach", {"tab": tab})
    opened.close()
    ended = link.wait_for("debugger.event", lambda event: event.get("tab") == tab and event["method"] == "Inspector.detached")
    assert ended["params"] == {"reason": "target_closed", "cause": "Render process gone."}
    assert len(events(link, tab, "Inspector.detached")) == 1


def test_the_worker_may_die_under_an_attachment(link: LinkedBrowser, browser: Chromium, tab: Tab) -> None:
    send(link, tab, "Runtime.enable")
    hanging = {"tab": tab.id, "method": "Runtime.evaluate", "params": {"expression": "new Promise(() => {})", "awaitPromise": True}}
    lost = [link.post("debugger.send", hanging), link.post("debugger.send", hanging)]
    assert value_of(link, tab, "1") == 1
    browser.kill_worker()
    for future in lost:
        with pytest.raises(RpcError, match="worker died before it answered debugger.send") as refused:
            future.result(10)
        assert refused.value.error["data"]["worker_lost"] is True
    # Chrome keeps the attachment, and the next worker knows whose it is.
    assert link.request("debugger.attach", {"tab": tab.id}) == {"already": True}
    tab.evaluate("console.log('after')")
    eventually(lambda: [event for event in events(link, tab.id, "Runtime.consoleAPICalled") if event["params"]["args"][0].get("value") == "after"], 10)
    assert value_of(link, tab, "2") == 2


def test_a_hundred_megabytes_pass_both_ways(link: LinkedBrowser, tab: Tab) -> None:
    size = 100 * MIB
    assert len(value_of(link, tab, f"'x'.repeat({size})", 120)) == size
    assert value_of(link, tab, f"'{'y' * size}'.length", 120) == size
    assert link.daemon.live() == [link]


def test_an_answer_that_no_message_can_hold_is_refused_by_name(link: LinkedBrowser, tab: Tab) -> None:
    with pytest.raises(RpcError) as refused:
        value_of(link, tab, f"'x'.repeat({270 * MIB})", 180)
    assert refused.value.name == "ResultTooLargeError"
    assert value_of(link, tab, "1", 60) == 1


def test_each_daemon_hears_the_tabs_it_has_attached() -> None:
    with LinkDaemon() as one, LinkDaemon() as other, Chromium([one.address, other.address]) as browser:
        mine, theirs = one.wait_link(), other.wait_link()
        opened = browser.open("data:text/html,x")
        tab = opened.id
        mine.request("debugger.attach", {"tab": tab})
        send(mine, tab, "Runtime.enable")
        opened.evaluate("console.log(1)")
        eventually(lambda: events(mine, tab, "Runtime.consoleAPICalled"), 10)
        assert not theirs.heard("debugger.event")
        # A second daemon joins; afresh it takes the tab over, and the first is told.
        assert theirs.request("debugger.attach", {"tab": tab}) == {"already": True}
        opened.evaluate("console.log(2)")
        eventually(lambda: events(theirs, tab, "Runtime.consoleAPICalled"), 10)
        assert theirs.request("debugger.attach", {"tab": tab, "fresh": True}) == {}
        detached = mine.wait_for("debugger.event", lambda event: event["tab"] == tab and event["method"] == "Inspector.detached")
        assert detached["params"] == {"reason": "replaced_by_another_daemon"}
        assert value_of(theirs, opened, "3") == 3
