/**
 * chrome.debugger for the daemon: raw CDP in a tab, or in a target that has no tab. Who attached it hears its events.
 * @module
 */
import { jsonText } from "../link/messages.js";
import { say } from "../worker_port.js";

/** @typedef {number|string} Key a tab's id or Chrome's id of a target */
/** @typedef {{links: Set<string>, ready: Promise<any>}} Attachment `ready` settles with Chrome's answer to the attaching */

/** @type {Map<Key, Attachment>} */
const attachments = new Map();
/** @type {Map<Key, {params: string, link: string}[]>} events that wait until what explains them has been said */
const held = new Map();

/** @type {Map<Key, string>} why Chrome says it ends an attachment, a moment before it does */
const causes = new Map();

let ready = false;
/** An attached debugger keeps the worker alive; this is for a worker that was killed all the same. */
export const restored = (async () => {
  const { attached = [] } = /** @type {any} */ (await chrome.storage.session.get("attached"));
  for (const [key, links] of attached) attachments.set(key, { links: new Set(links), ready: Promise.resolve() });
  ready = true;
})();

const keep = () => void chrome.storage.session.set({ attached: [...attachments].map(([key, { links }]) => [key, [...links]]) });

/** @type {(tab: number, links: Set<string>, method: string, params: any) => void} */
let watcher = () => {};
/** Is called for each event of a tab's Page domain that opens a window. @param {typeof watcher} call */
export const watchWindows = (call) => void (watcher = call);

/** @param {{tab?: number, target?: string}} params @returns {Key} */
function keyOf({ tab, target }) {
  if (Number.isInteger(tab)) return /** @type {number} */ (tab);
  if (typeof target === "string" && target) return target;
  throw { name: "BadRequestError", message: '"tab" (a number) or "target" (a text) must be there', path: "tab" };
}

/** @param {Key} key @returns {chrome.debugger.Debuggee} */
const debuggeeOf = (key) => (typeof key === "number" ? { tabId: key } : { targetId: key });

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

/** @param {{tabId?: number, targetId?: string}} source @returns {Key|undefined} */
const keyOfSource = ({ tabId, targetId }) => tabId ?? targetId;

/**
 * @param {chrome.debugger.DebuggerSession} source
 * @param {string} method
 * @param {any} params
 */
function hear(source, method, params) {
  const key = keyOfSource(source);
  const links = key === undefined ? undefined : attachments.get(key)?.links;
  if (key === undefined || !links) return;
  if (source.sessionId === undefined) {
    if (method === "Inspector.detached") return void causes.set(key, params?.reason); // onDetach follows
    if (method === "Inspector.targetCrashed" && typeof key === "string") void lookFor(key);
  }
  if (method === "Page.windowOpen" && typeof key === "number") watcher(key, links, method, params);
  tell(key, links, source.sessionId, method, params);
}

chrome.debugger.onEvent.addListener((source, method, params) => {
  if (ready) hear(source, method, params);
  else void restored.then(() => hear(source, method, params));
});

/** @param {chrome.debugger.Debuggee} source @param {string} reason */
function lost(source, reason) {
  const key = keyOfSource(source);
  const attachment = key === undefined ? undefined : attachments.get(key);
  if (key === undefined || !attachment) return;
  attachments.delete(key);
  keep();
  const cause = causes.get(key);
  causes.delete(key);
  tell(key, attachment.links, undefined, "Inspector.detached", { reason, ...(cause && { cause }) });
}

/**
 * Of the end of a shared worker Chrome says no more than that it crashed; a service worker comes back under the same id.
 * @param {string} target
 */
async function lookFor(target) {
  const targets = await chrome.debugger.getTargets();
  if (targets.some(({ id }) => id === target)) return;
  lost({ targetId: target }, "target_closed");
  chrome.debugger.detach({ targetId: target }).catch(() => {});
}

chrome.debugger.onDetach.addListener((source, reason) => {
  if (ready) lost(source, reason);
  else void restored.then(() => lost(source, reason));
});

/**
 * Attaches at once, or joins the attachment that is there.
 * @param {Key} key
 * @param {string} link
 * @param {boolean} [fresh] whether an attachment of ours that is there is to be ended first, also that of other links
 * @returns {Promise<{already?: true}>}
 */
export async function attachTo(key, link, fresh = false) {
  const there = attachments.get(key);
  if (there && !fresh) {
    there.links.add(link);
    keep();
    await there.ready;
    return { already: true };
  }
  if (there) {
    const others = [...there.links].filter((other) => other !== link);
    // What they have enabled there ends with the old session: it is said, not kept from them.
    tell(key, others, undefined, "Inspector.detached", { reason: "replaced_by_another_daemon" });
    chrome.debugger.detach(debuggeeOf(key)).catch(() => {}); // Chrome does one after the other
  }
  /** @type {Attachment} */
  const mine = { links: new Set([link]), ready: refused("attach", chrome.debugger.attach(debuggeeOf(key), "1.3")) };
  attachments.set(key, mine);
  keep();
  try {
    await mine.ready;
  } catch (error) {
    if (attachments.get(key) === mine && attachments.delete(key)) keep();
    throw error;
  }
  return {};
}

/** @type {import("../types.js").Hand} */
function attach(params, { link }) {
  const key = keyOf(params);
  if (ready) return attachTo(key, link, params.fresh === true);
  return restored.then(() => attachTo(key, link, params.fresh === true));
}

/** @type {import("../types.js").Hand} */
function send({ tab, target, session, method, params }) {
  const debuggee = debuggeeOf(keyOf({ tab, target }));
  return sendTo(session ? { ...debuggee, sessionId: session } : debuggee, method, params).then(inValue);
}

/** @param {any} value */
const inValue = (value) => ({ value: value ?? {} });

/**
 * @param {chrome.debugger.DebuggerSession} session
 * @param {string} method
 * @param {any} params
 * @returns {Promise<any>}
 */
export function sendTo(session, method, params) {
  try {
    return chrome.debugger.sendCommand(session, method, params ?? {}).catch((error) => refuse(method, error));
  } catch (error) {
    // Chrome looks at the shape before anything else.
    return Promise.reject({ name: "BadRequestError", message: `${method}: ${/** @type {any} */ (error)?.message}`, cdp: { code: -32602, message: String(/** @type {any} */ (error)?.message) } });
  }
}

/** @type {import("../types.js").Hand} */
async function detach(params, { link }) {
  const key = keyOf(params);
  if (!ready) await restored;
  await release(key, link);
  return {};
}

/** The link is gone for good: Chrome's debugging bar goes with it. @type {import("../types.js").Hand} */
async function detachAll(_params, { link }) {
  await restored;
  await Promise.all([...attachments.keys()].map((key) => release(key, link).catch(() => {})));
  return {};
}

/**
 * @param {Key} key
 * @param {string} link
 */
export async function release(key, link) {
  const attachment = attachments.get(key);
  if (!attachment?.links.delete(link)) return;
  if (attachment.links.size === 0) attachments.delete(key);
  keep();
  if (attachment.links.size === 0) await refused("detach", chrome.debugger.detach(debuggeeOf(key)));
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

/**
 * @template T
 * @param {string} what
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
const refused = (what, promise) => promise.catch((error) => refuse(what, error));

/**
 * Chrome gives CDP's own errors as the JSON text of `{code, message}`: they go on as they are, in `cdp`.
 * @param {string} what
 * @param {any} error
 * @returns {never}
 */
function refuse(what, error) {
  const text = String(error?.message ?? error);
  if (text === "No SW") throw error; // the worker is being ended: it is told apart by that text
  /** @type {any} */
  let cdp;
  try {
    cdp = JSON.parse(text);
  } catch {
    cdp = undefined;
  }
  throw { name: "BadRequestError", message: `${what}: ${cdp?.message ?? text}`, cdp: cdp ?? { code: -32000, message: text } };
}

/** @type {Record<string, import("../types.js").Hand>} */
export const debuggerHands = {
  "debugger.attach": attach,
  "debugger.send": send,
  "debugger.detach": detach,
  "debugger.detachAll": detachAll,
};
