/**
 * Following: the tabs that a tab opens are attached before their scripts run, as far as Chrome allows. Chrome holds no popup
 * back, so each millisecond counts: what is to be sent is known here beforehand, and nothing is waited for.
 *
 * Of a new tab Chrome tells in this order: Page.windowOpen in the opener (where Page is enabled there), some 15 ms later
 * tabs.onCreated (whose openerTabId is the active tab, not the opener), some ms later webNavigation.onCreatedNavigationTarget,
 * which alone names the opener for certain. So a tab whose address was just announced is attached at its creation; its events
 * wait until the opener is known and said.
 * @module
 */
import { say } from "../worker_port.js";
import { attachTo, release, restored as attachmentsRestored, sendTo } from "./attachments.js";
import { holdBack, letGo, watchWindows } from "./debugger.js";
import { keep as keepValue, recall } from "./kept.js";

/** @typedef {{method: string, params?: any}} Command */
/** @typedef {{commands: Command[], mark: any}} Wish what a new tab is sent; `mark`: by which the daemon knows these commands again */
/** @typedef {{tab: number, links: Map<string, Wish>, error: any, told: boolean, timer?: ReturnType<typeof setTimeout>}} Early attached, its opener not yet known */

/** An announced window comes within this time, or was blocked. */
const ANNOUNCED_MS = 2_000;
/** The opener of an attached tab is said by then, known for certain or not. */
const CERTAIN_MS = 300;

/** @type {Map<number, Map<string, Wish>>} tab → link → what a tab that it opens is sent */
const following = new Map();
/** @type {{opener: number, url: string, until: number}[]} */
let announced = [];
/** @type {Map<number, Early>} */
const early = new Map();
/** @type {Set<number>} the tabs that were attached so, as long as they are there */
const taken = new Set();

const restored = (async () => {
  const list = await recall("following");
  const there = new Set(list.length > 0 ? (await chrome.tabs.query({})).map((tab) => tab.id) : []);
  for (const [tab, link, wish] of list) if (there.has(tab)) wishesOf(tab).set(link, wish);
  await attachmentsRestored;
})();

/** @param {number} tab @returns {Map<string, Wish>} */
function wishesOf(tab) {
  let links = following.get(tab);
  if (!links) following.set(tab, (links = new Map()));
  return links;
}

function keep() {
  void keepValue("following", [...following].flatMap(([tab, links]) => [...links].map(([link, wish]) => [tab, link, wish])));
}

/** @type {import("../types.js").Handler} */
async function follow({ tab, on, commands, mark = null }, { link }) {
  if (!Number.isInteger(tab)) throw { name: "BadRequestError", message: '"tab" must be a number', path: "tab" };
  const list = commands ?? [];
  if (!Array.isArray(list) || list.some((command) => typeof command?.method !== "string"))
    throw { name: "BadRequestError", message: '"commands" must be a list of {method, params}', path: "commands" };
  await restored;
  if (on) wishesOf(tab).set(link, { commands: list, mark });
  else drop(tab, link);
  keep();
  return {};
}

/** The link has ended: nobody would hear of what is opened. @type {import("../types.js").Handler} */
async function unfollowAll(_params, { link }) {
  await restored;
  for (const tab of [...following.keys()]) drop(tab, link);
  keep();
  return {};
}

/** No link is linked. */
export async function unfollowEverybody() {
  await restored;
  if (following.size === 0) return;
  following.clear();
  keep();
}

/** @param {number} tab @param {string} link */
function drop(tab, link) {
  const links = following.get(tab);
  if (links?.delete(link) && links.size === 0) following.delete(tab);
}

/** @param {string|undefined} url */
const plain = (url) => url || "about:blank";

watchWindows((opener, _links, _method, params) => {
  if (!following.has(opener)) return;
  const now = performance.now();
  announced = announced.filter(({ until }) => until > now);
  announced.push({ opener, url: plain(params?.url), until: now + ANNOUNCED_MS });
});

chrome.tabs.onCreated.addListener((tab) => {
  if (announced.length === 0 || tab.id === undefined) return;
  const now = performance.now();
  const url = plain(tab.pendingUrl ?? tab.url);
  const index = announced.findIndex((window) => window.until > now && window.url === url);
  if (index < 0) return;
  const [{ opener }] = announced.splice(index, 1);
  take(tab.id, opener);
  const waiting = early.get(tab.id);
  if (waiting) waiting.timer = setTimeout(() => certain(waiting, opener, null, tab.pendingUrl ?? tab.url ?? ""), CERTAIN_MS);
});

chrome.webNavigation.onCreatedNavigationTarget.addListener(({ tabId, sourceTabId, sourceFrameId, url }) => {
  const go = () => {
    if (!early.has(tabId)) {
      if (taken.has(tabId) || !following.has(sourceTabId)) return;
      const index = announced.findIndex((window) => window.opener === sourceTabId && window.url === plain(url));
      if (index >= 0) announced.splice(index, 1);
      take(tabId, sourceTabId);
    }
    const waiting = early.get(tabId);
    if (waiting) certain(waiting, sourceTabId, sourceFrameId, url);
  };
  if (following.size) go();
  else void restored.then(go);
});

/**
 * Attaches a new tab and sends what its opener's followers want sent, all at once.
 * @param {number} tab
 * @param {number} opener
 */
function take(tab, opener) {
  const links = following.get(opener);
  if (!links) return;
  /** @type {Early} */
  const waiting = { tab, links: new Map(links), error: undefined, told: false };
  early.set(tab, waiting);
  taken.add(tab);
  following.set(tab, new Map(links));
  holdBack(tab);
  for (const [link, { commands }] of waiting.links) {
    attachTo(tab, link).catch((error) => (waiting.error = error.cdp ?? { code: -32000, message: String(error.message ?? error) }));
    void Promise.all(commands.map(({ method, params }) => sendTo({ tabId: tab }, method, params).then(
      (value) => ({ value: value ?? {} }),
      (error) => ({ error: error.cdp ?? { code: -32000, message: String(error.message ?? error) } }),
    ))).then((answers) => tell(waiting, () => event("debugger.followedAnswers", { tab, answers }, link)));
  }
  keep();
}

/** @type {WeakMap<Early, (() => void)[]>} what is said once the opener has been */
const after = new WeakMap();

/** @param {Early} waiting @param {() => void} call */
function tell(waiting, call) {
  if (waiting.told) call();
  else after.set(waiting, [...(after.get(waiting) ?? []), call]);
}

/**
 * @param {Early} waiting
 * @param {number} opener
 * @param {number|null} frame
 * @param {string} url
 */
async function certain(waiting, opener, frame, url) {
  const { tab, links } = waiting;
  clearTimeout(waiting.timer);
  early.delete(tab);
  await Promise.allSettled([...links.keys()].map((link) => attachTo(tab, link))); // the one under way, for its error
  const followers = following.get(opener);
  for (const [link, { mark }] of links) {
    if (followers?.has(link)) event("debugger.followed", { opener, frame, tab, url, mark, ...(waiting.error && { error: waiting.error }) }, link);
    else {
      drop(tab, link);
      release(tab, link).catch(() => {});
    }
  }
  waiting.told = true;
  letGo(tab);
  for (const call of after.get(waiting) ?? []) call();
  keep();
}

/** @param {string} path @param {any} argument @param {string} link */
const event = (path, argument, link) => say("chrome.event", JSON.stringify({ path, args: [argument] }), link);

/** @param {number} tab */
function gone(tab) {
  taken.delete(tab);
  if (following.delete(tab)) keep();
}
chrome.tabs.onRemoved.addListener((tab) => void restored.then(() => gone(tab)));
chrome.tabs.onReplaced.addListener((_added, removed) => void restored.then(() => gone(removed)));

/** @type {Record<string, import("../types.js").Handler>} */
export const popupHandlers = { "debugger.follow": follow, "debugger.unfollowAll": unfollowAll };
