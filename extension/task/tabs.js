/**
 * Tabs as tasks see them; runs in the worker.
 * @module
 */
import { failure } from "./errors.js";
import { closedTo, malformed, matches } from "./urls.js";

/** @typedef {import("./run.js").TabFacts} TabFacts */
const TABS_LISTED = 50;

let files = false;
let filesKnown = false;
export async function mayReadFiles() {
  if (!filesKnown) {
    files = await chrome.extension.isAllowedFileSchemeAccess();
    filesKnown = true;
  }
  return files;
}

/** @param {chrome.tabs.Tab} tab @returns {TabFacts} */
export function facts(tab) {
  return { id: /** @type {number} */ (tab.id), url: tab.url || tab.pendingUrl || "", title: tab.title ?? "" };
}

/** No page has ever come, or only the blank one before the first. @param {chrome.tabs.Tab} tab */
export function pageless(tab) {
  return !tab.url || Boolean(tab.pendingUrl && ["about:blank", "chrome://newtab/"].includes(tab.url));
}

/** The tabs in which scripts can run, the most recently used first. @returns {Promise<TabFacts[]>} */
export async function ordinary() {
  const may = await mayReadFiles();
  const tabs = (await chrome.tabs.query({})).filter((tab) => !closedTo(facts(tab).url, may));
  return tabs.sort(latest).slice(0, TABS_LISTED).map(facts);
}

/** @param {chrome.tabs.Tab} a @param {chrome.tabs.Tab} b */
function latest(a, b) {
  return (b.lastAccessed ?? 0) - (a.lastAccessed ?? 0);
}

/** @param {number} id */
export function find(id) {
  return chrome.tabs.get(id).catch(() => null);
}

/** @param {number|string} id */
export async function notFound(id) {
  const tabs = await ordinary();
  const open = tabs.length ? "the open ones are listed in \"tabs\"" : "no ordinary tab is open";
  return failure("TabNotFoundError", typeof id === "number" ? `there is no tab ${id}: ${open}` : `no tab ${id}: ${open}`, { tabs });
}

/** @param {TabFacts} tab @param {string} why */
export async function forbidden(tab, why) {
  const tabs = await ordinary();
  const next = tabs.length ? `choose one of the ordinary tabs, for example ${tabs[0].id} (${tabs[0].url})` : "open an ordinary page first";
  return failure("ForbiddenPageError", `tab ${tab.id} shows ${why} (${tab.url || "no address"}), where Chrome lets no extension run scripts; ${next}`, { tabs });
}

/**
 * The tab that is meant.
 * @param {"active"|number|{url: string}} spec
 * @returns {Promise<chrome.tabs.Tab>}
 */
export async function resolve(spec) {
  if (typeof spec === "number") {
    const tab = await find(spec);
    if (!tab) throw await notFound(spec);
    return tab;
  }
  if (spec === "active") {
    const tabs = await chrome.tabs.query({ active: true, windowType: "normal" });
    if (tabs.length === 1) return tabs[0];
    if (!tabs.length) throw await notFound("is active: no window is open");
    const last = await chrome.windows.getLastFocused({ windowTypes: ["normal"] });
    return tabs.find((tab) => tab.windowId === last.id) ?? tabs.sort(latest)[0];
  }
  if (typeof spec?.url !== "string") throw failure("BadRequestError", `"tab" is none that the extension knows: ${JSON.stringify(spec)}`, { path: "tab" });
  const pattern = spec.url;
  if (matches(pattern, "") === null) throw malformed(pattern, "tab.url");
  const tabs = (await chrome.tabs.query({})).filter((tab) => matches(pattern, facts(tab).url));
  if (!tabs.length) throw await notFound(`matches ${spec.url}`);
  return tabs.sort(latest)[0];
}

/** It has no living page: discarded, frozen or crashed. @param {chrome.tabs.Tab} tab */
export function asleep(tab) {
  return tab.discarded || Boolean(/** @type {any} */ (tab).frozen) || tab.status === "unloaded";
}

/** What the tab shows now, and the document of one of its frames. @param {{tab: number, frame?: number}} params */
export async function look({ tab: id, frame = 0 }) {
  const tab = await find(id);
  if (!tab) return null;
  const shown = await chrome.webNavigation.getFrame({ tabId: id, frameId: frame }).catch(() => null);
  return { ...facts(tab), document: shown?.documentId ?? null };
}

/** @param {{tab: number}} params */
export async function close({ tab }) {
  await chrome.tabs.remove(tab).catch(() => {});
  return {};
}
