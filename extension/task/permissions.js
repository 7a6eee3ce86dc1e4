/**
 * What the person has closed to the extension: sites, or scripts on them; runs in the worker.
 * @module
 */
import { tried } from "./waiting.js";

const ANSWER_MS = 250;
/** A site that no setting names: what holds for it is the default. */
const ANY_SITE = "https://any.invalid/";
const EVERYWHERE = { origins: ["<all_urls>"] };

/** @param {string} url @returns {string|null} its origin, where site access is given by origin */
function originOf(url) {
  return /^https?:/.test(url) && URL.canParse(url) ? new URL(url).origin : null;
}

/** @param {number} tabId @param {number} frameId @returns {Promise<string>} */
async function urlOf(tabId, frameId) {
  return (await chrome.webNavigation.getFrame({ tabId, frameId }).catch(() => null))?.url ?? "";
}

/**
 * Why Chrome would keep every script waiting for the person's click in a frame; null where it would not.
 * @param {number} tab
 * @param {number} frame
 * @returns {Promise<string|null>}
 */
export async function withheld(tab, frame) {
  if (await mayGoEverywhere()) return null;
  const origin = originOf(await urlOf(tab, frame));
  if (!origin || (await chrome.permissions.contains({ origins: [`${origin}/*`] }))) return null;
  const probe = chrome.scripting.executeScript({ target: { tabId: tab, frameIds: [frame] }, injectImmediately: true, func: () => true });
  if (await tried(probe, ANSWER_MS)) return null; // a click has opened this page for a while
  return `Chrome keeps the extension out of ${origin} (tab ${tab}): its site access does not cover it; on chrome://extensions, in the details of any, set “Site access” to “On all sites”, or add this one`;
}

/**
 * Why a page's own world runs no script though it is not sandboxed; null where the setting is not the cause.
 * @param {number} tab
 * @param {number} frame
 * @returns {Promise<string|null>}
 */
export async function javascriptOff(tab, frame) {
  const [top, own] = await Promise.all([urlOf(tab, 0), urlOf(tab, frame)]);
  const origin = originOf(top);
  if (!origin || (await javascriptFor(top, own)) !== "block") return null;
  return `JavaScript is switched off for ${origin} (tab ${tab}) in Chrome's settings, so its main world runs no script; allow it at chrome://settings/content/javascript and reload the page, or use world "isolated" or "user"`;
}

/** @param {string} primaryUrl @param {string} [secondaryUrl] */
async function javascriptFor(primaryUrl, secondaryUrl) {
  const asked = { primaryUrl, ...(secondaryUrl && originOf(secondaryUrl) && { secondaryUrl }) };
  return (await chrome.contentSettings.javascript.get(asked).catch(() => null))?.setting;
}

/** Whether the extension may go to every site. */
export function mayGoEverywhere() {
  return chrome.permissions.contains(EVERYWHERE);
}

/** Whether scripts may run by default, and in each of these. @param {string[]} urls */
export async function javascriptOn(urls) {
  const sites = new Set(urls.map(originOf).filter((origin) => origin !== null));
  const settings = await Promise.all([ANY_SITE, ...[...sites].map((origin) => `${origin}/`)].map((url) => javascriptFor(url)));
  return !settings.includes("block");
}
