/**
 * Chrome's debugger on tabs and other targets. Chrome gives an extension one attachment a target, so whoever needs one shares it:
 * it begins with the first user and ends with the last, and either may come or go first.
 *
 * Users are links (programs that speak CDP through a daemon), callers (programs that call chrome.debugger.attach themselves) and
 * work (a task's, which asks a few things and goes, and leaves nothing switched on).
 * @module
 */
import { emit } from "../worker_port.js";
import { keep as keepValue, recall } from "./kept.js";
import { isRefusal, whoCame, whoIsInTheWay } from "./other_extensions.js";

/** @typedef {number|string} Key a tab's id or Chrome's id of a target */

/**
 * @typedef {object} Attachment
 * @property {Set<string>} links that hear its events, by address
 * @property {Set<string>} callers by their link's address
 * @property {number} work how many pieces of work use it now
 * @property {boolean} replaced a link has begun the target anew
 * @property {string} [cause] why Chrome says it ends it, a moment before it does
 * @property {Promise<any>} ready settles with Chrome's answer to the attaching
 */

/**
 * Who is told.
 * @typedef {object} Listener
 * @property {(key: Key, links: Set<string>, source: chrome.debugger.DebuggerSession, method: string, params: any) => void} onEvent
 * @property {(key: Key, links: Iterable<string>, reason: string, cause?: string) => void} onEnd the attachment has ended for these links
 */

/** How often a piece of work begins again because a link began its target anew. */
const MAX_TRIES = 5;

/** @type {Map<Key, Attachment>} */
const attachments = new Map();
/** @type {Listener} */
let listener = { onEvent: () => {}, onEnd: () => {} };

/** @param {Listener} given */
export function listenToAttachments(given) {
  listener = given;
}

/** @param {Key} key @returns {chrome.debugger.Debuggee} */
export const debuggeeOf = (key) => (typeof key === "number" ? { tabId: key } : { targetId: key });

/** @param {{tabId?: number, targetId?: string}} source @returns {Key|undefined} */
const keyOf = ({ tabId, targetId }) => tabId ?? targetId;

// what outlives this worker: an attached debugger keeps it alive, but it may be killed all the same

let known = false;
export const restored = (async () => {
  for (const [key, links, callers] of await recall("attached")) {
    attachments.set(key, { links: new Set(links), callers: new Set(callers), work: 0, replaced: false, ready: Promise.resolve() });
  }
  known = true;
  for (const key of [...attachments.keys()]) void endUnused(key).catch(() => {}); // only work had used it, and died
})();

/** Calls at once where it is known what is attached: what follows an attaching may then follow without waiting. @template T @param {() => T|Promise<T>} call */
export function whenKnown(call) {
  return known ? call() : restored.then(call);
}

function keep() {
  void keepValue("attached", [...attachments].map(([key, { links, callers }]) => [key, [...links], [...callers]]));
}

/**
 * @param {Key} key
 * @param {Attachment} [old] ends
 * @returns {Attachment} that is being made
 */
function begin(key, old) {
  if (old) {
    old.replaced = true;
    chrome.debugger.detach(debuggeeOf(key)).catch(() => {}); // Chrome does one after the other
  }
  /** @type {Attachment} */
  const made = { links: new Set(), callers: new Set(old?.callers), work: 0, replaced: false, ready: refused("attach", attachAnyhow(key), key) };
  attachments.set(key, made);
  keep();
  made.ready.catch(() => {
    if (attachments.get(key) === made && attachments.delete(key)) keep();
  });
  return made;
}

/** Chrome says "already attached" of this extension alone: a worker that died has left what is in no book. @param {Key} key */
async function attachAnyhow(key) {
  try {
    await chrome.debugger.attach(debuggeeOf(key), "1.3");
  } catch (error) {
    if (!/already attached/i.test(String(/** @type {any} */ (error)?.message))) throw error;
    await chrome.debugger.detach(debuggeeOf(key)).catch(() => {});
    await chrome.debugger.attach(debuggeeOf(key), "1.3");
  }
}

/** @param {Key} key */
async function endUnused(key) {
  const attachment = attachments.get(key);
  if (!attachment || attachment.links.size + attachment.callers.size + attachment.work > 0) return;
  attachments.delete(key);
  keep();
  await refused("detach", chrome.debugger.detach(debuggeeOf(key)), key);
}

/**
 * A link uses it from now on. To be called when it is known what is attached.
 * @param {Key} key
 * @param {string} link
 * @param {boolean} [fresh] nothing may be left of what links had switched on there
 * @returns {Promise<{already?: true}>}
 */
export async function attachTo(key, link, fresh = false) {
  const there = attachments.get(key);
  const used = there !== undefined && there.links.size + there.callers.size > 0;
  const mine = there && !(used && fresh) ? there : begin(key, there);
  mine.links.add(link);
  keep();
  if (there && mine !== there) {
    // What the others have switched on ended with the old session: they are told.
    const others = [...there.links].filter((other) => other !== link);
    listener.onEnd(key, others, "replaced_by_another_daemon");
  }
  await mine.ready;
  return mine === there && used ? { already: true } : {};
}

/**
 * The link uses it no more.
 * @param {Key} key
 * @param {string} link
 */
export async function release(key, link) {
  if (!attachments.get(key)?.links.delete(link)) return;
  keep();
  await endUnused(key);
}

/** The link is gone for good, and the callers that came by it: Chrome's debugging bar goes with them. @param {string} link */
export async function releaseAll(link) {
  const left = [...attachments].filter(([, { links, callers }]) => [links.delete(link), callers.delete(link)].includes(true));
  if (left.length > 0) keep();
  await Promise.all(left.map(([key]) => endUnused(key).catch(() => {})));
}

/** Of no other links is anything left. @param {string[]} addresses */
export async function releaseAllBut(addresses) {
  const all = [...attachments.values()].flatMap(({ links, callers }) => [...links, ...callers]);
  await Promise.all([...new Set(all)].filter((link) => !addresses.includes(link)).map((link) => releaseAll(link)));
}

/** In Chrome's words. @param {Key} key */
const nameOf = (key) => `${typeof key === "number" ? "tab" : "target"} with id: ${key}`;

/**
 * chrome.debugger.attach as a program calls it.
 * @param {string} link
 * @param {chrome.debugger.Debuggee} debuggee
 */
export async function attachCaller(link, debuggee) {
  await restored;
  const key = keyOf(debuggee);
  if (key === undefined) return chrome.debugger.attach(debuggee, "1.3"); // Chrome says what is wrong with it
  const there = attachments.get(key);
  if (there?.callers.has(link)) throw new Error(`Another debugger is already attached to the ${nameOf(key)}.`);
  const mine = there ?? begin(key);
  mine.callers.add(link);
  keep();
  await mine.ready;
}

/**
 * chrome.debugger.detach as a program calls it.
 * @param {string} link
 * @param {chrome.debugger.Debuggee} debuggee
 */
export async function detachCaller(link, debuggee) {
  await restored;
  const key = keyOf(debuggee);
  if (key === undefined) return chrome.debugger.detach(debuggee);
  if (!attachments.get(key)?.callers.delete(link)) throw new Error(`Debugger is not attached to the ${nameOf(key)}.`);
  keep();
  await endUnused(key);
}

/**
 * Does something with the debugger on a target, together with whoever else is there. Where it fails because a link began the
 * target anew meanwhile, it begins anew; what has been asked by then may have been carried out.
 * @template T
 * @param {Key} key
 * @param {(target: chrome.debugger.Debuggee, stands: () => boolean) => Promise<T>} work `stands`: no link has begun the target anew
 * @returns {Promise<T>}
 */
export async function withDebugger(key, work) {
  await restored;
  for (let tries = 1; ; tries++) {
    const mine = attachments.get(key) ?? begin(key);
    mine.work++;
    try {
      await mine.ready;
      return await work(debuggeeOf(key), () => !mine.replaced);
    } catch (error) {
      if (!mine.replaced || tries === MAX_TRIES) throw error;
    } finally {
      mine.work--;
      if (attachments.get(key) === mine) await endUnused(key).catch(() => {});
    }
  }
}

/**
 * @param {chrome.debugger.DebuggerSession} session
 * @param {string} method
 * @param {any} [params]
 * @returns {Promise<any>}
 */
export function sendTo(session, method, params) {
  try {
    return refused(method, chrome.debugger.sendCommand(session, method, params ?? {}), keyOf(session));
  } catch (error) {
    // Chrome looks at the shape before anything else.
    return Promise.reject({ name: "BadRequestError", message: `${method}: ${/** @type {any} */ (error)?.message}`, cdp: { code: -32602, message: String(/** @type {any} */ (error)?.message) } });
  }
}

/**
 * @template T
 * @param {string} what
 * @param {Promise<T>} promise
 * @param {Key|undefined} key
 * @returns {Promise<T>}
 */
const refused = (what, promise, key) =>
  promise.catch(async (error) => {
    const who = isRefusal(error) ? await whoIsInTheWay(key) : "";
    return refuse(what, who ? `${error.message}: ${who}` : error);
  });

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

// what Chrome tells

/**
 * @param {chrome.debugger.DebuggerSession} source
 * @param {string} method
 * @param {any} params
 */
function onEvent(source, method, params) {
  const key = keyOf(source);
  const attachment = key === undefined ? undefined : attachments.get(key);
  if (key === undefined || !attachment) return;
  if (source.sessionId === undefined) {
    if (method === "Inspector.detached") return void (attachment.cause = params?.reason); // onDetach follows
    if (method === "Inspector.targetCrashed" && typeof key === "string") void lookFor(key);
  }
  listener.onEvent(key, attachment.links, source, method, params);
}

/** @param {chrome.debugger.Debuggee} source @param {string} reason */
function onDetach(source, reason) {
  const key = keyOf(source);
  const attachment = key === undefined ? undefined : attachments.get(key);
  if (key === undefined || !attachment) return;
  attachments.delete(key);
  keep();
  listener.onEnd(key, attachment.links, reason, attachment.cause);
  if (reason === "target_closed" && typeof key === "number") {
    whoCame(key).then((who) => who && emit("log", { level: "warn", text: `Chrome has ended the debugging of tab ${key}: ${who}` })).catch(() => {}); // the tab is gone
  }
}

/**
 * Of the end of a shared worker Chrome says no more than that it crashed; a service worker comes back under the same id.
 * @param {string} target
 */
async function lookFor(target) {
  const targets = await chrome.debugger.getTargets();
  if (targets.some(({ id }) => id === target)) return;
  onDetach({ targetId: target }, "target_closed");
  chrome.debugger.detach({ targetId: target }).catch(() => {});
}

chrome.debugger.onEvent.addListener((source, method, params) => void whenKnown(() => onEvent(source, method, /** @type {any} */ (params))));
chrome.debugger.onDetach.addListener((source, reason) => void whenKnown(() => onDetach(source, reason)));
