/**
 * Turns a value into JSON text in the page it comes from; docs/values.md says what becomes of what.
 * @module
 */

/**
 * Makes the walk. Self-contained: its source text is put into pages (see source.js).
 *
 * `toText(value, root)` gives `{text}`, undefined for undefined, or `{refused}`: `{name: "NotSerializableError"|
 * "ResultTooLargeError", message, path, hint}`.
 * @param {any} natives as makeNatives gives them
 */
export function makeValues(natives) {
  const { apply, describe, getPrototypeOf, keys: enumerable, hasOwn, tagOf, isArray, isView } = natives;
  const { sourceOf, slice: sliceText, codeAt, isWellFormed, asText, stringify: quote } = natives;
  const { dateTime, dateText, mapEach, setEach, mapSize, setSize, bufferSize, typedTag, typedLength } = natives;
  const unbox = [natives.unboxNumber, natives.unboxString, natives.unboxBoolean];
  const objectRoot = getPrototypeOf({});
  const arrayRoot = getPrototypeOf([]);
  const LARGEST = 128 * 1024 * 1024;
  const DEEPEST = 200;

  /** @type {any} the objects we are inside of */ let inside;
  /** @type {any} the key by which each was reached */ let reached;
  let level = 0;
  let size = 0;
  let limit = LARGEST;
  let root = "result";
  /** @type {any} what this walk has thrown itself */ let refusal;

  /** Whether `.key` can be written. @param {string} key */
  function identifier(key) {
    for (let at = 0; at < key.length; at++) {
      const each = key[at];
      const letter = (each >= "a" && each <= "z") || (each >= "A" && each <= "Z") || each === "_" || each === "$";
      if (!letter && !(at && each >= "0" && each <= "9")) return false;
    }
    return key !== "";
  }

  /** @param {number} depth */
  function pathTo(depth) {
    let path = root;
    for (let at = 1; at <= depth; at++) {
      const key = reached[at];
      if (typeof key === "number") path += `[${key}]`;
      else if (typeof key === "object") path += key.text;
      else path += identifier(key) ? `.${key}` : `[${quote(key)}]`;
    }
    return path;
  }

  /**
   * @param {number} depth
   * @param {string} what
   * @param {string} hint
   * @returns {never}
   */
  function refuse(depth, what, hint) {
    const path = pathTo(depth);
    throw (refusal = { name: "NotSerializableError", message: `${path} is ${what}, which JSON cannot carry: ${hint}`, path, hint });
  }

  /** @param {number} depth @param {number} bytes @returns {never} */
  function tooLarge(depth, bytes) {
    const path = pathTo(depth);
    const hint = "return less, or in pieces";
    const message = `the result is larger than ${limit} bytes: at ${path} it has reached ${bytes}; ${hint}`;
    throw (refusal = { name: "ResultTooLargeError", message, path, hint });
  }

  /** @param {string} text @param {number} depth */
  function textOf(text, depth) {
    size += text.length + 2;
    if (size > limit) tooLarge(depth, size);
    if (!apply(isWellFormed, text, [])) {
      refuse(depth, "text with half of a surrogate pair", "use toWellFormed(), or return the code units as numbers");
    }
    return quote(text);
  }

  /** @param {number} number @param {number} depth */
  function numberOf(number, depth) {
    if (number !== number || number === Infinity || number === -Infinity) {
      refuse(depth, asText(number), "return null or a string in its place");
    }
    const text = number === 0 && 1 / number < 0 ? "-0.0" : "" + number;
    size += text.length + 1;
    if (size > limit) tooLarge(depth, size);
    return text;
  }

  /**
   * JSON text of the value at `depth`, or undefined for undefined.
   * @param {any} value
   * @param {number} depth
   * @returns {string|undefined}
   */
  function walk(value, depth) {
    switch (typeof value) {
      case "string":
        return textOf(value, depth);
      case "number":
        return numberOf(value, depth);
      case "boolean":
        return value ? "true" : "false";
      case "undefined":
        if (value === undefined && tagged(value) === "[object Undefined]") return undefined;
        return refuse(depth, "document.all", "return a list made from it");
      case "bigint":
        return refuse(depth, `the BigInt ${short(asText(value))}`, "return String(it), or Number(it) where it is small enough");
      case "symbol":
        return refuse(depth, "a symbol", "return its description");
      case "function":
        return refuse(depth, "a function", "return what it gives, or leave it out");
    }
    if (value === null) return "null";
    if (depth > DEEPEST) refuse(depth, `nested more than ${DEEPEST} levels deep`, "return a flatter value");
    for (let at = 0; at < depth; at++) {
      if (inside[at] === value) refuse(depth, `the same object as ${pathTo(at)} (a cycle)`, "leave it out, or return an id in its place");
    }
    inside[depth] = value;
    size += 2;
    if (isArray(value)) return listOf(value, depth);
    const prototype = getPrototypeOf(value);
    if (prototype === objectRoot) return ownMethod(value, depth) ?? plain(value, depth);
    return special(value, prototype, depth);
  }

  /** @param {any} value */
  function tagged(value) {
    return apply(tagOf, value, []);
  }

  /** @param {string} text */
  function short(text) {
    return text.length > 40 ? apply(sliceText, text, [0, 40]) + "…" : text;
  }

  /** What the value's own toJSON gives; undefined where it has none. @param {any} value @param {number} depth */
  function ownMethod(value, depth) {
    return apply(hasOwn, value, ["toJSON"]) && typeof value.toJSON === "function" ? converted(value, depth) : undefined;
  }

  /** @param {any} value @param {number} depth */
  function converted(value, depth) {
    const key = depth ? reached[depth] : "";
    const made = value.toJSON(typeof key === "object" ? "" : "" + key);
    if (made === value) return plain(value, depth);
    reached[(level = depth + 1)] = { text: ".toJSON()" };
    const text = walk(made, depth + 1);
    return text === undefined ? refuse(depth + 1, "undefined", "let toJSON return a value") : text;
  }

  /** @param {any} list @param {number} depth */
  function listOf(list, depth) {
    if (getPrototypeOf(list) !== arrayRoot || apply(hasOwn, list, ["toJSON"])) {
      const method = methodOf(list);
      if (method) return converted(list, depth);
    }
    const length = list.length;
    let out = "[";
    for (let at = 0; at < length; at++) {
      reached[(level = depth + 1)] = at;
      const text = walk(list[at], depth + 1);
      if (text === undefined) refuse(depth + 1, "undefined", "return null in its place, or filter it out");
      out += at ? "," + text : text;
    }
    return out + "]";
  }

  /** @param {any} object @param {number} depth */
  function plain(object, depth) {
    const names = enumerable(object);
    let out = "{";
    let first = true;
    for (let at = 0; at < names.length; at++) {
      const name = names[at];
      reached[(level = depth + 1)] = name;
      const text = walk(object[name], depth + 1);
      if (text === undefined) continue; // as JSON does
      out += (first ? "" : ",") + textOf(name, depth + 1) + ":" + text;
      first = false;
    }
    return out + "}";
  }

  /** What an own member holds, without asking a getter. @param {any} object @param {string} name */
  function valueAt(object, name) {
    const found = describe(object, name);
    return found && apply(hasOwn, found, ["value"]) ? found.value : undefined;
  }

  /** @param {any} made */
  function native(made) {
    return typeof made === "function" && apply(sliceText, apply(sourceOf, made, []), [-17]) === "{ [native code] }";
  }

  /**
   * Whether a toJSON is meant: its own, its class's, or a native one; not what a page has put on the prototype of all
   * arrays, objects, dates …
   * @param {any} value
   */
  function methodOf(value) {
    for (let at = value, steps = 0; at !== null && steps < 100; steps++) {
      const next = getPrototypeOf(at);
      if (at !== value && (next === null || isArray(at))) return false;
      const found = describe(at, "toJSON");
      if (found) {
        if (at !== value && native(valueAt(at, "constructor")) && !native(valueAt(at, "toJSON"))) return false;
        return typeof value.toJSON === "function";
      }
      at = next;
    }
    return false;
  }

  /** @param {any} getter @param {any} value */
  function answers(getter, value) {
    try {
      return apply(getter, value, []);
    } catch {
      return undefined;
    }
  }

  /**
   * Everything that is neither a list nor made by `{}`.
   * @param {any} value
   * @param {any} prototype
   * @param {number} depth
   */
  function special(value, prototype, depth) {
    if (prototype === null && describe(value, "window")) refuse(depth, "a window", "return what you need of it");
    if (prototype === null || getPrototypeOf(prototype) === null) {
      // from another realm, or without a prototype
      if (tagged(value) === "[object Object]") return ownMethod(value, depth) ?? plain(value, depth);
    }
    if (isView(value)) return bytes(value, depth);
    const time = answers(dateTime, value);
    if (time !== undefined) {
      if (time !== time) refuse(depth, "an invalid Date", "return null in its place");
      return textOf(apply(dateText, value, []), depth);
    }
    if (methodOf(value)) return converted(value, depth);
    if (answers(mapSize, value) !== undefined) return mapOf(value, depth);
    if (answers(setSize, value) !== undefined) return setOf(value, depth);
    if (answers(bufferSize, value) !== undefined) refuse(depth, "an ArrayBuffer", "return [...new Uint8Array(it)] or text");
    for (let at = 0; at < unbox.length; at++) {
      const primitive = answers(unbox[at], value);
      if (primitive !== undefined) return walk(primitive, depth);
    }
    const kind = builtIn(value);
    if (kind) refuse(depth, kind.what, kind.hint);
    return plain(value, depth); // an instance of a class of the page or of the script
  }

  /** @param {any} view @param {number} depth */
  function bytes(view, depth) {
    const kind = apply(typedTag, view, []);
    if (kind === undefined) refuse(depth, "a DataView", "return a list of the numbers it holds");
    const length = apply(typedLength, view, []);
    let out = "[";
    for (let at = 0; at < length; at++) {
      reached[(level = depth + 1)] = at;
      const text = walk(view[at], depth + 1);
      out += at ? "," + text : text;
    }
    return out + "]";
  }

  /** @param {any} map @param {number} depth */
  function mapOf(map, depth) {
    let out = "{";
    let first = true;
    apply(mapEach, map, [
      (/** @type {any} */ item, /** @type {any} */ key) => {
        if (typeof key !== "string") refuse(depth, `a Map with a key that is no text (${typeof key})`, "return [...map], a list of pairs");
        reached[(level = depth + 1)] = key;
        const text = walk(item, depth + 1);
        if (text === undefined) return;
        out += (first ? "" : ",") + textOf(key, depth + 1) + ":" + text;
        first = false;
      },
    ]);
    return out + "}";
  }

  /** @param {any} set @param {number} depth */
  function setOf(set, depth) {
    let out = "[";
    let at = 0;
    apply(setEach, set, [
      (/** @type {any} */ item) => {
        reached[(level = depth + 1)] = at;
        const text = walk(item, depth + 1);
        if (text === undefined) refuse(depth + 1, "undefined", "return null in its place, or filter it out");
        out += at++ ? "," + text : text;
      },
    ]);
    return out + "]";
  }

  /** @param {any} value @returns {{what: string, hint: string}|null} */
  function builtIn(value) {
    for (let at = getPrototypeOf(value), steps = 0; at !== null && steps < 100; steps++) {
      const next = getPrototypeOf(at);
      if (next === null) break;
      const maker = valueAt(at, "constructor");
      if (native(maker)) return advice(asText(valueAt(maker, "name")), value);
      at = next;
    }
    const tag = tagged(value);
    const kind = apply(sliceText, tag, [8, -1]);
    if (kind === "Generator" || kind === "AsyncGenerator" || apply(sliceText, kind, [-8]) === "Iterator") {
      return { what: `a ${kind}`, hint: "return [...it]" };
    }
    return null;
  }

  /** @param {string} kind @param {any} value */
  function advice(kind, value) {
    const what = `a ${kind}`;
    if (kind === "Promise") return { what, hint: "await it before you return it" };
    if (kind === "Error" || apply(sliceText, kind, [-5]) === "Error") return { what: `an error (${kind})`, hint: "throw it, or return its message" };
    if (kind === "RegExp") return { what, hint: "return its source" };
    if (kind === "Blob" || kind === "File") return { what, hint: "return await it.text(), or its bytes" };
    if (kind === "BigInt") return { what, hint: "return String(it)" };
    if (kind === "Window") return { what: "a window", hint: "return what you need of it" };
    if (typeof value.nodeType === "number") return { what: `a DOM node (${kind})`, hint: "return its textContent or attributes" };
    return { what, hint: "return the plain values you need of it" };
  }

  /** @param {string} text */
  function bytesOf(text) {
    let bytes = 0;
    for (let at = 0; at < text.length; at++) {
      const code = apply(codeAt, text, [at]);
      bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code >= 0xd800 && code < 0xe000 ? 2 : 3;
    }
    return bytes;
  }

  /**
   * @param {any} value
   * @param {string} [name] what the path begins with
   * @param {number} [most] bytes of text at most
   * @returns {{text: string|undefined, refused: {name: string, message: string, path: string, hint: string}|undefined}}
   */
  function toText(value, name = "result", most = LARGEST) {
    const outer = { inside, reached, level, size, limit, root, refusal }; // a toJSON may say something in the middle of a walk
    inside = { __proto__: null };
    reached = { __proto__: null };
    level = size = 0;
    limit = most;
    root = name;
    refusal = undefined;
    try {
      const text = walk(value, 0);
      if (text !== undefined && text.length > limit / 3) {
        const bytes = bytesOf(text);
        if (bytes > limit) tooLarge(0, bytes);
      }
      return { text, refused: undefined };
    } catch (thrown) {
      if (thrown !== refusal || refusal === undefined) {
        let why = "";
        try {
          why = asText(/** @type {any} */ (thrown)?.message ?? thrown);
        } catch {
          // not even that
        }
        try {
          refuse(level, `a value that throws when it is read (${short(why)})`, "return a copy of the parts you need");
        } catch {
          // it is in `refusal`
        }
      }
      return { text: undefined, refused: refusal };
    } finally {
      ({ inside, reached, level, size, limit, root, refusal } = outer);
    }
  }

  return { toText, short };
}
