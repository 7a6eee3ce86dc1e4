"""Scripts in pages that have replaced what the language and the browser give them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.chromium import REPOSITORY, Chromium, Tab, eventually
from tests.support.pages import Pages
from tests.support.task_fixtures import bench, browser, site  # noqa: F401
from tests.support.tasks import TaskBench

SOURCE = (REPOSITORY / "extension/task/natives.js").read_text()
GETTERS = [f"{holder}.{name}" for holder, name in re.findall(r'getter\(from\.([\w.]+), "(\w+)"\)', SOURCE)]
TYPED = [f"Uint8Array.prototype.__proto__.{name}" for name in re.findall(r'getter\(typed\(\), "(\w+)"\)', SOURCE)]
#: what makeNatives takes, and the constructors that this is found on
NATIVES = sorted({*re.findall(r"\bfrom\.(\w+(?:\.\w+)*)", SOURCE), *GETTERS, *TYPED} - {"Symbol.toStringTag"})

#: how a page damages one of them, which `holder` has by `name`
DAMAGES = {
    "throws": "{value() { throw new Error('of the page') }, configurable: true, writable: true}",
    "does nothing": "{value() {}, configurable: true, writable: true}",
    "is a class": "{value: class {}, configurable: true, writable: true}",
    "is gone": "{value: undefined, configurable: true, writable: true}",
}

#: every function and accessor of everything that a page can reach, but for what the test waits by and what `await` itself looks at
EVERYTHING = """
const {ownKeys, defineProperty, getOwnPropertyDescriptor} = Reflect;
const {getPrototypeOf} = Object, promises = Promise.prototype, SetOf = Set, fail = () => { throw 'of the page' };
const seen = new SetOf(), add = seen.add.bind(seen), has = seen.has.bind(seen), all = [], push = all.push.bind(all);
const find = (object) => {
  if (object === null || (typeof object !== 'object' && typeof object !== 'function') || has(object)) return;
  add(object); push(object);
  for (const key of ownKeys(object)) {
    const found = getOwnPropertyDescriptor(object, key);
    if (found && 'value' in found) find(found.value);
  }
  find(getPrototypeOf(object));
};
for (const name of ownKeys(window)) if (typeof name === 'string' && /^[A-Z]/.test(name)) find(window[name]);
for (const hidden of [async () => {}, function* () {}, async function* () {}, [][Symbol.iterator](), console]) find(hidden);
const names = ownKeys(window).filter((name) => typeof name === 'string' && /^[A-Za-z]/.test(name));
const keys = all.map((object) => ownKeys(object));
for (let at = 0; at < all.length; at++) for (let k = 0; k < keys[at].length; k++) {
  const found = getOwnPropertyDescriptor(all[at], keys[at][k]);
  if (!found || !found.configurable || keys[at][k] === 'readyState' || (all[at] === promises && keys[at][k] === 'constructor')) continue;
  if (found.get || found.set) { found.get = fail; found.set = fail; defineProperty(all[at], keys[at][k], found); }
  else if (typeof found.value === 'function') { found.value = fail; defineProperty(all[at], keys[at][k], found); }
}
for (let at = 0; at < names.length; at++) {
  const found = getOwnPropertyDescriptor(window, names[at]);
  if (found && found.configurable) defineProperty(window, names[at], {get: fail, configurable: true});
}
"""

#: name: what the page does
HABITS = {
    "a Map of its own": "class Map {}; window.Map = Map",
    "Function stubbed": "window.Function = Function.prototype.constructor = () => () => {}",
    "CustomEvent polyfilled": """window.CustomEvent = function (type, given) { const made = document.createEvent('CustomEvent');
        made.initCustomEvent(type, false, false, given && given.detail); return made; }; CustomEvent.prototype = Event.prototype""",
    "members on all objects": """for (const name of ['run', 'get', 'set', 'value', 'then2', 'cancelable', 'view', 'detail', 'text', 'refused', 'altered', 'name',
        'toJSON', 'url', '0', 'relatedTarget', 'timeout', 'script', 'body', 'bubbles', 'once', 'prepareStackTrace'])
        Object.prototype[name] = name === 'timeout' ? undefined : () => 'of the page'""",
    "setters on all objects": """for (const name of ['0', '1', 'a', 'run', 'name', 'text', 'head', 'then', 'resolve', 'value', 'log', 'warn'])
        Object.defineProperty(name < 'a' ? Array.prototype : Object.prototype, name, {set() { throw new Error('of the page') }, get() {}, configurable: true})""",
    "arrays changed": """Array.prototype.push = Array.prototype.join = Array.prototype.slice = () => { throw new Error('of the page') };
        Array.prototype[Symbol.iterator] = function* () {}; Array.prototype.toJSON = () => 'of the page'""",
    "all built-ins frozen": "for (const made of [Object, Array, Function, Error, TypeError, Promise, Map, JSON, Reflect, console]) { Object.freeze(made); if (made.prototype) Object.freeze(made.prototype) }",
    "console frozen": "Object.freeze(console)",
    "console replaced": "window.console = {log() { throw new Error('of the page') }}",
    "console gone": "window.console = undefined",
    "console a proxy": "window.console = new Proxy({}, {get() { throw new Error('of the page') }})",
    "stacks of its own": "Error.prepareStackTrace = (error, sites) => sites",
    "stacks that throw": "Error.prepareStackTrace = () => { throw new Error('of the page') }",
    "no stacks": "Error.stackTraceLimit = 0",
    "no limit of stacks": "delete Error.stackTraceLimit",
    "an Error of its own": "window.Error = class Error {}",
    "a Promise of its own": "window.Promise = class Promise {}",
    "promises changed": "Promise.prototype.then = Promise.prototype.catch = () => { throw new Error('of the page') }; Promise.resolve = undefined",
    "JSON replaced": "window.JSON = {parse: () => 1, stringify: () => '1'}",
    "symbols replaced": "window.Symbol = (name) => name",
    "strings with toJSON": "String.prototype.toJSON = () => 'of the page'",
    "RegExp changed": "RegExp.prototype.exec = RegExp.prototype.test = () => null",
    "globalThis replaced": "window.globalThis = window.self = {}",
    "events stopped": "for (const type of ['up', 'down']) addEventListener(type, (event) => event.stopImmediatePropagation(), true)",
    "listeners wrapped": """const listen = EventTarget.prototype.addEventListener; EventTarget.prototype.addEventListener =
        function (type, heard, how) { return listen.call(this, type, function (event) { return heard.call(this, event) }, how) }""",
    "several at once": "window.Map = window.Promise = window.Error = window.Event = class {}; window.console = null; Object.prototype.get = () => 1; Error.stackTraceLimit = 0",
    "everything throws": EVERYTHING,
}

SCRIPT = """const heading = await any.waitFor("h1");
console.warn("seen", args.list[1].n);
await any.sleep(1);
any.progress({step: [1, "x"]});
return {text: "q\\"\\n\\u00e9", list: [1, [args.list[0]]], n: any.state.n, found: heading !== null, aborted: ABORTED};
"""
RESULT = {"text": 'q"\n\u00e9', "list": [1, ["a"]], "n": 5, "found": True, "aborted": False}


@pytest.fixture(scope="module")
def victim(browser: Chromium, site: Pages) -> Tab:  # noqa: F811
    return browser.open(site.url("/plain"))


@pytest.fixture(scope="module")
def allowed() -> Iterator[TaskBench]:
    """A browser in which the person has switched on "Allow user scripts"."""
    with Chromium("http://127.0.0.1:9") as chromium:
        chromium.wait_extension()
        chromium.set_switches(user_scripts=True)
        eventually(lambda: chromium.worker("(() => { try { return typeof chrome.userScripts.execute } catch { return '' } })()") == "function", 10)
        yield TaskBench(chromium)


def works(bench: TaskBench, tab: int, world: str = "main", stacks: bool = True) -> None:  # noqa: F811
    """A script's result, progress, console, positions and error are what they are in any page."""
    script = SCRIPT.replace("ABORTED", "any.signal.aborted" if stacks else "false")
    end = bench.run(script, tab, world=world, args={"list": ["a", {"n": 3}]}, state={"n": 5}, timeout_ms=8000)
    assert end["outcome"] == "value", end["error"]
    assert end["value"] == RESULT
    lines = bench.notes(end["task"])
    assert [(line["kind"], line.get("text"), line.get("value")) for line in lines] == [("console", "seen 3", None), ("progress", None, {"step": [1, "x"]})]
    assert (lines[0]["line"], lines[0]["column"]) == (2, 9)
    error = bench.error("const nothing = null;\n  nothing.member();", tab, world=world, timeout_ms=8000)
    assert (error["name"], error["thrown"]) == ("ScriptError", "TypeError" if stacks else error["thrown"]), error
    assert "reading 'member'" in error["message"]
    assert (error["line"], error["column"]) == (2, 11), error


@pytest.mark.parametrize("native", NATIVES)
def test_a_page_that_has_damaged_one_built_in_changes_nothing_for_a_script(bench: TaskBench, site: Pages, victim: Tab, native: str) -> None:  # noqa: F811
    holder, _, name = f"window.{native}".rpartition(".")
    for damage in DAMAGES.values():
        victim.goto(site.doing(f"const holder = {holder}; Object.defineProperty(holder, '{name}', {damage})"))
        works(bench, victim.id)


@pytest.mark.parametrize("habit", HABITS)
def test_a_page_with_a_habit_changes_nothing_for_a_script(bench: TaskBench, site: Pages, victim: Tab, habit: str) -> None:  # noqa: F811
    for policy in ({}, {"csp": "1"}):
        victim.goto(site.doing(HABITS[habit], **policy))
        works(bench, victim.id, stacks=habit != "everything throws")


@pytest.mark.parametrize("habit", HABITS)
def test_nor_where_user_scripts_are_allowed_nor_in_the_world_of_its_own(allowed: TaskBench, site: Pages, habit: str) -> None:  # noqa: F811
    opened = allowed.browser.open(site.doing(HABITS[habit], csp="1"))
    for world in ("main", "isolated"):
        works(allowed, opened.id, world, stacks=habit != "everything throws")
    opened.close()


@pytest.mark.parametrize("habit", ["a Map of its own", "stacks of its own", "no stacks", "no limit of stacks"])
def test_a_page_is_left_as_it_was(bench: TaskBench, site: Pages, victim: Tab, habit: str) -> None:  # noqa: F811
    look = "[frames.length, document.documentElement.childElementCount, Error.stackTraceLimit ?? null, typeof Error.prepareStackTrace]"
    victim.goto(site.doing(HABITS[habit]))
    before = victim.evaluate(look)
    bench.run("console.log(1)", victim.id, timeout_ms=8000)
    assert victim.evaluate(look) == before


def test_where_no_untouched_built_ins_can_be_had_the_error_says_which_are_replaced_and_what_helps(bench: TaskBench, site: Pages, victim: Tab) -> None:  # noqa: F811
    victim.goto(site.doing(HABITS["a Map of its own"], sandbox="1"))
    error = bench.error("return 1", victim.id, timeout_ms=8000)
    assert error["name"] == "WorldUnavailableError" and error["started"] is False, error
    assert "has replaced built-ins" in error["message"] and "mapSize" in error["message"] and '"isolated"' in error["message"]
    assert bench.value("return 1", victim.id, world="isolated") == 1


def test_the_script_lives_in_the_pages_own_realm_where_its_built_ins_come_from_elsewhere(bench: TaskBench, site: Pages, victim: Tab) -> None:  # noqa: F811
    victim.goto(site.doing(HABITS["a Map of its own"]))
    script = "return [args instanceof Object, args.a instanceof Array, any.state instanceof Object, any.next instanceof Function, document.title]"
    assert bench.value(script, victim.id, args={"a": []}, state={}) == [True, True, True, True, "Doing"]
    end = bench.run("return any.next('/second', {n: [1]})", victim.id)
    assert (end["outcome"], end["url"], end["state"]) == ("next", site.url("/second"), {"n": [1]})
    assert "any.next wants an address" in bench.error("any.next('http://[')", victim.id)["message"]
