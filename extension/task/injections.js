/**
 * The injections into a document: chrome.scripting, chrome.userScripts, chrome.debugger; runs in the worker.
 * @module
 */
import { wake } from "./arrivals.js";
import { failure } from "./errors.js";
import { javascriptOff, withheld } from "./permissions.js";
import { relay } from "./relay.js";
import { viaDebugger } from "./debugger_injection.js";
import { boot, wrapperSource } from "./source.js";
import { asleep, facts, find, forbidden, ordinary } from "./tabs.js";

/** After this time without an answer it is looked whether Chrome has lost the question. */
const LOOK_AGAIN_MS = 1000;
const PING_MS = 500;

/** @typedef {{tab: number, frame: number, document?: string, world: string, ticket: string, limit_ms: number, revive?: boolean}} Place */

class Lost extends Error {}

/**
 * The answer of an injection; throws Lost where a later one is answered and this is not: it was meant for a page that was replaced
 * while it was on its way, and Chrome never settles its promise.
 * @template T
 * @param {{tab: number, frame: number}} where
 * @param {Promise<T>} injection
 * @param {number} limit_ms
 * @returns {Promise<T>}
 */
async function answered(where, injection, limit_ms) {
  const end = Date.now() + limit_ms;
  const still = Symbol("still waiting");
  /** @param {Promise<any>} promise @param {number} ms */
  const soon = (promise, ms) => {
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, ms, still)));
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };
  for (;;) {
    const said = await soon(injection, Math.min(LOOK_AGAIN_MS, Math.max(0, end - Date.now()) + 1000));
    if (said !== still) return said;
    const tab = await find(where.tab);
    if (!tab || asleep(tab)) throw new Lost();
    const ping = chrome.scripting.executeScript({ target: { tabId: where.tab, frameIds: [where.frame] }, injectImmediately: true, func: () => true });
    const alive = await soon(ping.then(() => true), PING_MS); // its refusal is the answer, too
    if (alive !== still && (await soon(injection, 0)) === still) throw new Lost();
    if (Date.now() > end) throw failure("TimeoutError", "the page does not answer: it is busy, or a dialog is open");
  }
}

/** chrome.userScripts is there, and the person has allowed it. */
function userScripts() {
  try {
    const api = chrome.userScripts;
    return typeof api?.execute === "function" ? api : null;
  } catch {
    return null;
  }
}

let configured = false;
async function configure() {
  if (configured) return;
  await chrome.userScripts.configureWorld({ csp: "script-src 'self' 'unsafe-eval' 'unsafe-inline' *; object-src 'none'" });
  configured = true;
}

/** @param {{tab: number, frame: number, document?: string}} place */
function targetOf({ tab, frame, document }) {
  return document ? { tabId: tab, documentIds: [document] } : { tabId: tab, frameIds: [frame] };
}

/**
 * Brings a relay and a waiting wrapper into a document. Nothing of the user's script runs.
 * @param {Place} place
 * @returns {Promise<{outcome: "ready"|"blocked"|"direct"|"silent"|"forbidden"|"gone", document?: string, message?: string, tabs?: any[], revived?: boolean}>}
 *   "blocked": no text can be evaluated in the main world · "direct": only injections that take the script along · "silent": the page may run no
 *   scripts · "gone": the document was replaced meanwhile
 */
export async function place(place) {
  const shut = await withheld(place.tab, place.frame);
  if (shut) return { outcome: "forbidden", message: shut, tabs: await ordinary() };
  const said = await placed(place, false);
  return said.outcome === "altered" ? placed(place, true) : said;
}

/**
 * @param {Place} place
 * @param {boolean} sandbox the page has replaced what the wrapper needs: it finds it in a frame of its own
 * @returns {Promise<any>}
 */
async function placed(place, sandbox) {
  const { tab, world, ticket, limit_ms } = place;
  const injection = { target: targetOf(place), injectImmediately: true };
  const source = wrapperSource(ticket);
  try {
    const first = chrome.scripting.executeScript({ ...injection, func: relay, args: [{ ticket, world, sandbox }] });
    const second = world === "main" ? chrome.scripting.executeScript({ ...injection, world: "MAIN", func: boot, args: [source] }) : null;
    second?.catch(() => {});
    const [{ documentId: document }] = await answered(place, first, limit_ms);
    /** @type {any} */
    let said;
    if (second) {
      const [made] = await answered(place, second, limit_ms);
      if (made.documentId !== document) return { outcome: "gone" };
      said = made.result;
    } else {
      const api = userScripts();
      if (!api) return { outcome: "direct", document };
      await configure();
      const target = { tabId: tab, documentIds: [document] };
      const [made] = await answered(place, api.execute({ target, world: "USER_SCRIPT", injectImmediately: true, js: [{ code: source }] }), limit_ms);
      said = made?.result;
      if (said !== "ready" && made?.error) throw new Error(made.error);
    }
    if (said === "ready") return { outcome: "ready", document };
    if (typeof said === "string" && said.startsWith("blocked:")) return { outcome: "blocked", document };
    if (said === "unheard") return { outcome: "gone", document };
    if (typeof said === "string" && said.startsWith("altered:")) {
      return sandbox ? { outcome: "silent", document, message: alteredText(place, said) } : { outcome: "altered" };
    }
    if (typeof said === "string") throw new Error(`the wrapper did not begin: ${said}`);
    const off = await javascriptOff(tab, place.frame);
    const message = off ?? `the page (frame ${place.frame} of tab ${tab}) is sandboxed without allow-scripts, so its main world runs none; use world "isolated" or "user"`;
    return { outcome: "silent", document, message };
  } catch (error) {
    return refused(place, /** @type {Error} */ (error));
  }
}

/** @param {{tab: number, frame: number}} place @param {string} said */
function alteredText({ tab, frame }, said) {
  const what = said.slice("altered: ".length);
  return `the page (frame ${frame} of tab ${tab}) has replaced built-ins that a script relies on (${what}), and lets no frame be made in which they are whole; use world "isolated" or "user"`;
}

/**
 * What Chrome's refusal means.
 * @param {{tab: number, frame: number, revive?: boolean, limit_ms?: number}} place `revive`: a crashed page is reloaded
 * @param {Error} error
 * @returns {Promise<any>}
 */
async function refused({ tab: id, frame, revive = false, limit_ms = 0 }, error) {
  const text = error.message;
  const tab = await find(id);
  if (tab && revive && (asleep(tab) || crashedText(text, tab))) {
    await wake(tab, "main", limit_ms);
    return { outcome: "gone", revived: true };
  }
  if (!tab) throw failure("TabClosedError", `tab ${id} was closed before the script could begin`);
  if (error instanceof Lost) return { outcome: "gone" };
  if (/No document with id|was removed|No frame with id|document.*not found/i.test(text)) return { outcome: "gone" };
  if (/showing error page/i.test(text)) {
    if (frame !== 0) return { outcome: "forbidden", message: `frame ${frame} of tab ${id} shows an error page` };
    const { message, tabs } = await forbidden(facts(tab), "an error page of Chrome");
    return { outcome: "forbidden", message, tabs };
  }
  if (/Cannot access|cannot be scripted|gallery|extension manifest must request/i.test(text)) {
    if (crashedText(text, tab)) throw failure("PageCrashedError", `the page in tab ${id} (${tab.url}) has crashed; reload it and try again`);
    const { message, tabs } = await forbidden(facts(tab), `a page that Chrome keeps closed (“${text}”)`);
    return { outcome: "forbidden", message, tabs };
  }
  throw error;
}

/** Chrome's words for a page that has crashed. @param {string} text @param {chrome.tabs.Tab} tab */
function crashedText(text, tab) {
  return /Cannot access contents of the page/.test(text) && /^https?:/.test(tab.url ?? "");
}

/** By which injections a script that must be taken along can go, the best first. @param {{world: string}} params */
export function injections({ world }) {
  const there = [];
  if (userScripts() && world === "main") there.push("userScripts");
  if (chrome.debugger) there.push("debugger");
  return there;
}

/**
 * Runs one script, which the source holds.
 * @param {Place & {injection: string, document: string, source: string, run: any}} params
 */
export async function direct(params) {
  const said = await directed(params, false);
  const again = said.startsWith("altered:") ? await directed(params, true) : said;
  if (again.startsWith("altered:")) throw failure("WorldUnavailableError", alteredText(params, again));
  if (again !== "begun" && again !== "refused") throw new Error(again);
  return { outcome: "begun" };
}

/**
 * @param {Place & {injection: string, document: string, source: string, run: any}} params
 * @param {boolean} sandbox as in placed()
 * @returns {Promise<string>} what the wrapper says
 */
async function directed(params, sandbox) {
  const { tab, document, world, ticket, run, injection, source, limit_ms } = params;
  const target = { tabId: tab, documentIds: [document] };
  const expecting = { target, injectImmediately: true, func: relay, args: [{ ticket, world, run, sandbox }] };
  try {
    await answered(params, chrome.scripting.executeScript(/** @type {any} */ (expecting)), limit_ms);
  } catch (error) {
    if ((await refused(params, /** @type {Error} */ (error))).outcome === "gone") throw failure("NavigatedError", "the page was left before the script could begin");
    throw error;
  }
  if (injection !== "userScripts") return viaDebugger(params);
  const execution = chrome.userScripts.execute({ target, world: "MAIN", injectImmediately: true, js: [{ code: source }] });
  const [made] = await execution;
  return /** @type {any} */ (made)?.result ?? made?.error ?? "chrome.userScripts ran nothing in this page";
}
