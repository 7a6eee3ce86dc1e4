/**
 * Values by value, as a raw Chrome gives and takes them. chrome.debugger reads each message into sorted maps: keys lose their
 * order, half a surrogate pair becomes U+FFFD, arguments end at some 100 levels, and an answer of more than 200 never comes.
 * So a value is asked for by its id and read as text (value_text.js), and arguments that would be changed are made in the page
 * beforehand, from source text.
 * @module
 */
import { RawJson } from "../link/messages.js";
import { valueText } from "./value_text.js";

/** @typedef {(method: string, params: any) => Promise<any>} Send to one session */

const GIVES_VALUES = new Set(["Runtime.evaluate", "Runtime.callFunctionOn", "Runtime.awaitPromise", "Runtime.runScript", "Debugger.evaluateOnCallFrame"]);
/** Objects with properties that are none of their own: V8 leaves these out, and there is nothing whose order could be lost. */
const LEFT_TO_CHROME = new Set(["CSSStyleDeclaration", "CSSStyleProperties", "DOMStringMap", "Storage"]);

/** @param {number} code @param {string} message */
export const cdpError = (code, message) => ({ name: "BadRequestError", message, cdp: { code, message } });
/** V8's words. */
const REFUSALS = {
  symbol: "Object couldn't be returned by value",
  long: "Object reference chain is too long",
  deep: "Failed to convert response to JSON: CBOR: stack limit exceeded",
};

/** Calls a value's getters: V8 ends it where one has a side effect. (It would end valueText, which spreads objects, in any case.) */
const TOUCH = "function () { try { JSON.stringify(this); } catch {} }";

/** @param {string} method @param {any} params whether its answer holds a value that is to be read as text */
export function givesValue(method, params) {
  if (!GIVES_VALUES.has(method)) return false;
  const kind = params?.serializationOptions?.serialization;
  return kind === undefined ? params?.returnByValue === true : kind === "json";
}

/**
 * @param {Send} send
 * @param {string} method
 * @param {any} params
 * @returns {Promise<any>} the answer, also as RawJson
 */
export async function sendByValue(send, method, params) {
  const answer = await send(method, { ...params, returnByValue: false, generatePreview: false, serializationOptions: undefined });
  const { type, subtype, className, objectId } = answer.result ?? {};
  // What is thrown at once comes by its id; what a promise is rejected with, by value.
  if (objectId === undefined || (answer.exceptionDetails && !isRejection(method, params, answer.exceptionDetails))) return answer;
  try {
    if (type === "symbol") throw cdpError(-32000, REFUSALS.symbol);
    if (subtype === "proxy" || LEFT_TO_CHROME.has(className)) {
      const { result } = await send("Runtime.callFunctionOn", { objectId, functionDeclaration: "function () { return this; }", returnByValue: true, silent: true });
      return { ...answer, result };
    }
    if (params.throwOnSideEffect) {
      const touched = await send("Runtime.callFunctionOn", { objectId, functionDeclaration: TOUCH, throwOnSideEffect: true, silent: true });
      if (touched.exceptionDetails) return touched;
    }
    const read = await send("Runtime.callFunctionOn", { objectId, functionDeclaration: valueText.toString(), returnByValue: true, silent: true });
    if (read.exceptionDetails) throw cdpError(-32603, "Internal error");
    const text = read.result.value;
    if (Object.hasOwn(REFUSALS, text)) throw cdpError(-32000, REFUSALS[/** @type {keyof typeof REFUSALS} */ (text)]);
    const details = answer.exceptionDetails ? `,"exceptionDetails":${JSON.stringify(answer.exceptionDetails)}` : "";
    return new RawJson(`{"result":{"type":"${type}","value":${text}}${details}}`);
  } finally {
    send("Runtime.releaseObject", { objectId }).catch(() => {}); // its context may be gone
  }
}

/** @param {string} method @param {any} params @param {any} details */
const isRejection = (method, params, details) =>
  (params.awaitPromise || method === "Runtime.awaitPromise") && /^Uncaught \(in promise\)/.test(details.text);

/** chrome.debugger cuts an argument at the 97th level below the message. */
const SAFE_LEVELS = 90;

/** Chrome sorts by bytes of UTF-8, which is another order where one of these is in a key. */
const SURROGATE = /[\ud800-\udfff]/;

/** @param {any} value parsed JSON @param {number} [levels] @returns {boolean} whether chrome.debugger would change it */
function wouldChange(value, levels = SAFE_LEVELS) {
  if (typeof value === "string") return !value.isWellFormed();
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((each) => wouldChange(each, levels - 1));
  let last = "";
  for (const key in value) {
    if (key < last || SURROGATE.test(key) || wouldChange(value[key], levels - 1)) return true;
    last = key;
  }
  return false;
}

/** @param {any} value parsed JSON @returns {string} an expression that makes it, whatever the page has done to its globals */
function sourceOf(value) {
  if (Array.isArray(value)) return `[${value.map(sourceOf).join()}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([key, each]) => `[${JSON.stringify(key)}]:${sourceOf(each)}`);
    return `{${members.join()}}`; // a computed key: "__proto__" is one like others
  }
  return Object.is(value, -0) ? "-0" : JSON.stringify(value);
}

/** @param {string} method @param {any} params whether it has arguments that must be made beforehand */
export const hasArguments = (method, params) =>
  method === "Runtime.callFunctionOn" &&
  Array.isArray(params?.arguments) &&
  params.arguments.some((/** @type {any} */ each) => typeof each?.value === "object" && wouldChange(each.value));

/**
 * Makes the arguments that chrome.debugger would change.
 * @param {Send} send
 * @param {any} params of Runtime.callFunctionOn
 * @returns {Promise<{params: any, made: string[]}>} the params with ids in their stead
 */
export async function withArgumentsMade(send, params) {
  const { executionContextId, uniqueContextId, objectId } = params;
  /** @type {string[]} */
  const made = [];
  const make = async (/** @type {any} */ each) => {
    if (typeof each?.value !== "object" || !wouldChange(each.value)) return each;
    const functionDeclaration = `() => (${sourceOf(each.value)})`;
    const { result } = await send("Runtime.callFunctionOn", { functionDeclaration, executionContextId, uniqueContextId, objectId, silent: true });
    if (result.objectId === undefined) throw cdpError(-32000, "An argument is nested too deep for Chrome to make it in the page.");
    made.push(result.objectId);
    return { objectId: result.objectId };
  };
  return { params: { ...params, arguments: await Promise.all(params.arguments.map(make)) }, made };
}
