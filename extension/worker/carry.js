/**
 * One CDP command on its way to chrome.debugger, such that its client gets what a raw Chrome gives it.
 * @module
 */
import { cdpError, givesValue, hasArguments, sendByValue, withArgumentsMade } from "./by_value.js";
import { isDeep, sendDeep } from "./deep_nodes.js";

/** @typedef {(method: string, params: any) => Promise<any>} Send to one session */

/** @type {Map<string, Promise<any>>} sessions in which arguments are being made: what runs scripts there waits for its turn */
const making = new Map();

/** Of Runtime, what must get through while a page is busy. */
const NEVER_WAITS = new Set(["Runtime.terminateExecution", "Runtime.runIfWaitingForDebugger"]);

/** Levels that Chrome's deep serialisation may have: each comes to three of JSON. */
const DEEP_LEVELS = 60;

/**
 * Is synchronous where it can be, so that commands reach Chrome in the order in which they came.
 * @param {Send} send
 * @param {string} where names the session
 * @param {string} method
 * @param {any} params
 * @returns {Promise<any>} Chrome's answer
 */
export function carry(send, where, method, params) {
  if (isDeep(method, params)) return sendDeep(send, where, method, params);
  if (!method.startsWith("Runtime.") && method !== "Debugger.evaluateOnCallFrame") return send(method, params);
  const turn = making.get(where);
  if (!hasArguments(method, params)) {
    return turn && !NEVER_WAITS.has(method) ? turn.then(() => run(send, method, params)) : run(send, method, params);
  }
  const made = (turn ?? Promise.resolve()).then(() => withArgumentsMade(send, params));
  const running = made.then((args) => ({ ...args, answer: run(send, method, args.params) }));
  const settled = running.then(
    () => {},
    () => {},
  );
  making.set(where, settled);
  void settled.then(() => making.get(where) === settled && making.delete(where));
  return running.then(({ answer, made: ids }) =>
    answer.finally(() => {
      for (const objectId of ids) send("Runtime.releaseObject", { objectId }).catch(() => {}); // its context may be gone
    }),
  );
}

/** @param {Send} send @param {string} method @param {any} params @returns {Promise<any>} */
function run(send, method, params) {
  if (givesValue(method, params)) return sendByValue(send, method, params);
  const options = params?.serializationOptions;
  if (options?.serialization !== "deep" || options.maxDepth <= DEEP_LEVELS) return send(method, params);
  return send(method, { ...params, serializationOptions: { ...options, maxDepth: DEEP_LEVELS } }).then((answer) => {
    if (!isCut(answer.result?.deepSerializedValue, DEEP_LEVELS)) return answer;
    throw cdpError(-32000, `Chrome tells an extension no value of more than ${DEEP_LEVELS} levels in this form: ask for it with a maxDepth, or by value.`);
  });
}

/** @param {any} value a DeepSerializedValue @param {number} levels that it may have @returns {boolean} */
function isCut(value, levels) {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some((each) => isCut(each, levels));
  if (value.value === undefined) return levels === 0 && ["array", "object", "map", "set"].includes(value.type);
  return isCut(value.value, levels - 1);
}

/**
 * Half of a surrogate pair reaches Chrome as U+FFFD: it is refused, not changed. Arguments are made in the page and may have it.
 * @param {string} method
 * @param {any} params
 * @param {string} text the message; looked through where it has such an escape at all
 * @returns {void}
 */
export function refuseHalfPairs(method, params, text) {
  if (!text.includes("\\ud") && !text.includes("\\uD")) return;
  const { arguments: args = [], ...others } = params ?? {};
  const plain = Array.isArray(args) ? args.filter((/** @type {any} */ each) => typeof each?.value !== "object") : args;
  if (!holdsHalf([others, plain])) return;
  throw cdpError(-32000, `${method}: a text in its params holds half of a surrogate pair, which no extension can hand to Chrome. In a script write it as an escape.`);
}

/** @param {any} value @returns {boolean} */
function holdsHalf(value) {
  if (typeof value === "string") return !value.isWellFormed();
  return typeof value === "object" && value !== null && Object.values(value).some(holdsHalf);
}
