/**
 * A value's JSON as V8 makes it for `returnByValue`, but as a text: chrome.debugger would sort the keys of a value, lose
 * halves of surrogate pairs, and never answer where it is nested deep.
 * @module
 */

/**
 * Runs in the page, by its text: what it needs stands in it. The page may have replaced its globals, so it uses syntax where there
 * is some, and JSON.stringify for strings alone, after a try.
 * @this {any} the value
 * @returns {string} JSON, or one of "symbol", "long", "deep": why there is none
 */
export function valueText() {
  const TOO_LONG = 1000; // levels, as V8 has it
  const TOO_DEEP = 298; // what Chrome can then write down, inside of its answer
  const LONG = 16 * 1024 * 1024; // characters: JSON.stringify ends the process where its text comes to 256 MiB
  let deep = false;
  let refusal = "";
  const isArray = /** @type {ArrayConstructor} */ ([].constructor).isArray;

  const hex = "0123456789abcdef";
  const escaped = (/** @type {string} */ unit) => {
    const code = unit.charCodeAt(0);
    return "\\u" + hex[(code >> 12) & 15] + hex[(code >> 8) & 15] + hex[(code >> 4) & 15] + hex[code & 15];
  };
  const quotedByHand = (/** @type {string} */ string) => {
    let out = '"';
    for (let at = 0; at < string.length; at++) {
      const unit = string[at];
      const next = string[at + 1];
      if (unit === '"' || unit === "\\") out += "\\" + unit;
      else if (unit < " ") out += escaped(unit);
      else if (unit >= "\ud800" && unit <= "\udbff" && next >= "\udc00" && next <= "\udfff") {
        out += unit + next;
        at++;
      } else out += unit >= "\ud800" && unit <= "\udfff" ? escaped(unit) : unit;
    }
    return out + '"';
  };
  const quotedInSlices = (/** @type {string} */ string) => {
    if (string.length <= LONG) return JSON.stringify(string);
    let out = "";
    for (let at = 0; at < string.length; ) {
      let end = at + LONG;
      if (string[end - 1] >= "\ud800" && string[end - 1] <= "\udbff") end--; // a pair stays together
      out += JSON.stringify(string.slice(at, end)).slice(1, -1);
      at = end;
    }
    return '"' + out + '"';
  };
  const isJsonThere = () => {
    try {
      return JSON.stringify('"\ud800\u{1f600}\n') === '"\\"\\ud800\u{1f600}\\n"';
    } catch {
      return false;
    }
  };
  const quoted = isJsonThere() ? quotedInSlices : quotedByHand;

  /** @param {any} value @param {number} level @returns {string} */
  const write = (value, level) => {
    if (level > TOO_LONG) throw (refusal = "long");
    if (level > TOO_DEEP) deep = true;
    if (value === null || value === undefined) return "null";
    if (typeof value === "string") return quoted(value);
    if (typeof value === "number") return value - value === 0 ? "" + value : "null";
    if (typeof value === "boolean") return "" + value;
    if (typeof value === "bigint" || typeof value === "symbol") throw (refusal = "symbol");
    let out = "";
    if (isArray(value)) {
      const { length } = value;
      for (let at = 0; at < length; at++) out += (at ? "," : "") + write(value[at], level + 1);
      return "[" + out + "]";
    }
    const own = /** @type {any} */ ({ __proto__: null, ...value });
    for (const key in own) {
      if (own[key] !== undefined) out += (out ? "," : "") + quoted(key) + ":" + write(own[key], level + 1);
    }
    return "{" + out + "}";
  };
  try {
    const text = write(this, 1);
    return deep ? "deep" : text;
  } catch (thrown) {
    if (refusal) return refusal;
    throw thrown; // by the page's own code
  }
}
