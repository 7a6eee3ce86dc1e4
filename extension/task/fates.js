/**
 * What has become of a page whose relay has fallen silent, and how to get a stuck one out of the way; runs in the worker.
 * @module
 */
import { failure, plainFailure } from "./errors.js";
import { facts, find, pageless } from "./tabs.js";
import { pause, tried } from "./waiting.js";

const PICTURE_BYTES = 2 * 1024 * 1024;
const STEP_MS = 2000;
const ANSWER_MS = 250;
const REPLACED_KEPT = 1000;
/** How long Chrome may take to tell that a tab that is gone was replaced. */
const NEWS_MS = 200;

/**
 * How a document went. Chrome tells of a crash to nobody, so it is found by leaving everything else out.
 * @param {{tab: number, frame: number, document: string, url: string}} params
 * @returns {Promise<{error: import("./errors.js").TaskFailure|null}>} null: it lives
 */
export async function fate({ tab: id, frame, document, url }) {
  const tab = await find(id);
  if (!tab) return goneTab(id, url);
  if (tab.discarded) {
    return ended("PageCrashedError", `Chrome discarded tab ${id} (${url}) to save memory while the script ran in it; run it again`);
  }
  const now = await tried(chrome.webNavigation.getFrame({ tabId: id, frameId: frame }), STEP_MS);
  if (now && now.documentId !== document) {
    const to = now.url || tab.url;
    const how = frame === 0 ? `tab ${id} left ${url} for ${to}` : `frame ${frame} of tab ${id} left ${url} for ${to}`;
    return ended("NavigatedError", `${how} while the script ran; to go on on the next page, let the script return any.next(url)`);
  }
  const pinged = chrome.scripting.executeScript({ target: { tabId: id, documentIds: [document] }, injectImmediately: true, func: () => true });
  const answer = await Promise.race([pinged.then(() => "alive").catch((error) => String(error.message)), pause(500).then(() => "silent")]);
  if (answer === "alive") {
    tried(chrome.tabs.sendMessage(id, { any: "relay" }), STEP_MS);
    return { error: null };
  }
  if (!(await find(id))) return goneTab(id, url);
  if (answer === "silent") return { error: null };
  const later = await tried(chrome.webNavigation.getFrame({ tabId: id, frameId: frame }), STEP_MS);
  if (later && later.documentId !== document) return fate({ tab: id, frame, document, url });
  if (frame !== 0 && !later) {
    const top = await tried(chrome.webNavigation.getFrame({ tabId: id, frameId: 0 }), STEP_MS);
    if (top) return ended("NavigatedError", `frame ${frame} of tab ${id} (${url}) was removed while the script ran in it`);
  }
  if (tab.pendingUrl || tab.status === "loading") {
    // on its way: the next document decides
    await pause(100);
    const then = await find(id);
    if (then && (then.pendingUrl || then.status === "loading")) return { error: null };
    return fate({ tab: id, frame, document, url });
  }
  return ended("PageCrashedError", `the page ${url} in tab ${id} crashed while the script ran in it; reload the tab and run it again`);
}

/**
 * Why no script begins in a tab, as far as it can be told from outside.
 * @param {{tab: number}} params
 * @returns {Promise<{mute: boolean, leaving: boolean, why: string|null}>} `mute`: its page does not answer · `leaving`: nor does it go where it is sent
 */
export async function silence({ tab: id }) {
  const tab = await find(id);
  if (!tab) return { mute: false, leaving: false, why: null };
  const target = { tabId: id };
  const ping = () => chrome.scripting.executeScript({ target, injectImmediately: true, func: () => true }).then(() => true, () => true);
  const mute = !pageless(tab) && (await Promise.race([ping(), pause(ANSWER_MS)])) === undefined;
  const { url, pendingUrl } = tab;
  if (!mute) return { mute, leaving: false, why: pendingUrl ? `tab ${id} has had no answer from ${pendingUrl}; see that its server answers` : null };
  if (!pendingUrl) {
    const why = `the page ${url} in tab ${id} does not answer: it is busy (an endless loop?), or a dialog (alert, confirm, prompt, beforeunload) is open there: answer it`;
    return { mute, leaving: false, why };
  }
  const dialog = `the question whether to leave this page (beforeunload) is open in tab ${id}, which shows ${url} and is to go to ${pendingUrl}`;
  return { mute, leaving: true, why: `${dialog}, or the page is busy; answer it there, save or drop there first what the page wants to keep, or go on in a tab of its own` };
}

/** Tabs that were discarded, by the id they had before. @type {Map<number, number>} */
const replaced = new Map();
chrome.tabs.onReplaced.addListener((added, removed) => {
  replaced.set(removed, added);
  if (replaced.size > REPLACED_KEPT) replaced.delete(/** @type {number} */ (replaced.keys().next().value));
});

/** Closed, or discarded: then Chrome gives the tab a new id. @param {number} id @param {string} url */
async function goneTab(id, url) {
  for (const end = Date.now() + NEWS_MS; !replaced.has(id) && Date.now() < end; ) await pause(NEWS_MS / 10);
  if (!replaced.has(id)) return ended("TabClosedError", `tab ${id} (${url}) was closed while the script ran in it`);
  const message = `Chrome discarded tab ${id} (${url}) to save memory while the script ran in it; it is tab ${replaced.get(id)} now: run it again`;
  return ended("PageCrashedError", message);
}

/** @param {string} name @param {string} message */
function ended(name, message) {
  return { error: plainFailure(failure(name, message)) };
}

/**
 * Gives the tab a living page at the same address, whatever holds the old one.
 * @param {{tab: number, document?: string}} params `document`: the stuck one; another is left alone
 * @returns {Promise<{tab: number, url: string}>} the tab's id may be another one
 */
export async function replace({ tab: id, document }) {
  const before = await find(id);
  if (!before) throw failure("TabClosedError", `tab ${id} was closed`);
  const { url } = facts(before);
  const shown = document && (await tried(chrome.webNavigation.getFrame({ tabId: id, frameId: 0 }), STEP_MS));
  if (shown && shown.documentId !== document) throw failure("NavigatedError", `tab ${id} has gone on to ${url}`);
  // An active tab is not discarded; and discarding is what neither asks the stuck page nor moves the tab.
  const discarded = before.active ? undefined : await tried(chrome.tabs.discard(id), STEP_MS);
  const kept = discarded?.id ?? id;
  if (discarded) {
    chrome.tabs.reload(kept).catch(() => {});
    return { tab: kept, url };
  }
  const made = await chrome.tabs.create({ url, index: before.index, windowId: before.windowId, active: before.active, pinned: before.pinned });
  await tried(chrome.tabs.remove(id), STEP_MS);
  return { tab: /** @type {number} */ (made.id), url };
}

/**
 * What the tab shows, where that can be had without disturbing anyone.
 * @param {{tab: number}} params
 * @returns {Promise<string|null>} PNG as base64
 */
export async function picture({ tab: id }) {
  const tab = await find(id);
  if (!tab?.active) return null;
  const capture = () => tried(chrome.tabs.captureVisibleTab(tab.windowId, { format: "png" }), STEP_MS);
  const data = (await capture()) ?? (await pause(550).then(capture)); // Chrome grants two a second
  const after = await find(id);
  if (!data || !after?.active || after.windowId !== tab.windowId) return null;
  const text = data.slice(data.indexOf(",") + 1);
  if (text.length * 0.75 <= PICTURE_BYTES) return text;
  const bitmap = await createImageBitmap(await (await fetch(data)).blob());
  const scale = Math.sqrt(PICTURE_BYTES / (text.length * 0.75)) * 0.7;
  const canvas = new OffscreenCanvas(Math.max(1, bitmap.width * scale), Math.max(1, bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
  if (bytes.length > PICTURE_BYTES) return null;
  let binary = "";
  for (let from = 0; from < bytes.length; from += 32768) binary += String.fromCharCode(...bytes.subarray(from, from + 32768));
  return btoa(binary);
}

/** Asks the relays of all pages to open their ports again. @returns {Promise<{owed: number}>} how many pages hold something */
export async function gather() {
  const tabs = await chrome.tabs.query({ discarded: false });
  const answers = tabs.map((tab) => tried(chrome.tabs.sendMessage(/** @type {number} */ (tab.id), { any: "relay" }), 300));
  return { owed: (await Promise.all(answers)).filter((answer) => answer?.owes).length };
}
