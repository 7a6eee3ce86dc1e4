/**
 * chrome.debugger for the daemon: raw CDP in a tab, or in a target that has no tab. Who attached it hears its events.
 * @module
 */
import { jsonText } from "../link/messages.js";
import { say } from "../worker_port.js";
import { attachTo, debuggeeOf, listenToAttachments, release, releaseAll, sendTo, whenKnown } from "./attachments.js";
import { carry, refuseHalfPairs } from "./carry.js";
import { takeNodes } from "./deep_nodes.js";

/** @typedef {import("./attachments.js").Key} Key */

/** @type {Map<Key, {params: string, link: string}[]>} events that wait until what explains them has been said */
const held = new Map();

/** @type {(tab: number, links: Set<string>, method: string, params: any) => void} */
let watcher = () => {};
/** Is called for each event of a tab's Page domain that opens a window. @param {typeof watcher} call */
export const watchWindows = (call) => void (watcher = call);

/** @type {(links: Set<string>, params: any) => void} */
let downloadWatcher = () => {};
/** Is called where a page, or a frame in it, begins a download. @param {typeof downloadWatcher} call */
export const watchDownloads = (call) => void (downloadWatcher = call);

/** @param {{tab?: number, target?: string}} params @returns {Key} */
function keyOf({ tab, target }) {
  if (Number.isInteger(tab)) return /** @type {number} */ (tab);
  if (typeof target === "string" && target) return target;
  throw { name: "BadRequestError", message: '"tab" (a number) or "target" (a string) must be there', path: "tab" };
}

/** @param {Key} key */
const named = (key) => (typeof key === "number" ? `{"tab":${key},` : `{"target":${JSON.stringify(key)},`);

/**
 * @param {Key} key
 * @param {Iterable<string>} links
 * @param {string|undefined} session
 * @param {string} method
 * @param {any} params
 */
function tell(key, links, session, method, params) {
  const whose = session ? `"session":${JSON.stringify(session)},` : "";
  const text = `${named(key)}${whose}"method":${JSON.stringify(method)},"params":${jsonText(params ?? {})}}`;
  const waiting = held.get(key);
  for (const link of links) {
    if (waiting) waiting.push({ params: text, link });
    else say("debugger.event", text, link);
  }
}

/** Names a session. @param {Key} key @param {string} [session] */
const placeOf = (key, session = "") => `${key} ${session}`;

listenToAttachments({
  onEvent: (key, links, source, method, params) => {
    if (links.size === 0) return;
    if (method === "Page.windowOpen" && typeof key === "number") watcher(key, links, method, params);
    if (method === "Page.downloadWillBegin") downloadWatcher(links, params);
    const tellWith = (/** @type {any} */ whole) => tell(key, links, source.sessionId, method, whole);
    if (method === "DOM.setChildNodes" && takeNodes(placeOf(key, source.sessionId), params, tellWith)) return;
    tellWith(params);
  },
  onEnd: (key, links, reason, cause) => tell(key, links, undefined, "Inspector.detached", { reason, ...(cause && { cause }) }),
});

/** @type {import("../types.js").Handler} */
function attach(params, { link }) {
  const key = keyOf(params);
  return whenKnown(() => attachTo(key, link, params.fresh === true));
}

/** @type {import("../types.js").Handler} */
function send({ tab, target, session, method, params }, { text = "" }) {
  const key = keyOf({ tab, target });
  const debuggee = debuggeeOf(key);
  const to = session ? { ...debuggee, sessionId: session } : debuggee;
  refuseHalfPairs(method, params, text);
  const toChrome = (/** @type {string} */ name, /** @type {any} */ given) => sendTo(to, name, given);
  return carry(toChrome, placeOf(key, session), method, params).then(inValue);
}

/** @param {any} value */
const inValue = (value) => ({ value: value ?? {} });

/** @type {import("../types.js").Handler} */
async function detach(params, { link }) {
  const key = keyOf(params);
  await whenKnown(() => release(key, link));
  return {};
}

/** The link is gone for good. @type {import("../types.js").Handler} */
async function detachAll(_params, { link }) {
  await whenKnown(() => releaseAll(link));
  return {};
}

/** Keeps back the events of a tab, until letGo(). @param {number} tab */
export function holdBack(tab) {
  if (!held.has(tab)) held.set(tab, []);
}

/** @param {number} tab */
export function letGo(tab) {
  const waiting = held.get(tab) ?? [];
  held.delete(tab);
  for (const { params, link } of waiting) say("debugger.event", params, link);
}

/** @type {Record<string, import("../types.js").Handler>} */
export const debuggerHandlers = {
  "debugger.attach": attach,
  "debugger.send": send,
  "debugger.detach": detach,
  "debugger.detachAll": detachAll,
};
