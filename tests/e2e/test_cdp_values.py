"""Values by value and trees of nodes: each assertion holds on a raw Chromium's debugging port and on the gateway alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chromium import Cdp, CdpError, Chromium, Tab, eventually
from daemon import Daemon
from pages import Pages


class Page:
    """A page of its own, by either way."""

    def __init__(self, client: Cdp, url: str) -> None:
        self.client = client
        self.target = client.call("Target.createTarget", url=url)["targetId"]
        self.session = client.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        eventually(lambda: client.glance(self.session, "document.title") == "Plain", 15)

    def call(self, method: str, **params: Any) -> Any:
        return self.client.call(method, self.session, **params)

    def evaluate(self, expression: str, **more: Any) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True, **more)

    def text(self, expression: str, **more: Any) -> str:
        """The value as JSON: its keys in their order, half a surrogate pair as an escape."""
        return json.dumps(self.evaluate(expression, **more)["result"]["value"])

    @property
    def whole(self) -> str:
        """The id of the page's global object."""
        return str(self.call("Runtime.evaluate", expression="globalThis")["result"]["objectId"])

    def apply(self, function: str, *values: Any, **more: Any) -> Any:
        arguments = [{"value": value} for value in values]
        return self.call("Runtime.callFunctionOn", functionDeclaration=function, objectId=self.whole, arguments=arguments, returnByValue=True, **more)


@pytest.fixture(params=["raw", "gateway"])
def page(request: pytest.FixtureRequest, daemon: Daemon, browser: Chromium, site: Pages) -> Iterator[Page]:
    port, path = (browser.profile / "DevToolsActivePort").read_text().split("\n")[:2]
    client = Cdp(f"ws://127.0.0.1:{port}{path}" if request.param == "raw" else daemon.url.replace("http://", "ws://") + "/")
    made = Page(client, site.url("/plain"))
    yield made
    client.call("Target.closeTarget", targetId=made.target)
    client.close()


def nested(levels: int) -> str:
    return f"(() => {{ const top = {{}}; let at = top; for (let n = 1; n < {levels}; n++) at = at.a = {{}}; return top; }})()"


def levels_of(value: Any) -> int:
    levels = 0
    while isinstance(value, dict):
        levels, value = levels + 1, value.get("a")
    return levels


UNORDERED = '{"name": 1, "age": 2, "Zip": {"b": [{"d": 1, "c": 2}], "a": 3}}'


def test_a_value_keeps_the_order_of_its_keys_whichever_way_it_is_asked_for(page: Page) -> None:
    assert page.text(f"({UNORDERED})") == UNORDERED
    assert page.text(f"Promise.resolve({UNORDERED})", awaitPromise=True) == UNORDERED
    assert page.text(f"({UNORDERED})", serializationOptions={"serialization": "json"}) == UNORDERED
    assert json.dumps(page.apply(f"() => ({UNORDERED})")["result"]["value"]) == UNORDERED
    promise = page.call("Runtime.evaluate", expression=f"Promise.resolve({UNORDERED})")["result"]["objectId"]
    assert json.dumps(page.call("Runtime.awaitPromise", promiseObjectId=promise, returnByValue=True)["result"]["value"]) == UNORDERED
    page.call("Runtime.enable")
    script = page.call("Runtime.compileScript", expression=f"({UNORDERED})", sourceURL="", persistScript=True)["scriptId"]
    assert json.dumps(page.call("Runtime.runScript", scriptId=script, returnByValue=True)["result"]["value"]) == UNORDERED


def test_a_value_of_a_paused_frame_keeps_the_order_of_its_keys(page: Page) -> None:
    page.call("Debugger.enable")
    running = page.client.post("Runtime.evaluate", page.session, expression=f"(() => {{ const it = {UNORDERED}; debugger; return 1; }})()")
    paused = lambda: next((params for _, method, params in page.client.events if method == "Debugger.paused"), None)  # noqa: E731
    frame = eventually(paused, 15)["callFrames"][0]["callFrameId"]
    said = page.call("Debugger.evaluateOnCallFrame", callFrameId=frame, expression="it", returnByValue=True)
    assert json.dumps(said["result"]["value"]) == UNORDERED
    page.call("Debugger.resume")
    assert running.result(15)["result"]["value"] == 1


@pytest.mark.parametrize(
    ("expression", "remote"),
    [
        ("1", {"type": "number", "value": 1, "description": "1"}),
        ("-0", {"type": "number", "unserializableValue": "-0", "description": "-0"}),
        ("NaN", {"type": "number", "unserializableValue": "NaN", "description": "NaN"}),
        ("10n", {"type": "bigint", "unserializableValue": "10n", "description": "10n"}),
        ("'x'", {"type": "string", "value": "x"}),
        ("null", {"type": "object", "subtype": "null", "value": None}),
        ("undefined", {"type": "undefined"}),
        ("Object.assign(() => {}, {b: 1, a: 2})", {"type": "function", "value": {"b": 1, "a": 2}}),
        ("({n: NaN, i: -Infinity, z: -0, u: undefined, f() {}, big: 1e21, small: 1.5e-7, t: true, o: null})",
         {"type": "object", "value": {"n": None, "i": None, "z": 0, "f": {}, "big": 1e21, "small": 1.5e-7, "t": True, "o": None}}),
        ("[undefined, , NaN, -0, () => {}, '', [], {}]", {"type": "object", "value": [None, None, None, 0, {}, "", [], {}]}),
        ("({2: 'b', 1: 'a', z: 0, y: 0})", {"type": "object", "value": {"1": "a", "2": "b", "z": 0, "y": 0}}),
        ("[new Date(0), /x/, new Map([[1, 2]]), new Set([1]), new Error('x'), document.body]", {"type": "object", "value": [{}, {}, {}, {}, {}, {}]}),
        ("new Uint8Array(2)", {"type": "object", "value": {"0": 0, "1": 0}}),
        ("new String('ab')", {"type": "object", "value": {"0": "a", "1": "b"}}),
        ("new (class A { constructor() { this.b = 1; this.a = 2; } get c() { return 3; } })()", {"type": "object", "value": {"b": 1, "a": 2}}),
        ("({toJSON() { return 1; }, a: 1})", {"type": "object", "value": {"toJSON": {}, "a": 1}}),
        ("({[Symbol('x')]: 1, a: 1})", {"type": "object", "value": {"a": 1}}),
        ("Object.create({inherited: 1}, {hidden: {value: 1}})", {"type": "object", "value": {}}),
        ("({__proto__: null, ['__proto__']: 5})", {"type": "object", "value": {"__proto__": 5}}),
        ("new Proxy({b: 1}, {})", {"type": "object", "value": {}}),
        ("document.body.style", {"type": "object", "value": {}}),
        ("({'\\ud800': 1, b: '\\udc00x\\u{1f600}\"\\\\\\n\\x07\\u2028'})", {"type": "object", "value": {"\ud800": 1, "b": '\udc00x\U0001f600"\\\n\x07\u2028'}}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("spoiled", [False, True], ids=["", "globals of the page's own"])
def test_a_value_is_what_v8_makes_of_it(page: Page, expression: str, remote: dict[str, Any], spoiled: bool) -> None:
    if spoiled:
        page.evaluate(
            "JSON.stringify = () => 'no'; Object.prototype.toJSON = () => 1; Object.prototype.more = 5; Object.keys = () => []; Array.prototype.map = null; 1"
        )
    said = page.evaluate(expression)["result"]
    assert said == remote
    assert json.dumps(said.get("value")) == json.dumps(remote.get("value"))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("Symbol('x')", "Object couldn't be returned by value"),
        ("({a: [10n]})", "Object couldn't be returned by value"),
        ("(() => { const a = {}; a.a = a; return a; })()", "Object reference chain is too long"),
        ("window", "Object reference chain is too long"),
        (nested(1001), "Object reference chain is too long"),
        (nested(299), "CBOR: stack limit exceeded"),
        ("({get x() { throw new Error('its own'); }})", "Internal error"),
        ("new Proxy({}, {ownKeys() { throw new Error('its own'); }})", "Internal error"),
        ("Promise.reject(Symbol('x'))", "Object couldn't be returned by value"),
    ],
)
def test_what_v8_refuses_is_refused_in_its_words(page: Page, expression: str, words: str) -> None:
    with pytest.raises(CdpError, match=words):
        page.evaluate(expression, awaitPromise=True)


@pytest.mark.parametrize("levels", [97, 99, 101, 198, 201, 250, 298])
def test_a_nested_value_comes_whole(page: Page, levels: int) -> None:
    assert levels_of(page.evaluate(nested(levels))["result"]["value"]) == levels


def test_what_is_thrown_comes_with_its_positions_and_by_its_id(page: Page) -> None:
    said = page.evaluate("\n  throw Object.assign(new TypeError('boom'), {b: 1})")
    details = said["exceptionDetails"]
    assert (details["text"], details["lineNumber"], details["columnNumber"]) == ("Uncaught", 1, 2)
    assert details["exception"]["description"] == "TypeError: boom\n    at <anonymous>:2:23"
    assert said["result"]["objectId"] and "value" not in said["result"]
    inner = page.apply("function () {\n  return this.nothing.at.all; }")
    assert inner["exceptionDetails"]["lineNumber"] == 1 and inner["exceptionDetails"]["columnNumber"] == 22
    assert len(inner["exceptionDetails"].get("stackTrace", {"callFrames": [1]})["callFrames"]) == 1
    plain = page.evaluate("throw {b: 1, a: 2}")
    assert [each["name"] for each in plain["exceptionDetails"]["exception"]["preview"]["properties"]] == ["b", "a"]


def test_what_a_promise_is_rejected_with_comes_by_value(page: Page) -> None:
    said = page.evaluate(f"Promise.reject({UNORDERED})", awaitPromise=True)
    assert json.dumps(said["result"]["value"]) == UNORDERED
    assert said["exceptionDetails"]["text"] == "Uncaught (in promise)" and said["exceptionDetails"]["exception"]["objectId"]


def test_the_pages_code_runs_once_for_a_value(page: Page) -> None:
    page.evaluate("globalThis.ran = 0; globalThis.read = 0; 1")
    value = page.evaluate("(ran++, {get b() { read++; return {z: 1, y: read}; }, a: 1})")["result"]["value"]
    assert json.dumps(value) == '{"b": {"z": 1, "y": 1}, "a": 1}'
    assert page.evaluate("ran + read")["result"]["value"] == 2


def test_side_effects_are_not_let_through_where_they_are_not_wanted(page: Page) -> None:
    page.evaluate("globalThis.touched = 0; 1")
    said = page.evaluate("({get x() { touched = 1; return {b: 1}; }})", throwOnSideEffect=True)
    assert said["exceptionDetails"]["exception"]["className"] == "EvalError"
    assert page.text(f"({UNORDERED})", throwOnSideEffect=True) == UNORDERED
    assert page.evaluate("touched")["result"]["value"] == 0


def test_a_value_holds_nothing_in_the_page(page: Page) -> None:
    page.evaluate("globalThis.gone = 0; globalThis.registry = new FinalizationRegistry(() => gone++); 1")
    for _ in range(20):
        page.evaluate("(() => { const it = {b: 1, a: 2}; registry.register(it, 0); return it; })()")
    page.evaluate("0")

    def collected() -> bool:
        page.evaluate("for (let n = 0; n < 200; n++) new Array(1e5).fill(n); 1")
        return bool(page.evaluate("gone")["result"]["value"] >= 19)

    eventually(collected, 30, "the values are collected")


def test_arguments_arrive_as_they_were_sent(page: Page) -> None:
    look = "function (...all) { return all.map((each) => typeof each === 'object' ? [Reflect.ownKeys(each).join(), each] : each); }"
    said = page.apply(look, {"b": {"d": 1, "c": [{"f": 1, "e": 2}]}, "a": 2}, 7, [{"y": "\ud800", "x": None}], "text")["result"]["value"]
    assert json.dumps(said) == json.dumps(
        [["b,a", {"b": {"d": 1, "c": [{"f": 1, "e": 2}]}, "a": 2}], 7, ["0,length", [{"y": "\ud800", "x": None}]], "text"]
    )


@pytest.mark.parametrize("levels", [96, 97, 98, 150, 201, 280])
def test_a_nested_argument_arrives_whole(page: Page, levels: int) -> None:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    count = "(at) => { let n = 0; while (typeof at === 'object') { at = at.a; n++; } return [n, at]; }"
    assert page.apply(count, value)["result"]["value"] == [levels, 1]


def test_commands_run_in_the_order_in_which_they_were_sent_whatever_their_arguments(page: Page) -> None:
    page.evaluate("globalThis.seen = []; 1")
    whole = page.whole
    sent = []
    for number in range(10):
        value = {"n": number, "a": 0} if number % 3 else number
        sent.append(page.client.post("Runtime.callFunctionOn", page.session, functionDeclaration="(it) => { seen.push(it.n ?? it); }", objectId=whole, arguments=[{"value": value}]))  # fmt: skip
        sent.append(page.client.post("Runtime.evaluate", page.session, expression=f"seen.push({number})"))
    for each in sent:
        each.result(15)
    assert page.evaluate("seen")["result"]["value"] == [number for number in range(10) for _ in range(2)]


def test_a_function_that_is_not_there_is_refused_as_ever(page: Page) -> None:
    with pytest.raises(CdpError, match="Cannot find context with specified id"):
        page.call("Runtime.callFunctionOn", functionDeclaration="(it) => it", executionContextId=99999, arguments=[{"value": {"b": 1, "a": 2}}])


def elements(node: dict[str, Any]) -> list[dict[str, Any]]:
    inside = [*node.get("children", []), *node.get("shadowRoots", []), *([node["contentDocument"]] if "contentDocument" in node else [])]
    return [node, *(each for child in inside for each in elements(child))]


@pytest.mark.parametrize("deep", [60, 96, 120, 140])
def test_a_deep_document_comes_whole(page: Page, deep: int) -> None:
    page.evaluate(
        f"""document.body.innerHTML = '<div>'.repeat({deep}) + '<i>text</i>';
        document.body.querySelectorAll('div')[50].attachShadow({{mode: 'open'}}).innerHTML = '<p><b>in the shadow</b></p>'; 1"""
    )
    for pierce in (False, True):
        root = page.call("DOM.getDocument", depth=-1, pierce=pierce)["root"]
        nodes = elements(root)
        names = [node["nodeName"] for node in nodes]
        assert names.count("DIV") == deep and names.count("I") == 1 and "text" in [node["nodeValue"] for node in nodes]
        assert names.count("B") == (1 if pierce else 0)
        assert 0 not in [node["nodeId"] for node in nodes], "each can be asked about"
        last = next(node for node in nodes if node["nodeName"] == "I")
        assert page.call("DOM.getOuterHTML", nodeId=last["nodeId"])["outerHTML"] == "<i>text</i>"
        described = elements(page.call("DOM.describeNode", backendNodeId=root["backendNodeId"], depth=-1, pierce=pierce)["node"])
        assert [node["backendNodeId"] for node in described] == [node["backendNodeId"] for node in nodes]


def test_a_depth_is_kept_to(page: Page) -> None:
    page.evaluate("document.body.innerHTML = '<div>'.repeat(120); 1")
    for depth in (1, 44, 45, 46, 47, 91, 100):
        nodes = elements(page.call("DOM.getDocument", depth=depth)["root"])
        assert [node["nodeName"] for node in nodes].count("DIV") == max(0, depth - 2), depth


def test_children_that_are_asked_for_are_told_in_one_event(page: Page) -> None:
    page.evaluate("document.body.innerHTML = '<div>'.repeat(120); 1")
    page.call("DOM.enable")
    root = page.call("DOM.getDocument", depth=2)["root"]
    body = next(node for node in elements(root) if node["nodeName"] == "BODY")
    page.client.events.clear()
    page.call("DOM.requestChildNodes", nodeId=body["nodeId"], depth=-1)
    told = [params for _, method, params in page.client.events if method == "DOM.setChildNodes"]
    assert [each["parentId"] for each in told] == [body["nodeId"]]
    assert len([node for child in told[0]["nodes"] for node in elements(child) if node["nodeName"] == "DIV"]) == 120
