/**
 * What the worker does for sandboxes: makes our isolated world in pages, where the content scripts of a sandbox's program then run. It is
 * the only kind of world in which Chrome opens closed shadow roots.
 * @module
 */

const ID = "sandbox-world";
const FILE = "sandbox/world.js";

/** @type {Promise<any>} one change waits for the other */
let changing = Promise.resolve();

/** In every page that comes from now on, as long as there are sandboxes. @type {import("../types.js").Handler} */
function worlds({ on }) {
  changing = changing.catch(() => {}).then(() => change(on));
  return changing;
}

/** @param {boolean} on */
async function change(on) {
  await chrome.scripting.unregisterContentScripts({ ids: [ID] }).catch(() => {}); // it was not there
  if (!on) return {};
  await chrome.scripting.registerContentScripts([
    { id: ID, js: [FILE], matches: ["<all_urls>"], allFrames: true, matchOriginAsFallback: true, runAt: "document_start", persistAcrossSessions: false },
  ]);
  return {};
}

/** In one page that is there already; it is not waited for. @type {import("../types.js").Handler} */
async function world({ target }) {
  const tab = (await chrome.debugger.getTargets()).find((one) => one.id === target)?.tabId;
  if (tab !== undefined) chrome.scripting.executeScript({ target: { tabId: tab, allFrames: true }, files: [FILE], injectImmediately: true }).catch(() => {});
  return {};
}

/** @type {Record<string, import("../types.js").Handler>} */
export const sandboxHandlers = { "sandbox.worlds": worlds, "sandbox.world": world };
