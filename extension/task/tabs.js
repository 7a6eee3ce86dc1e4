/**
 * Tabs as tasks see them; runs in the worker.
 * @module
 */
import { failure } from "./errors.js";
import { forgetOpened, noteOpened, openedFor } from "./opened.js";
import { closedTo, matches } from "./urls.js";

/** @typedef {import("./run.js").TabFacts} TabFacts */
const TABS_LISTED = 50;
const LOOK_MS = 25;
const RELOAD_AGAIN_MS = 1000;

let files = false;
let filesKnown = false;
async function mayReadFiles() {
  if (!filesKnown) {
    files = await chrome.extension.isAllowedFileSchemeAccess();
    filesKnown = true;
  }
  return files;
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {chrome.tabs.Tab} tab @returns {TabFacts} */
export function facts(tab) {
  return { id: /** @type {number} */ (tab.id), url: tab.url || tab.pendingUrl || "", title: tab.title ?? "" };
}

/** The tabs in which scripts can run, the most recently used first. @returns {Promise<TabFacts[]>} */
export async function ordinary() {
  const may = await mayReadFiles();
  const tabs = (await chrome.tabs.query({})).filter((tab) => tab.url && !closedTo(tab.url, may));
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
async function resolve(spec) {
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
  let tabs;
  try {
    tabs = await chrome.tabs.query({ url: spec.url });
  } catch (error) {
    const message = `${JSON.stringify(spec.url)} is no match pattern (${/** @type {Error} */ (error).message}); write it like https://*.example.com/*`;
    throw failure("BadRequestError", message, { path: "tab.url" });
  }
  if (!tabs.length) throw await notFound(`matches ${spec.url}`);
  return tabs.sort(latest)[0];
}

/** It has no living page: discarded, frozen or crashed. @param {chrome.tabs.Tab} tab */
export function asleep(tab) {
  return tab.discarded || Boolean(/** @type {any} */ (tab).frozen) || tab.status === "unloaded";
}

/**
 * Loads the page of a tab that has no living one.
 * @param {chrome.tabs.Tab} tab
 * @param {any} frame
 * @param {number} limit_ms
 */
export async function wake(tab, frame, limit_ms) {
  const id = /** @type {number} */ (tab.id);
  const dead = await chrome.webNavigation.getFrame({ tabId: id, frameId: 0 }).catch(() => null);
  reload(id);
  return settle({ tab: id, url: tab.url ?? "", frame, from: dead?.documentId ?? null, limit_ms, revive: true });
}

/** Not waited for: whether it comes is seen by looking. @param {number} id */
function reload(id) {
  chrome.tabs.reload(id).catch(() => {});
}

/**
 * The tab and the frames that are meant, ready for a script.
 * @param {{tab: any, frame: any, limit_ms: number}} params
 * @returns {Promise<{tab: TabFacts, frames: {frame: number, document?: string, url: string}[], fresh?: boolean}>}
 */
export async function aim({ tab: spec, frame, limit_ms }) {
  const tab = await resolve(spec);
  const id = /** @type {number} */ (tab.id);
  if (asleep(tab)) return wake(tab, frame, limit_ms);
  if (tab.pendingUrl && (!tab.url || tab.url === "about:blank" || tab.url === "chrome://newtab/")) {
    return settle({ tab: id, url: tab.pendingUrl, frame, from: null, limit_ms });
  }
  const why = closedTo(tab.url ?? "", tab.url?.startsWith("file:") ? await mayReadFiles() : true);
  if (why) throw await forbidden(facts(tab), why);
  return { tab: facts(tab), frames: await framesOf(tab, frame) };
}

/**
 * @param {chrome.tabs.Tab} tab
 * @param {any} spec
 * @returns {Promise<{frame: number, document?: string, url: string}[]>}
 */
async function framesOf(tab, spec) {
  const tabId = /** @type {number} */ (tab.id);
  if (spec === "main" || spec === undefined || spec === 0) return [{ frame: 0, url: tab.url ?? "" }];
  const all = (await chrome.webNavigation.getAllFrames({ tabId })) ?? [];
  const frames = all.filter((each) => each.documentLifecycle === "active" || each.documentLifecycle === undefined);
  const plain = (/** @type {any} */ each) => ({ frame: each.frameId, document: each.documentId, url: each.url });
  if (spec === "all") {
    const open = frames.filter((each) => !each.errorOccurred && !(closedTo(each.url, true) && !/^(about|data|blob):/.test(each.url)));
    return open.sort((a, b) => a.frameId - b.frameId).map(plain);
  }
  const listed = frames.map((each) => `${each.frameId} (${each.url})`).join(", ");
  if (typeof spec === "number") {
    const found = frames.find((each) => each.frameId === spec);
    if (!found) throw failure("FrameNotFoundError", `tab ${tabId} has no frame ${spec}; it has ${listed}`);
    return [plain(found)];
  }
  if (typeof spec?.url === "string") {
    if (matches(spec.url, "") === null) {
      throw failure("BadRequestError", `${JSON.stringify(spec.url)} is no match pattern; write it like https://*.example.com/*`, { path: "frame.url" });
    }
    const found = frames.find((each) => matches(spec.url, each.url));
    if (!found) throw failure("FrameNotFoundError", `no frame of tab ${tabId} matches ${spec.url}; it has ${listed}`);
    return [plain(found)];
  }
  throw failure("BadRequestError", `"frame" is none that the extension knows: ${JSON.stringify(spec)}`, { path: "frame" });
}

/** What the tab shows now, and the document of one of its frames. @param {{tab: number, frame?: number}} params */
export async function look({ tab: id, frame = 0 }) {
  const tab = await find(id);
  if (!tab) return null;
  const shown = await chrome.webNavigation.getFrame({ tabId: id, frameId: frame }).catch(() => null);
  return { ...facts(tab), document: shown?.documentId ?? null };
}

/**
 * Opens a tab. Called again for the same mark (the worker died) it finds the one it opened.
 * @param {{url: string, background: boolean, mark: string}} params
 */
export async function open({ url, background, mark }) {
  const why = closedTo(url, await mayReadFiles());
  if (why) throw failure("ForbiddenPageError", `${url} is ${why}: Chrome lets no extension run scripts there`, { tabs: await ordinary() });
  const before = await openedFor(mark);
  if (before !== undefined) {
    const tab = await find(before);
    if (tab) return { tab: facts(tab) };
  }
  /** @type {any[]} */
  const early = [];
  const hear = (/** @type {any} */ event) => void early.push(event);
  chrome.webNavigation.onErrorOccurred.addListener(hear);
  try {
    const tab = await create(url, background);
    const watch = watchFailures(/** @type {number} */ (tab.id));
    watches.set(/** @type {number} */ (tab.id), watch);
    for (const event of early) watch.hear(event);
    await noteOpened(mark, /** @type {number} */ (tab.id));
    return { tab: facts(tab) };
  } finally {
    chrome.webNavigation.onErrorOccurred.removeListener(hear);
  }
}

/** @param {string} url @param {boolean} background @returns {Promise<chrome.tabs.Tab>} */
async function create(url, background) {
  const windows = await chrome.windows.getAll({ windowTypes: ["normal"] });
  if (windows.length) {
    const last = await chrome.windows.getLastFocused({ windowTypes: ["normal"] }).catch(() => windows[0]);
    return chrome.tabs.create({ url, active: !background, windowId: last.id });
  }
  const made = await chrome.windows.create({ url, focused: !background });
  return /** @type {chrome.tabs.Tab} */ (made?.tabs?.[0]);
}

/**
 * Sends the tab to an address. Called again it does so only where the document is still the old one.
 * @param {{tab: number, url: string, from: string|null}} params
 */
export async function go({ tab: id, url, from }) {
  const why = closedTo(url, await mayReadFiles());
  if (why) throw failure("ForbiddenPageError", `${url} is ${why}: Chrome lets no extension run scripts there`, { tabs: await ordinary() });
  const now = await look({ tab: id });
  if (!now) throw await notFound(id);
  if (from !== null && now.document !== from) return {};
  const watch = watchFailures(id);
  watches.set(id, watch);
  try {
    await chrome.tabs.update(id, { url });
  } catch (error) {
    forgetWatch(id);
    throw error;
  }
  return {};
}

/** @typedef {{error: string|null, hear: (event: any) => void, end: () => void}} FailureWatch */
/** @type {Map<number, FailureWatch>} started before the navigation, so that a quick failure is not missed */
const watches = new Map();

/** @param {number} id */
function forgetWatch(id) {
  watches.get(id)?.end();
  watches.delete(id);
}
chrome.tabs.onRemoved.addListener((id) => {
  setTimeout(() => forgetWatch(id), 1000); // whoever waits for the tab may still ask what went wrong
});

/** @param {number} id @returns {FailureWatch} */
function watchFailures(id) {
  forgetWatch(id);
  const hear = (/** @type {{tabId: number, frameId: number, error: string, url: string}} */ event) => {
    if (event.tabId === id && event.frameId === 0 && !event.url.startsWith("about:")) watch.error = event.error;
  };
  /** @type {FailureWatch} */
  const watch = { error: null, hear, end: () => chrome.webNavigation.onErrorOccurred.removeListener(hear) };
  chrome.webNavigation.onErrorOccurred.addListener(hear);
  return watch;
}

/**
 * Waits until the tab shows a document other than `from` in which scripts can run.
 * @param {{tab: number, url: string, frame: any, from: string|null, limit_ms: number, revive?: boolean}} params `revive`: it
 *   is being reloaded
 */
export async function settle({ tab: id, url, frame, from, limit_ms, revive = false }) {
  void forgetOpened(id);
  const watch = watches.get(id) ?? watchFailures(id);
  const end = Date.now() + limit_ms;
  let reloaded = Date.now();
  try {
    for (let quiet = 0; ; ) {
      const tab = await find(id);
      if (!tab) {
        if (watch.error) throw unreachable(id, url, watch.error); // Chrome closes a tab that was opened for a download
        throw failure("TabClosedError", `tab ${id} was closed while it went to ${url}`);
      }
      const top = await chrome.webNavigation.getFrame({ tabId: id, frameId: 0 }).catch(() => null);
      const shown = top?.url ?? "";
      const blank = !shown || (/^about:blank/.test(shown) && !/^about:blank/.test(url)) || (revive && asleep(tab));
      const moved = top && top.documentId !== from && !blank;
      const sameDocument = top && top.documentId === from && !tab.pendingUrl && url.includes("#") && shown === url;
      if (top && (moved || sameDocument)) {
        if (top.errorOccurred) throw unreachable(id, url, watch.error ?? "Chrome shows an error page");
        const why = closedTo(shown, await mayReadFiles());
        if (why) throw await forbidden({ ...facts(tab), url: shown }, why);
        return { tab: facts(tab), frames: await framesOf(tab, frame), fresh: true };
      }
      if (revive && asleep(tab) && !tab.pendingUrl && Date.now() - reloaded > RELOAD_AGAIN_MS) {
        reloaded = Date.now(); // the news of a crash can come after a reload and undo it
        reload(id);
      }
      // a tab that got no page (204) rests, with the address still pending
      quiet = tab.status === "complete" && (watch.error || blank) ? quiet + 1 : 0;
      if (quiet > (watch.error ? 8 : 40)) throw unreachable(id, url, watch.error ?? "net::ERR_ABORTED");
      if (Date.now() > end) {
        throw failure("TimeoutError", `tab ${id} has not got an answer from ${url} within ${Math.round(limit_ms / 100) / 10} s: no script was begun; see that its server answers`);
      }
      await pause(LOOK_MS);
    }
  } finally {
    watch.end();
    watches.delete(id);
  }
}

/** @param {number} id @param {string} url @param {string} error */
function unreachable(id, url, error) {
  const likely = error === "net::ERR_ABORTED" ? "its server answered without a page (204, or a download)" : "see that the address is right and its server answers";
  return failure("NavigatedError", `tab ${id} could not go to ${url}: ${error}; ${likely}`);
}

/** @param {{tab: number}} params */
export async function close({ tab }) {
  await chrome.tabs.remove(tab).catch(() => {});
  return {};
}
