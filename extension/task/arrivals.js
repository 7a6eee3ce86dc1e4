/**
 * How a tab comes to show the page that a task wants; runs in the worker.
 * @module
 */
import { failure } from "./errors.js";
import { silence } from "./fates.js";
import { framesOf, isMain } from "./frames.js";
import { forgetOpened, noteOpened, openedFor } from "./opened.js";
import { asleep, facts, find, forbidden, look, mayReadFiles, notFound, ordinary, pageless, resolve } from "./tabs.js";
import { closedTo } from "./urls.js";
import { pause, tried } from "./waiting.js";

const LOOK_MS = 25;
const RELOAD_AGAIN_MS = 1000;
/** A page that loads on for longer than this after it came is not thought to go on to another by itself. */
const LOADED_MS = 1000;
/** Whether a page wants to go on is asked for no longer than this. */
const RESTLESS_MS = 10_000;
/** Later than this after its load a refresh is no part of the arrival. */
const REFRESH_MS = 1000;
const SLACK_MS = 500;

/** @typedef {import("./run.js").TabFacts} TabFacts */
/** @typedef {{tab: TabFacts, frames: import("./frames.js").FrameFacts[], fresh?: boolean}} Aim */

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
 * @returns {Promise<Aim>}
 */
export async function aim({ tab: spec, frame, limit_ms }) {
  const tab = await resolve(spec);
  if (pageless(tab)) return firstPage(tab, frame, limit_ms);
  if (asleep(tab)) return wake(tab, frame, limit_ms);
  const why = closedTo(tab.url ?? "", tab.url?.startsWith("file:") ? await mayReadFiles() : true);
  if (why) throw await forbidden(facts(tab), why);
  return { tab: facts(tab), frames: await framesOf(tab, frame, { fresh: tab.status === "loading", limit_ms }) };
}

/**
 * Waits for the first page of a tab. Where Chrome has given it up, the tab is sent there again: a reload would do nothing.
 * @param {chrome.tabs.Tab} tab
 * @param {any} frame
 * @param {number} limit_ms
 */
async function firstPage(tab, frame, limit_ms) {
  const id = /** @type {number} */ (tab.id);
  const url = tab.pendingUrl;
  if (!url) {
    const tabs = await ordinary();
    const message = `tab ${id} shows no page: its first navigation was stopped, and Chrome knows no address to try again; send it to one, or choose another tab`;
    throw failure("ForbiddenPageError", message, { tabs });
  }
  if (tab.status !== "loading") await go({ tab: id, url, from: null });
  return settle({ tab: id, url, frame, from: null, limit_ms });
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
 * @param {{tab: number, url: string, frame: any, from: string|null, limit_ms: number, within?: boolean, revive?: boolean}} params
 *   `within`: the address is another place of the document `from` · `revive`: it is being reloaded
 * @returns {Promise<Aim>}
 */
export async function settle({ tab: id, url, frame, from, limit_ms, within = false, revive = false }) {
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
      // the page may have changed the address again: what tells is that Chrome is on its way nowhere
      const stayed = within && top?.documentId === from && !tab.pendingUrl && !watch.error;
      if (top && (moved || stayed)) {
        if (top.errorOccurred) throw unreachable(id, url, watch.error ?? "Chrome shows an error page");
        const why = closedTo(shown, await mayReadFiles());
        if (why) throw await forbidden({ ...facts(tab), url: shown }, why);
        if (moved && !isMain(frame)) await restAll(id, top.documentId, frame === "all", end - Date.now());
        return { tab: facts(tab), frames: await framesOf(tab, frame, { fresh: true, limit_ms: end - Date.now() }), fresh: true };
      }
      if (revive && asleep(tab) && !tab.pendingUrl && Date.now() - reloaded > RELOAD_AGAIN_MS) {
        reloaded = Date.now(); // the news of a crash can come after a reload and undo it
        reload(id);
      }
      // a tab that got no page (204) rests, with the address still pending
      quiet = tab.status === "complete" && (watch.error || blank) ? quiet + 1 : 0;
      if (quiet > (watch.error ? 8 : 40)) throw unreachable(id, url, watch.error ?? "net::ERR_ABORTED");
      if (Date.now() > end) {
        const { why } = await silence({ tab: id });
        const seconds = Math.round(limit_ms / 100) / 10;
        throw failure("TimeoutError", `tab ${id} has not come to ${url} within ${seconds} s, and no script was begun: ${why ?? "it may be on its way"}`);
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
  const likely =
    error === "net::ERR_ABORTED"
      ? "its server answered without a page (204, or a download), or something in the browser stopped it; try again, or open it by hand to see"
      : "see that the address is right and its server answers";
  return failure("NavigatedError", `tab ${id} could not go to ${url}: ${error}; ${likely}`);
}

/**
 * Waits until a page that has just come shows no sign of going on to another by itself.
 * @param {{tab: number, document: string, loaded?: boolean, limit_ms: number}} params `loaded`: wait until all of it has loaded
 * @returns {Promise<{document: string}>} another one where it has gone on
 */
export async function rest({ tab: id, document, loaded = false, limit_ms }) {
  const since = Date.now();
  const end = since + Math.min(limit_ms, RESTLESS_MS);
  /** When a refresh that it wants is due. @type {number|null} */
  let due = null;
  for (;;) {
    const tab = await find(id);
    const top = await chrome.webNavigation.getFrame({ tabId: id, frameId: 0 }).catch(() => null);
    if (!tab || !top || Date.now() > end) return { document };
    if (top.documentId !== document) return { document: top.documentId };
    const complete = tab.status === "complete";
    if (!tab.pendingUrl && (complete || (!loaded && Date.now() - since > LOADED_MS))) {
      if (due !== null && Date.now() >= due) return { document };
      if (due === null) {
        const wait = await refreshIn(id, document);
        if (complete || wait === 0) due = Date.now() + wait; // it counts from the load
        if (wait === 0) continue;
      }
    }
    await pause(LOOK_MS);
  }
}

/** The same for a page and those it goes on to. @param {number} id @param {string} document @param {boolean} loaded @param {number} limit_ms */
async function restAll(id, document, loaded, limit_ms) {
  for (const end = Date.now() + Math.min(limit_ms, RESTLESS_MS); Date.now() < end; ) {
    const now = await rest({ tab: id, document, loaded, limit_ms: end - Date.now() });
    if (now.document === document) return;
    document = now.document;
  }
}

/**
 * For how long a page's wish to be replaced soon is to be waited for. What it had begun before, Chrome knows when this returns.
 * @param {number} id
 * @param {string} document
 * @returns {Promise<number>} milliseconds; 0: it has none
 */
async function refreshIn(id, document) {
  const func = () => Array.from(globalThis.document.querySelectorAll("meta[http-equiv=refresh i]"), (each) => parseFloat(/** @type {HTMLMetaElement} */ (each).content));
  const target = { tabId: id, documentIds: [document] };
  const answer = await tried(chrome.scripting.executeScript({ target, injectImmediately: true, func }), SLACK_MS);
  const soonest = Math.min(...(answer?.[0]?.result ?? []).map((seconds) => (seconds ?? 0) * 1000));
  return soonest <= REFRESH_MS ? soonest + SLACK_MS : 0;
}
