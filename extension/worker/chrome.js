/**
 * Every function and event of chrome.*, by its dotted path.
 * @module
 */
import { emit, say } from "../worker_port.js";
import { attachCaller, detachCaller } from "./attachments.js";
import { keep as keepValue, recall } from "./kept.js";

/** What answers with a live object, or wants one. */
const NO_CALL = /^(runtime\.(connect|connectNative|getBackgroundPage|getPackageDirectoryEntry|reload)|tabs\.connect|extension\.(getViews|getBackgroundPage)|offscreen\..*|action\.setBadge.*)$/;

/** Events whose listener must answer at once, or is handed a live object. */
const NO_EVENT = /^(runtime\.(onConnect|onMessage|onUserScript)\w*|extension\.on\w+|ttsEngine\.\w+|printerProvider\.\w+|webRequest\.onAuthRequired|downloads\.onDeterminingFilename|accessibilityFeatures\..*)$/;

/**
 * @param {string} path
 * @returns {{owner: any, value: any}} what `chrome.<path>` is, and what holds it
 */
function resolve(path) {
  if (typeof path !== "string" || !/^[A-Za-z]\w*(\.\w+)+$/.test(path))
    throw { name: "BadRequestError", message: `${JSON.stringify(path)} is not the path of a chrome.* function, such as "tabs.query"`, path: "path" };
  /** @type {any} */
  let owner = chrome;
  const names = path.split(".");
  for (const name of names.slice(0, -1)) {
    owner = owner !== null && typeof owner === "object" && name in owner && !(name in Object.prototype) ? owner[name] : undefined;
    if (owner === undefined) break;
  }
  const last = names[names.length - 1];
  if (owner == null || last in Object.prototype || !(last in owner)) {
    const hint = names[0] === "userScripts" ? ': switch on "Allow user scripts" on the extension\'s page of chrome://extensions' : "";
    throw { name: "BadRequestError", message: `this browser has no chrome.${path}${hint}`, path: "path" };
  }
  return { owner, value: owner[last] };
}

/**
 * @param {any} value
 * @param {string} path
 * @param {number} depth
 * @returns {string|null} where in the value something lies that JSON cannot carry
 */
function foreign(value, path, depth = 0) {
  if (value === null || typeof value !== "object") return typeof value === "function" || typeof value === "bigint" ? path : null;
  if (depth > 100) return path;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = foreign(value[i], `${path}[${i}]`, depth + 1);
      if (found) return found;
    }
    return null;
  }
  const kind = Object.prototype.toString.call(value);
  if (kind !== "[object Object]") return path;
  for (const key of Object.keys(value)) {
    const found = foreign(value[key], `${path}.${key}`, depth + 1);
    if (found) return found;
  }
  return null;
}

/** What shares a thing of this extension's with others. @type {Record<string, (link: string, ...args: any[]) => Promise<any>>} */
const SHARED = { "debugger.attach": attachCaller, "debugger.detach": detachCaller };

/** @type {import("../types.js").Handler} */
function call({ path, args }, { link }) {
  const { owner, value } = resolve(path);
  if (typeof value !== "function") {
    const found = foreign(value, path);
    if (found) throw { name: "BadRequestError", message: `chrome.${path} is not a function`, path: "path" };
    return { value };
  }
  if (NO_CALL.test(path)) throw { name: "NotSerializableError", message: `chrome.${path} works with a live object or is the extension's own: it cannot be called from outside`, path };
  const list = args ?? [];
  if (!Array.isArray(list)) throw { name: "BadRequestError", message: "args must be a list", path: "args" };
  try {
    const answer = Object.hasOwn(SHARED, path) ? SHARED[path](link, ...list) : value.apply(owner, list);
    if (typeof answer?.then !== "function") return finish(path, answer);
    return answer.then(
      (/** @type {any} */ result) => finish(path, result),
      (/** @type {any} */ error) => refuse(path, error),
    );
  } catch (error) {
    return refuse(path, error);
  }
}

/**
 * @param {string} path
 * @param {any} value
 */
function finish(path, value) {
  const found = foreign(value, path);
  if (found) throw { name: "NotSerializableError", message: `the result of chrome.${path} holds a value that JSON cannot carry, at ${found}`, path: found };
  return { value: value ?? null };
}

/**
 * @param {string} path
 * @param {any} error
 * @returns {never}
 */
function refuse(path, error) {
  const text = String(error?.message ?? error);
  if (text === "No SW") throw error; // the worker is being ended: it is told apart by that text
  throw { name: "BadRequestError", message: `chrome.${path}: ${text}`, cdp: { code: -32000, message: text } };
}

/** @typedef {{event: any, listener: (...args: any[]) => void, filter: any, links: Set<string>}} Subscription */
/** @type {Map<string, Subscription>} by path */
const subscriptions = new Map();

/**
 * @param {string} path
 * @param {any} filter
 * @param {string[]} links
 */
function listen(path, filter, links) {
  const { value: event } = resolve(path);
  if (typeof event?.addListener !== "function") throw { name: "BadRequestError", message: `chrome.${path} is not an event`, path: "path" };
  if (NO_EVENT.test(path)) throw { name: "NotSerializableError", message: `a listener of chrome.${path} must answer at once or is handed a live object: it cannot be subscribed to from outside`, path };
  const listener = (/** @type {any[]} */ ...args) => {
    const plain = args.map((arg) => (foreign(arg, path) ? null : arg));
    const params = JSON.stringify({ path, args: plain });
    for (const link of subscriptions.get(path)?.links ?? []) say("chrome.event", params, link);
  };
  try {
    if (filter == null) event.addListener(listener);
    else event.addListener(listener, ...(Array.isArray(filter) ? filter : [filter]));
  } catch (error) {
    refuse(`${path}.addListener`, error);
  }
  subscriptions.set(path, { event, listener, filter, links: new Set(links) });
}

function keep() {
  return keepValue("subscriptions", [...subscriptions].map(([path, { filter, links }]) => ({ path, filter, links: [...links] })));
}

/** Restores what an earlier run of this worker listened to. */
const restored = (async () => {
  for (const { path, filter, links } of await recall("subscriptions")) {
    try {
      listen(path, filter, links);
    } catch (error) {
      emit("log", { level: "warn", text: `cannot listen to chrome.${path} again: ${/** @type {any} */ (error)?.message}` });
    }
  }
})();

/** @type {import("../types.js").Handler} */
async function subscribe({ path, filter }, { link }) {
  await restored;
  const known = subscriptions.get(path);
  if (known && JSON.stringify(known.filter ?? null) === JSON.stringify(filter ?? null)) known.links.add(link);
  else {
    const links = known ? [...known.links, link] : [link];
    if (known) known.event.removeListener(known.listener);
    listen(path, filter, links);
  }
  await keep();
  return {};
}

/** @type {import("../types.js").Handler} */
async function unsubscribe({ path }, { link }) {
  await restored;
  drop(path, link);
  await keep();
  return {};
}

/**
 * @param {string} path
 * @param {string} link
 */
function drop(path, link) {
  const known = subscriptions.get(path);
  if (!known?.links.delete(link) || known.links.size > 0) return;
  known.event.removeListener(known.listener);
  subscriptions.delete(path);
}

/** The link has ended: nobody hears its events. @type {import("../types.js").Handler} */
async function unsubscribeAll(_params, { link }) {
  await restored;
  if (subscriptions.size === 0) return {};
  for (const path of [...subscriptions.keys()]) drop(path, link);
  await keep();
  return {};
}

/** No link is linked. */
export async function unsubscribeEverybody() {
  await restored;
  if (subscriptions.size === 0) return;
  for (const [path, { links }] of [...subscriptions]) for (const link of [...links]) drop(path, link);
  await keep();
}

/** @type {Record<string, import("../types.js").Handler>} */
export const chromeHandlers = {
  "chrome.call": call,
  "chrome.subscribe": subscribe,
  "chrome.unsubscribe": unsubscribe,
  "chrome.unsubscribeAll": unsubscribeAll,
};
