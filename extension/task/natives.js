/**
 * The built-ins on which the wrapper relies, taken from one realm.
 * @module
 */

/**
 * Takes them, and looks that each does what it should: pages replace their own. Self-contained: its source text is put into pages.
 * @param {any} from the global object of a realm: the page's, or that of an empty frame
 * @returns {any} the built-ins by name, or `{altered}`: the first that is not what it should be
 */
export function makeNatives(from) {
  /** @type {any} */ const made = { __proto__: null };
  const stranger = function () {
    return 7;
  };
  /** What a getter, or a method that refuses strangers, does with an object that it is not made for. @param {() => any} act */
  const throws = (act) => {
    try {
      act();
      return false;
    } catch {
      return true;
    }
  };
  /** @param {any} method @param {any} self @param {any[]} given */
  const on = (method, self, given) => made.apply(method, self, given);
  /** @param {any} holder @param {string|symbol} name */
  const getter = (holder, name) => made.describe(holder, name).get;
  const typed = () => made.getPrototypeOf(from.Uint8Array.prototype);
  /** The detail of an event that is sent and heard. @param {any} dispatch @param {string} kind @param {any} init @param {any[]} rest */
  const heard = (dispatch, kind, init, rest) => {
    const target = on(made.makeFragment, document, []);
    const event = on(made.makeEvent, document, [kind]);
    /** @type {any} */ let got;
    const hear = (/** @type {any} */ each) => (got = each === event && on(kind === "MouseEvent" ? getter(from.UIEvent.prototype, "detail") : made.detailOf, each, []));
    on(made.listen, target, ["x", hear]);
    on(init, event, rest.length === 1 ? ["x", false, false, rest[0]] : ["x", false, false, rest[0], rest[1]]);
    return on(dispatch, target, [event]) === true ? got : undefined;
  };

  // name, where it is, whether it is sound; those above may be used by those below
  const table = [
    ["apply", () => from.Reflect.apply, (/** @type {any} */ it) => it((/** @type {any} */ a, /** @type {any} */ b) => a + b, null, [3, 4]) === 7],
    ["describe", () => from.Reflect.getOwnPropertyDescriptor, (/** @type {any} */ it) => it({ a: 7 }, "a").value === 7 && it({}, "toString") === undefined],
    ["getPrototypeOf", () => from.Reflect.getPrototypeOf, (/** @type {any} */ it) => it({ __proto__: stranger }) === stranger],
    ["define", () => from.Reflect.defineProperty, (/** @type {any} */ it, /** @type {any} */ o = {}) => it(o, "a", { __proto__: null, value: 7 }) && o.a === 7],
    ["keys", () => from.Object.keys, (/** @type {any} */ it, /** @type {any} */ all = it({ b: 1, a: 1 })) => all.length === 2 && all[0] === "b" && all[1] === "a"],
    ["hasOwn", () => from.Object.prototype.hasOwnProperty, (/** @type {any} */ it) => on(it, { a: 1 }, ["a"]) === true && on(it, {}, ["toString"]) === false],
    ["tagOf", () => from.Object.prototype.toString, (/** @type {any} */ it) => on(it, undefined, []) === "[object Undefined]" && on(it, [], []) === "[object Array]"],
    ["isArray", () => from.Array.isArray, (/** @type {any} */ it) => it([]) === true && it({ length: 0 }) === false],
    ["isView", () => from.ArrayBuffer.isView, (/** @type {any} */ it) => it(new from.Uint8Array(1)) === true && it([]) === false],
    ["sourceOf", () => from.Function.prototype.toString, (/** @type {any} */ it) => on(it, () => 7, []) === "() => 7"],
    ["slice", () => from.String.prototype.slice, (/** @type {any} */ it) => on(it, "abcde", [-3, -1]) === "cd"],
    ["codeAt", () => from.String.prototype.charCodeAt, (/** @type {any} */ it) => on(it, "ab", [1]) === 98],
    ["isWellFormed", () => from.String.prototype.isWellFormed, (/** @type {any} */ it) => on(it, "\ud83d\ude00", []) === true && on(it, "a\ud83d", []) === false],
    ["toWellFormed", () => from.String.prototype.toWellFormed, (/** @type {any} */ it) => on(it, "a\ud83d", []) === "a\ufffd"],
    ["asText", () => from.String, (/** @type {any} */ it) => it(10n) === "10" && it(from.Symbol("x")) === "Symbol(x)"],
    ["stringify", () => from.JSON.stringify, (/** @type {any} */ it) => it('"\\\n\u2028\ud83d\ude00é\u0000') === '"\\"\\\\\\n\u2028\ud83d\ude00é\\u0000"'],
    ["parse", () => from.JSON.parse, (/** @type {any} */ it, /** @type {any} */ got = it('{"a":["x",-0.5]}')) => got.a[0] === "x" && got.a[1] === -0.5 && got.a.length === 2],
    ["dateTime", () => from.Date.prototype.getTime, (/** @type {any} */ it) => on(it, new from.Date(5), []) === 5 && throws(() => on(it, {}, []))],
    ["dateText", () => from.Date.prototype.toISOString, (/** @type {any} */ it) => on(it, new from.Date(5), []) === "1970-01-01T00:00:00.005Z"],
    ["mapSize", () => getter(from.Map.prototype, "size"), (/** @type {any} */ it) => on(it, new from.Map(), []) === 0 && throws(() => on(it, {}, []))],
    ["mapEach", () => from.Map.prototype.forEach, (/** @type {any} */ it) => on(it, new from.Map(), [stranger]) === undefined && throws(() => on(it, {}, [stranger]))],
    ["setSize", () => getter(from.Set.prototype, "size"), (/** @type {any} */ it) => on(it, new from.Set(), []) === 0 && throws(() => on(it, {}, []))],
    ["setEach", () => from.Set.prototype.forEach, (/** @type {any} */ it) => on(it, new from.Set(), [stranger]) === undefined && throws(() => on(it, {}, [stranger]))],
    ["bufferSize", () => getter(from.ArrayBuffer.prototype, "byteLength"), (/** @type {any} */ it) => on(it, new from.ArrayBuffer(3), []) === 3 && throws(() => on(it, {}, []))],
    ["typedTag", () => getter(typed(), from.Symbol.toStringTag), (/** @type {any} */ it) => on(it, new from.Uint8Array(3), []) === "Uint8Array" && on(it, {}, []) === undefined],
    ["typedLength", () => getter(typed(), "length"), (/** @type {any} */ it) => on(it, new from.Uint8Array(3), []) === 3],
    ["unboxNumber", () => from.Number.prototype.valueOf, (/** @type {any} */ it) => on(it, 7, []) === 7 && throws(() => on(it, {}, []))],
    ["unboxString", () => from.String.prototype.valueOf, (/** @type {any} */ it) => on(it, "7", []) === "7" && throws(() => on(it, {}, []))],
    ["unboxBoolean", () => from.Boolean.prototype.valueOf, (/** @type {any} */ it) => on(it, false, []) === false && throws(() => on(it, {}, []))],
    ["Failure", () => from.Error, (/** @type {any} */ it, /** @type {any} */ made = new it("m")) => made.message === "m" && made instanceof it],
    ["TypeFailure", () => from.TypeError, (/** @type {any} */ it, /** @type {any} */ made = new it("m")) => made.message === "m" && made instanceof it],
    ["Controller", () => from.AbortController, (/** @type {any} */ it) => new it().signal.aborted === false],
    ["abort", () => from.AbortController.prototype.abort, (/** @type {any} */ it, /** @type {any} */ some = new made.Controller()) => on(it, some, [7]) === undefined && some.signal.reason === 7],
    ["Observer", () => from.MutationObserver, (/** @type {any} */ it) => typeof new it(stranger) === "object"],
    ["observe", () => from.MutationObserver.prototype.observe, (/** @type {any} */ it) => on(it, new made.Observer(stranger), [document, { __proto__: null, childList: true }]) === undefined],
    ["unobserve", () => from.MutationObserver.prototype.disconnect, (/** @type {any} */ it) => on(it, new made.Observer(stranger), []) === undefined],
    ["findOne", () => from.Document.prototype.querySelector, (/** @type {any} */ it) => on(it, document, ["*"]) !== undefined && throws(() => on(it, document, ["<"]))],
    ["makeFragment", () => from.Document.prototype.createDocumentFragment, (/** @type {any} */ it) => on(it, document, []) !== on(it, document, [])],
    ["makeEvent", () => from.Document.prototype.createEvent, (/** @type {any} */ it) => typeof on(it, document, ["CustomEvent"]) === "object"],
    ["initCustom", () => from.CustomEvent.prototype.initCustomEvent, (/** @type {any} */ it) => throws(() => on(it, {}, ["x"]))], // and see dispatch
    ["detailOf", () => getter(from.CustomEvent.prototype, "detail"), (/** @type {any} */ it) => throws(() => on(it, {}, []))],
    ["listen", () => from.EventTarget.prototype.addEventListener, (/** @type {any} */ it) => on(it, on(made.makeFragment, document, []), ["x", stranger]) === undefined],
    ["dispatch", () => from.EventTarget.prototype.dispatchEvent, (/** @type {any} */ it) => heard(it, "CustomEvent", made.initCustom, ["told"]) === "told"],
    ["initMouse", () => from.MouseEvent.prototype.initMouseEvent, (/** @type {any} */ it) => heard(made.dispatch, "MouseEvent", it, [null, 7]) === 7],
  ];
  for (let at = 0; at < table.length; at++) {
    const row = table[at];
    const name = /** @type {string} */ (row[0]);
    try {
      const it = /** @type {any} */ (row)[1]();
      if (typeof it !== "function" || !(/** @type {any} */ (row)[2](it))) return { __proto__: null, altered: name };
      made[name] = it;
    } catch {
      return { __proto__: null, altered: name };
    }
  }
  return made;
}
