"""Two raw CDP clients in one tab: what each case gives on Chrome's own debugging port, it gives on the gateway."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from chromium import Cdp, CdpError, Chromium, eventually
from daemon import Daemon
from pages import Pages

HEADERS = "fetch('/headers').then(r => r.json())"


class Echo(Pages):
    """`/headers` answers the headers that it was asked with."""

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        if request.path != "/headers":
            return super()._answer(request)
        body = json.dumps({name.lower(): value for name, value in request.headers.items()}).encode()
        return self._send(request, "application/json", {"Cache-Control": "no-store"}, body)


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    with Echo() as running:
        yield running


class Pair:
    """Two clients, `a` and `b`, on the page's own socket."""

    def __init__(self, port: int, target: str) -> None:
        self.a, self.b = (Cdp(f"ws://127.0.0.1:{port}/devtools/page/{target}") for _ in range(2))

    def both(self, method: str, **params: Any) -> None:
        for client in (self.a, self.b):
            client.call(method, **params)


@pytest.fixture(params=["raw", "gateway"])
def pair(request: pytest.FixtureRequest, daemon: Daemon, browser: Chromium, echo: Echo) -> Iterator[Pair]:
    tab = browser.open(echo.url("/plain"))
    target = tab.target
    if tab._session:
        browser.cdp.call("Target.detachFromTarget", sessionId=tab._session)
    port = daemon.port if request.param == "gateway" else int((browser.profile / "DevToolsActivePort").read_text().split("\n")[0])
    eventually(lambda: target in json.dumps(daemon.request("GET", "/json/list")[1]))
    made = Pair(port, target)
    yield made
    made.a.close()
    made.b.close()
    browser.cdp.call("Target.closeTarget", targetId=target)
    eventually(lambda: daemon.health()["cdp"]["attached"] == 0, 15, "nothing is left attached")


def value(client: Cdp, expression: str) -> Any:
    return client.evaluate("", expression)


def told(client: Cdp, method: str, since: int = 0) -> list[dict[str, Any]]:
    return [params for _, name, params in client.events[since:] if name == method]


def heard(client: Cdp, method: str, since: int = 0) -> dict[str, Any]:
    return eventually(lambda: told(client, method, since), 15, method)[0]


def goto(client: Cdp, url: str) -> None:
    client.call("Page.navigate", url=url)
    there = f"location.href === {json.dumps(url)} && document.readyState === 'complete'"
    eventually(lambda: client.glance("", there), 15, url)


def becomes(look: Callable[[], Any], wanted: Any) -> None:
    seen: list[Any] = []

    def same() -> bool:
        seen[:] = [look()]
        return bool(seen[0] == wanted)

    try:
        eventually(same, 15)
    except AssertionError:
        assert seen[0] == wanted


def test_each_gets_the_answers_to_its_own_numbers(pair: Pair) -> None:
    asked = [(client.post("Runtime.evaluate", expression=f"'{name}{n}'"), f"{name}{n}") for n in range(50) for name, client in (("a", pair.a), ("b", pair.b))]
    assert all(answer.result(10)["result"]["value"] == wanted for answer, wanted in asked)


def test_a_domain_is_off_for_the_one_that_disables_it_alone(pair: Pair) -> None:
    pair.both("Network.enable")
    pair.a.call("Network.disable")
    mark = len(pair.a.events)
    value(pair.a, "fetch('/second').then(r => r.status)")
    assert heard(pair.b, "Network.requestWillBeSent")["request"]["url"].endswith("/second")
    assert not told(pair.a, "Network.requestWillBeSent", mark)


def test_both_are_told_the_same_contexts_also_after_a_navigation(pair: Pair, echo: Echo) -> None:
    pair.both("Page.enable")
    pair.both("Runtime.enable")

    def ids(client: Cdp) -> list[Any]:
        return [row["context"]["uniqueId"] for row in told(client, "Runtime.executionContextCreated")]

    assert len(ids(pair.a)) == 1 and ids(pair.a) == ids(pair.b)
    goto(pair.b, echo.url("/second"))
    heard(pair.a, "Page.loadEventFired")
    heard(pair.b, "Page.loadEventFired")
    assert len(ids(pair.a)) > 1 and ids(pair.a) == ids(pair.b)


def test_a_binding_lives_until_the_last_that_added_it_takes_it_away(pair: Pair, echo: Echo) -> None:
    pair.both("Runtime.enable")
    pair.both("Runtime.addBinding", name="report")
    pair.a.call("Runtime.addBinding", name="mine")
    value(pair.a, "report('1')")
    assert heard(pair.a, "Runtime.bindingCalled")["payload"] == heard(pair.b, "Runtime.bindingCalled")["payload"] == "1"
    pair.a.call("Runtime.removeBinding", name="report")
    value(pair.b, "report('2')")
    eventually(lambda: [row["payload"] for row in told(pair.b, "Runtime.bindingCalled")] == ["1", "2"], 15)
    assert len(told(pair.a, "Runtime.bindingCalled")) == 1
    pair.a.close()
    goto(pair.b, echo.url("/second"))
    becomes(lambda: value(pair.b, "typeof report"), "function")

    def without() -> str:
        goto(pair.b, echo.url("/second?again"))
        return str(value(pair.b, "typeof mine"))

    becomes(without, "undefined")


def test_init_scripts_of_both_run_and_each_removes_its_own(pair: Pair, echo: Echo) -> None:
    pair.both("Page.enable")
    own = {name: client.call("Page.addScriptToEvaluateOnNewDocument", source=f"window.seen = (window.seen ?? '') + '{name}'") for name, client in (("a", pair.a), ("b", pair.b))}
    goto(pair.a, echo.url("/second"))
    assert value(pair.b, "seen") == "ab"
    pair.a.call("Page.removeScriptToEvaluateOnNewDocument", **own["a"])
    goto(pair.a, echo.url("/third"))
    assert value(pair.a, "seen") == "b"
    pair.b.close()

    def again() -> Any:
        goto(pair.a, echo.url("/plain"))
        return value(pair.a, "window.seen ?? 'none'")

    becomes(again, "none")


def test_the_viewport_is_the_last_ones_and_the_pages_own_when_that_one_leaves(pair: Pair) -> None:
    def width() -> Any:
        return value(pair.b, "innerWidth")

    own = width()
    pair.b.call("Emulation.setDeviceMetricsOverride", width=700, height=400, deviceScaleFactor=1, mobile=False)
    becomes(width, 700)
    pair.a.call("Emulation.setDeviceMetricsOverride", width=500, height=400, deviceScaleFactor=1, mobile=False)
    becomes(width, 500)
    pair.a.close()
    becomes(width, own)


def test_headers_and_blocked_addresses_of_both_count_together(pair: Pair) -> None:
    def sent() -> list[Any]:
        got = value(pair.a, HEADERS)
        return [got.get(name) for name in ("x-a", "x-b", "x-both")]

    pair.both("Network.enable")
    pair.a.call("Network.setExtraHTTPHeaders", headers={"x-a": "1", "x-both": "a"})
    pair.b.call("Network.setExtraHTTPHeaders", headers={"x-b": "2", "x-both": "b"})
    assert sent() == ["1", "2", "b"]
    pair.a.call("Network.setBlockedURLs", urls=["*second*"])
    pair.b.call("Network.setBlockedURLs", urls=["*third*"])
    opens = "fetch('/{}').then(r => r.status, () => 'blocked')"
    assert [value(pair.a, opens.format(page)) for page in ("second", "third")] == ["blocked", "blocked"]
    pair.b.close()
    becomes(sent, ["1", None, "a"])
    assert [value(pair.a, opens.format(page)) for page in ("second", "third")] == ["blocked", 200]


def test_a_timezone_is_the_first_ones_until_it_leaves(pair: Pair) -> None:
    zone = "Intl.DateTimeFormat().resolvedOptions().timeZone"
    own = value(pair.a, zone)
    pair.a.call("Emulation.setTimezoneOverride", timezoneId="Asia/Tokyo")
    with pytest.raises(CdpError, match="Timezone override is already in effect"):
        pair.b.call("Emulation.setTimezoneOverride", timezoneId="Europe/Paris")
    assert value(pair.b, zone) == "Asia/Tokyo"
    pair.a.close()
    becomes(lambda: value(pair.b, zone), own)


def test_an_object_group_is_each_ones_own(pair: Pair) -> None:
    a, b = (client.call("Runtime.evaluate", expression="({x: 1})", objectGroup="g")["result"]["objectId"] for client in (pair.a, pair.b))
    pair.a.call("Runtime.releaseObjectGroup", objectGroup="g")
    with pytest.raises(CdpError, match="Could not find object"):
        pair.a.call("Runtime.getProperties", objectId=a)
    assert pair.b.call("Runtime.getProperties", objectId=b, ownProperties=True)["result"][0]["name"] == "x"


def test_a_node_found_by_one_stays_reachable_by_its_backend_id(pair: Pair) -> None:
    # Where chrome.debugger lends one DOM agent to all, DOM.getDocument of one makes the other's nodeIds void.
    root = pair.a.call("DOM.getDocument")["root"]["nodeId"]
    found = pair.a.call("DOM.querySelector", nodeId=root, selector="h1")["nodeId"]
    backend = pair.a.call("DOM.describeNode", nodeId=found)["node"]["backendNodeId"]
    node = pair.a.call("DOM.resolveNode", nodeId=found)["object"]["objectId"]
    pair.b.call("DOM.getDocument", depth=-1, pierce=True)
    assert pair.a.call("DOM.describeNode", backendNodeId=backend)["node"]["nodeName"] == "H1"
    assert pair.a.call("DOM.describeNode", objectId=node)["node"]["nodeName"] == "H1"


def test_a_request_goes_to_the_newest_first_and_on_with_what_it_changed(pair: Pair) -> None:
    pair.both("Fetch.enable", patterns=[{"urlPattern": "*/headers"}])
    answer = pair.a.post("Runtime.evaluate", expression=HEADERS, awaitPromise=True, returnByValue=True)
    first = heard(pair.b, "Fetch.requestPaused")
    assert not told(pair.a, "Fetch.requestPaused")
    pair.b.call("Fetch.continueRequest", requestId=first["requestId"], headers=[{"name": "x-b", "value": "2"}])
    second = heard(pair.a, "Fetch.requestPaused")
    assert second["request"]["headers"]["x-b"] == "2"
    pair.a.call("Fetch.continueRequest", requestId=second["requestId"])
    assert answer.result(15)["result"]["value"]["x-b"] == "2"


def test_a_request_paused_for_one_that_leaves_goes_on(pair: Pair) -> None:
    pair.both("Fetch.enable", patterns=[{"urlPattern": "*/headers"}])
    asks = {"expression": "fetch('/headers').then(r => r.status)", "awaitPromise": True, "returnByValue": True}
    answer = pair.a.post("Runtime.evaluate", **asks)
    heard(pair.b, "Fetch.requestPaused")
    pair.b.close()
    pair.a.call("Fetch.continueRequest", requestId=heard(pair.a, "Fetch.requestPaused")["requestId"])
    assert answer.result(15)["result"]["value"] == 200


def test_what_one_alone_had_switched_on_goes_with_it(pair: Pair) -> None:
    pair.b.call("Fetch.enable")
    answer = pair.a.post("Runtime.evaluate", expression="fetch('/headers').then(r => r.status)", awaitPromise=True, returnByValue=True)
    heard(pair.b, "Fetch.requestPaused")
    pair.b.call("Network.enable")
    pair.b.call("Emulation.setUserAgentOverride", userAgent="b's own")
    pair.b.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
    pair.b.close()
    answer.result(15)
    becomes(lambda: value(pair.a, "fetch('/headers').then(r => r.status, () => 'offline')"), 200)
    becomes(lambda: "b's own" in value(pair.a, "navigator.userAgent"), False)
