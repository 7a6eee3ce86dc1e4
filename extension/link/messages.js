/**
 * The texts of JSON-RPC messages, put together by hand where a payload shall be turned into text only once.
 * @module
 */

/** What the daemon takes as one message is 272 MiB; this leaves room for the head. Bytes of UTF-8. */
const MAX_BYTES = 268 * 1024 * 1024;

const HEAD = '{"jsonrpc":"2.0","id":';
const METHOD = ',"method":"';

/**
 * Reads the head of a request that starts `{"jsonrpc":"2.0","id":17,"method":"…"`, and nothing behind it.
 * @param {string} text
 * @returns {{id: string, method: string}|null} null where it starts otherwise
 */
export function readHead(text) {
  if (!text.startsWith(HEAD)) return null;
  let at = HEAD.length;
  while (isDigit(text.charCodeAt(at))) at++;
  if (at === HEAD.length || !text.startsWith(METHOD, at)) return null;
  const start = at + METHOD.length;
  return { id: text.slice(HEAD.length, at), method: text.slice(start, text.indexOf('"', start)) };
}

/** @param {number} code */
const isDigit = (code) => code >= 48 && code <= 57;

/**
 * @param {string} id raw JSON
 * @param {any} result
 * @returns {string} the answer, or the error that it is too large
 */
export function resultText(id, result) {
  try {
    const text = `${HEAD}${id},"result":${jsonText(result ?? {})}}`;
    if (fits(text)) return text;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // else longer than any string may be
  }
  return errorText(id, { name: "ResultTooLargeError", message: `the answer is larger than ${MAX_BYTES >> 20} MiB, which is all that one message may hold` });
}

/** JSON.stringify ends the process where its text comes to 256 MiB (Chromium 156): longer strings are written in slices. Characters. */
const LONG = 16 * 1024 * 1024;
/** CDP has its large strings (bodies, screenshots, values) near the top. */
const LEVELS = 4;

/** A value whose JSON text is known. */
export class RawJson {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/**
 * JSON.stringify, also for an object with strings of hundreds of megabytes, or with RawJson as its `value`.
 * @param {any} value
 * @returns {string}
 */
export function jsonText(value) {
  if (value?.value instanceof RawJson) return `{"value":${value.value.text}}`;
  return holdsLong(value, LEVELS) ? longText(value, LEVELS) : JSON.stringify(value);
}

/** @param {any} value @param {number} levels @returns {boolean} */
function holdsLong(value, levels) {
  if (typeof value === "string") return value.length > LONG;
  if (levels === 0 || typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const key in value) if (holdsLong(value[key], levels - 1)) return true;
  return false;
}

/** @param {any} value @param {number} levels @returns {string} */
function longText(value, levels) {
  if (!holdsLong(value, levels)) return JSON.stringify(value);
  if (typeof value !== "string") return `{${Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}:${longText(each, levels - 1)}`).join(",")}}`;
  const slices = [];
  for (let at = 0; at < value.length; ) {
    let end = Math.min(at + LONG, value.length);
    if (end < value.length && (value.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--; // a pair stays together
    slices.push(JSON.stringify(value.slice(at, end)).slice(1, -1));
    at = end;
  }
  return `"${slices.join("")}"`;
}

/**
 * @param {string} id raw JSON
 * @param {any} thrown an Error or a plain object with name, message, maybe code, and further fields
 */
export function errorText(id, thrown) {
  const { code, ...more } = { ...thrown };
  const data = { name: thrown.name ?? "InternalError", message: String(thrown.message ?? thrown), ...more };
  const number = code ?? (data.name === "BadRequestError" ? -32602 : -32000);
  return `${HEAD}${id},"error":${wellFormed(JSON.stringify({ code: number, message: data.message, data }))}}`;
}

/**
 * @param {string} method
 * @param {string} params JSON
 */
export function notificationText(method, params) {
  return `{"jsonrpc":"2.0","method":"${method}","params":${params}}`;
}

/**
 * An error of a hand as the daemon may see it: only names of the protocol's list leave the extension.
 * @param {any} error
 * @returns {{name: string, message: string, cdp?: any, path?: string, worker_lost?: boolean}} `worker_lost`: it may have been
 *   carried out or not
 */
export function presentable({ name, message, cdp, path }) {
  if (name === "WorkerLost") return { name: "InternalError", message, worker_lost: true };
  const known = /Error$/.test(name) && name !== "Error" && !(name in globalThis);
  return { name: known ? name : "InternalError", message: String(message), ...(cdp && { cdp }), ...(path && { path }) };
}

/** Of a long text no more than this goes over a port at once. Characters, of two bytes at most. */
const PIECE = 32 * 1024 * 1024;

/**
 * Posts an object, its text `name` in pieces where it is long; Pieces puts them together again.
 * @param {MessagePort} port
 * @param {Record<string, any>} message
 * @param {string} name
 */
export function postText(port, message, name) {
  const text = message[name];
  let at = 0;
  while (text.length - at > PIECE) port.postMessage({ piece: text.slice(at, (at += PIECE)) });
  port.postMessage(at === 0 ? message : { ...message, [name]: text.slice(at) });
}

/** Of one port; its messages come in order. */
export class Pieces {
  constructor() {
    /** @type {string[]} */
    this.waiting = [];
  }

  /**
   * @param {any} message as postText posted it, or another
   * @returns {boolean} whether it was a piece, and is to be left alone
   */
  take({ piece }) {
    if (piece === undefined) return false;
    this.waiting.push(piece);
    return true;
  }

  /** The whole of a text whose last piece has come. @param {string} last */
  whole(last) {
    return this.waiting.length === 0 ? last : this.waiting.splice(0).join("") + last;
  }
}

/**
 * Whether the daemon takes it as one message.
 * @param {string} text
 */
export function fits(text) {
  if (text.length * 3 <= MAX_BYTES) return true;
  if (text.length > MAX_BYTES) return false;
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1; // a pair is four bytes for two
  }
  return bytes <= MAX_BYTES;
}

/** Halves of surrogate pairs, which the daemon refuses in an error, become U+FFFD. @param {string} json */
const wellFormed = (json) => json.replace(/\\ud[89a-f][0-9a-f]{2}/g, "\\ufffd");
