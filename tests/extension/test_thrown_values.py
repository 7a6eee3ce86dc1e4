"""What a script throws or rejects with is told at once, whatever its shape."""

from __future__ import annotations

import time

import pytest

from tests.support.chromium import Tab
from tests.support.task_fixtures import bench, browser, site, tab  # noqa: F401
from tests.support.tasks import TaskBench

#: what is thrown: the name and a part of the message that are told
THROWN: dict[str, tuple[str | None, str]] = {
    "{refused: true, name: 'ResultTooLargeError', message: 'mine', path: 'p', hint: 'h'}": ("ResultTooLargeError", "mine"),
    "{refused: true}": (None, '{"refused":true}'),
    "Object.assign(new Error('half \\ud800'), {name: '\\udc00'})": ("\ufffd", "half \ufffd"),
    "Object.assign(new Error('named'), {name: Symbol('s')})": ("Symbol(s)", "named"),
    "Object.assign(new Error('named'), {name: {toString() { throw 1 }}})": ("Error", "named"),
    "Object.assign(new Error('named'), {name: 10n})": ("10", "named"),
    "Object.assign(new Error('long'), {name: 'n'.repeat(5000)})": ("n" * 200 + "…", "long"),
    "Object.defineProperty(new Error('no stack'), 'stack', {get() { throw 1 }})": ("Error", "no stack"),
    "Object.defineProperty(new Error(''), 'message', {get() { throw 1 }})": (None, "a value that cannot be read"),
    "Object.defineProperty(new Error('no name'), 'name', {get() { throw 1 }})": ("Error", "no name"),
    "Object.assign(Object.create(null), {a: 1})": (None, '{"a":1}'),
    "Object.assign(Object.create(null), {message: 'bare'})": ("Error", "bare"),
    "Symbol('sign')": (None, "Symbol(sign)"),
    "'\\ud800'": (None, "\ufffd"),
    "10n": (None, "10"),
    "() => 1": (None, "() => 1"),
    "new Proxy(new Error('behind'), {})": ("Error", "behind"),
    "new Proxy({}, {get() { throw 1 }, ownKeys() { throw 2 }, getPrototypeOf() { throw 3 }})": (None, "a value that cannot be read"),
    "(() => { const r = Proxy.revocable({}, {}); r.revoke(); return r.proxy })()": (None, "a value that cannot be read"),
    "(() => { const o = {}; o.self = o; return o })()": (None, "[object Object]"),
    "{get a() { throw 1 }, toString() { throw 2 }}": (None, "a value that cannot be read"),
    "new Error('m'.repeat(100_000_000))": ("Error", "m" * 1000),
    "'t'.repeat(100_000_000)": (None, "t" * 1000),
    "{list: new Array(5_000_000).fill('x'.repeat(20))}": (None, "[object Object]"),
    "{then(resolve) { resolve(1) }}": (None, "[object Object]"),
    "{message: 5}": (None, '{"message":5}'),
    "document.all": (None, "[object HTMLAllCollection]"),
    "window": (None, "[object Window]"),
    "any.next('/second')": (None, "{}"),
}


@pytest.mark.parametrize("how", ["throw {}", "return Promise.reject({})", "await null; throw {}"])
@pytest.mark.parametrize("thrown", THROWN)
def test_a_thrown_value_of_any_shape_is_the_same_error_at_once(bench: TaskBench, tab: Tab, thrown: str, how: str) -> None:  # noqa: F811
    name, message = THROWN[thrown]
    begun = time.monotonic()
    error = bench.error(how.replace("{}", f"({thrown})"), tab.id)
    assert (error["name"], error["thrown"]) == ("ScriptError", name), {**error, "message": error["message"][:200]}
    assert message in error["message"]
    assert len(error["message"]) < 100_100 and error["started"] is True
    assert time.monotonic() - begun < 10  # and not its timeout of 20 s


def test_what_a_toJSON_says_while_a_result_is_read_does_not_disturb_it(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    end = bench.run("return {a: [{toJSON() { any.progress({deep: [{}]}); console.log({b: 1}); return 'seen'; }}], b: {c: 2}}", tab.id)
    assert end["value"] == {"a": ["seen"], "b": {"c": 2}}
    assert [each.get("value", each.get("text")) for each in bench.notes(end["task"])] == [{"deep": [{}]}, '{"b":1}']
    error = bench.error("return {a: {toJSON() { any.progress([1]); return {x: NaN}; }}}", tab.id)
    assert error["path"] == "result.a.toJSON().x"
