/**
 * The frames of a tab that a task means; runs in the worker.
 * @module
 */
import { failure } from "./errors.js";
import { find } from "./tabs.js";
import { closedTo, malformed, matches } from "./urls.js";
import { pause } from "./waiting.js";

const LOOK_MS = 25;
/** For so long in all a page that loads is waited for, for the sake of its frames. */
const LOADING_MS = 10_000;
/** A page that has just loaded may add a frame by script. */
const ADDED_MS = 3000;

/** @typedef {{frame: number, document?: string, url: string}} FrameFacts */

/**
 * The frames that are meant. Of a page that loads: all once it has loaded, one as soon as it is there.
 * @param {chrome.tabs.Tab} tab
 * @param {any} spec
 * @param {{fresh?: boolean, limit_ms?: number}} [page] `fresh`: it has just come
 * @returns {Promise<FrameFacts[]>}
 */
export async function framesOf(tab, spec, { fresh = false, limit_ms = LOADING_MS } = {}) {
  const id = /** @type {number} */ (tab.id);
  if (isMain(spec)) return [{ frame: 0, url: tab.url ?? "" }];
  const end = Date.now() + Math.min(limit_ms, LOADING_MS);
  /** Until when a frame may come. @type {number|null} */
  let until = fresh ? null : 0;
  for (;;) {
    const now = await find(id);
    const loading = now?.status === "loading";
    if (until === null && !loading) until = Date.now() + ADDED_MS;
    const over = !now || Date.now() > end || (!loading && Date.now() > (until ?? 0));
    const { found, missing } = await chosen(id, spec);
    if (spec === "all" ? !loading || over : found.length) return found;
    if (over) throw failure("FrameNotFoundError", missing);
    await pause(LOOK_MS);
  }
}

/** @param {any} spec */
export function isMain(spec) {
  return spec === "main" || spec === undefined || spec === 0;
}

/**
 * @param {number} tabId
 * @param {any} spec
 * @returns {Promise<{found: FrameFacts[], missing: string}>} `missing`: what to say where there is none
 */
async function chosen(tabId, spec) {
  const all = (await chrome.webNavigation.getAllFrames({ tabId }).catch(() => null)) ?? [];
  const frames = all.filter((each) => each.documentLifecycle === "active" || each.documentLifecycle === undefined);
  const plain = (/** @type {any} */ each) => ({ frame: each.frameId, document: each.documentId, url: each.url });
  const listed = frames.map((each) => `${each.frameId} (${each.url})`).join(", ");
  if (spec === "all") {
    const open = frames.filter((each) => !each.errorOccurred && !(closedTo(each.url, true) && !/^(about|data|blob):/.test(each.url)));
    return { found: open.sort((a, b) => a.frameId - b.frameId).map(plain), missing: "" };
  }
  if (typeof spec === "number") {
    const found = frames.filter((each) => each.frameId === spec);
    return { found: found.map(plain), missing: `tab ${tabId} has no frame ${spec}; it has ${listed}` };
  }
  if (typeof spec?.url === "string") {
    if (matches(spec.url, "") === null) throw malformed(spec.url, "frame.url");
    const found = frames.filter((each) => matches(spec.url, each.url));
    return { found: found.slice(0, 1).map(plain), missing: `no frame of tab ${tabId} matches ${spec.url}; it has ${listed}` };
  }
  throw failure("BadRequestError", `"frame" is none that the extension knows: ${JSON.stringify(spec)}`, { path: "frame" });
}
