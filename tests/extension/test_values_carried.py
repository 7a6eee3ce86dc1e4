"""What comes back of each kind of value: docs/values.md."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.chromium import Chromium, Tab
from tests.support.pages import Pages
from tests.support.task_fixtures import bench, browser, site, tab  # noqa: F401
from tests.support.tasks import TaskBench

CARRIED: list[tuple[str, str]] = [
    ("null", "null"),
    ("true", "true"),
    ("0.1 + 0.2", "0.30000000000000004"),
    ("-0", "-0.0"),
    ("1e21", "1e+21"),
    ("Number.MAX_VALUE", "1.7976931348623157e+308"),
    ("'a\\u0000\\u2028\\u{1f600}\"\\\\'", json.dumps('a\u0000\u2028\U0001f600"\\', ensure_ascii=False)),
    ("[]", "[]"),
    ("({})", "{}"),
    ("({a: undefined, b: 1})", '{"b":1}'),
    ("new Date(0)", '"1970-01-01T00:00:00.000Z"'),
    ("new Map([['a', 1], ['b', new Set([1, 2])]])", '{"a":1,"b":[1,2]}'),
    ("new Set(['x'])", '["x"]'),
    ("new Uint8Array([1, 255])", "[1,255]"),
    ("new Float64Array([0.5, -0])", "[0.5,-0.0]"),
    ("new Number(3)", "3"),
    ("new String('s')", '"s"'),
    ("new Boolean(false)", "false"),
    ("({toJSON() { return {seen: true}; }})", '{"seen":true}'),
    ("new URL('http://a.example/b')", '"http://a.example/b"'),
    ("new (class Point { constructor() { this.x = 1; } get y() { return 2; } })()", '{"x":1}'),
    ("new (class Money { toJSON() { return '3 EUR'; } })()", '"3 EUR"'),
    ("Object.assign(Object.create(null), {a: 1})", '{"a":1}'),
    ("JSON.parse('{\"__proto__\": {\"x\": 1}}')", '{"__proto__":{"x":1}}'),
    ("new Proxy({a: 1}, {})", '{"a":1}'),
    ("document.createElement('iframe').contentWindow", "null"),
    ("(() => { const f = document.body.appendChild(document.createElement('iframe')); return f.contentWindow.eval('({a: [1], d: new Date(0)})'); })()",
     '{"a":[1],"d":"1970-01-01T00:00:00.000Z"}'),
    ("(() => { const o = {n: 1}; return [o, o]; })()", '[{"n":1},{"n":1}]'),
    ("Array.from({length: 190}).reduce(v => [v], 1)", "[" * 190 + "1" + "]" * 190),
]

REFUSED: list[tuple[str, str]] = [
    ("NaN", "result"),
    ("({items: [{}, {price: Infinity}]})", "result.items[1].price"),
    ("[-Infinity]", "result[0]"),
    ("({n: 10n})", "result.n"),
    ("({f() {}})", "result.f"),
    ("({s: Symbol('x')})", "result.s"),
    ("[1, undefined]", "result[1]"),
    ("[1, , 3]", "result[1]"),
    ("new Set([undefined])", "result[0]"),
    ("document.body", "result"),
    ("({list: document.querySelectorAll('p')})", "result.list"),
    ("window", "result"),
    ("({w: document.body.appendChild(Object.assign(document.createElement('iframe'), {src: 'data:text/html,x'})).contentWindow})", "result.w"),
    ("({p: Promise.resolve(1)})", "result.p"),
    ("new WeakMap()", "result"),
    ("({e: new RangeError('x')})", "result.e"),
    ("/x/", "result"),
    ("new Blob(['x'])", "result"),
    ("new ArrayBuffer(2)", "result"),
    ("new DataView(new ArrayBuffer(2))", "result"),
    ("new Float32Array([1, NaN])", "result[1]"),
    ("new BigInt64Array([1n])", "result[0]"),
    ("(() => { const o = {deep: {}}; o.deep.up = o; return o; })()", "result.deep.up"),
    ("({get a() { throw new Error('no'); }})", "result.a"),
    ("({list: [{b: 1}, {get a() { throw new Error('no'); }}]})", "result.list[1].a"),
    ("new Date(NaN)", "result"),
    ("({'odd key': '\\ud800'})", 'result["odd key"]'),
    ("({'\\ud800': 1})", "result"),
    ("new Map([[1, 2]])", "result"),
    ("(function* () {})()", "result"),
    ("document.all", "result"),
    ("({toJSON() { return undefined; }})", "result.toJSON()"),
    ("new Proxy({}, {ownKeys() { throw new Error('trap'); }})", "result"),
]


@pytest.fixture(scope="module")
def plain(browser: Chromium, site: Pages) -> int:  # noqa: F811
    return browser.open(site.url("/plain")).id


@pytest.mark.parametrize(("expression", "text"), CARRIED)
def test_a_value_that_json_can_carry_comes_back_as_documented(bench: TaskBench, plain: int, expression: str, text: str) -> None:  # noqa: F811
    end = bench.run(f"return {expression}", plain)
    assert end["outcome"] == "value", end
    assert end["text"] == text


@pytest.mark.parametrize(("expression", "path"), REFUSED)
def test_a_value_that_json_cannot_carry_is_refused_by_its_path_with_a_hint(bench: TaskBench, plain: int, expression: str, path: str) -> None:  # noqa: F811
    error = bench.error(f"return {expression}", plain)
    assert error["name"] == "NotSerializableError", error
    assert error["path"].startswith(path), error
    assert error["hint"]
    assert error["path"] in error["message"]
    assert error["started"] is True


def test_nothing_returned_is_an_absent_value_and_not_null(bench: TaskBench, plain: int) -> None:  # noqa: F811
    end = bench.run("1", plain)
    assert end["outcome"] == "value"
    assert end["text_length"] is None


def test_a_promise_that_is_returned_is_awaited(bench: TaskBench, plain: int) -> None:  # noqa: F811
    assert bench.value("return Promise.resolve([1])", plain) == [1]


def test_more_than_two_hundred_levels_are_refused_and_not_cut_off(bench: TaskBench, plain: int) -> None:  # noqa: F811
    error = bench.error("return Array.from({length: 300}).reduce(v => ({v}), 1)", plain)
    assert error["name"] == "NotSerializableError"
    assert error["path"].count(".v") == 201
    assert "200 levels" in error["message"]


def test_a_page_that_has_replaced_json_and_its_prototypes_does_not_change_the_result(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    broken = browser.open(site.url("/tampered"))
    script = "return {list: [1, 'two'], when: new Date(0), map: new Map().set('k', new Set().add(1)), o: {n: 1.5, s: 'q\"\\n'}}"
    value = bench.value(script, broken.id, timeout_ms=8000)
    assert value == {"list": [1, "two"], "when": "1970-01-01T00:00:00.000Z", "map": {"k": [1]}, "o": {"n": 1.5, "s": 'q"\n'}}
    broken.close()


def test_a_page_that_breaks_json_while_the_script_runs_does_not_change_the_result(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    script = """JSON.stringify = () => "bad"; Map.prototype.forEach = () => {}; Array.prototype.toJSON = () => 1; String = null;
      return [new Map([["a", [1]]])]"""
    assert bench.value(script, tab.id) == [{"a": [1]}]


def test_fifty_megabytes_of_text_come_back_whole(bench: TaskBench, plain: int, browser: Chromium) -> None:  # noqa: F811
    params = bench.start("const unit = 'x\\u00e9\\u{1f600}' + 'abcdefghijklmnopqrstu'; return unit.repeat(2_000_000)", plain, timeout_ms=60_000)
    end = bench.end(params, 60)
    assert end["outcome"] == "value", end
    whole: Any = browser.offscreen(
        f"""(() => {{ const text = bench.said.ends.find(e => e.params.task === {json.dumps(params["task"])}).text;
        return JSON.parse(text) === ('x\\u00e9\\u{{1f600}}' + 'abcdefghijklmnopqrstu').repeat(2_000_000); }})()"""
    )
    assert whole is True
    assert end["text_length"] == 2_000_000 * 25 + 2
    browser.offscreen("bench.said.ends.length = 0")


def test_more_than_128_mebibytes_are_refused_with_the_path_and_the_size(bench: TaskBench, plain: int) -> None:  # noqa: F811
    error = bench.error("return {pages: ['a', 'b'.repeat(140_000_000)]}", plain, timeout_ms=60_000)
    assert error["name"] == "ResultTooLargeError"
    assert error["path"] == "result.pages[1]"
    assert "134217728" in error["message"] and "140000" in error["message"]
