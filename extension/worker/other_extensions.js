/**
 * Pages in which another extension has a frame of its own (a password manager's menu). As it comes Chrome ends the debugging of the
 * tab ("target_closed"); as long as it is there Chrome refuses every call of chrome.debugger for the tab and its frames, and does not
 * say whose it is (Chromium 156). Scripts by chrome.scripting and chrome.userScripts run there.
 * @module
 */

/** Chrome's words. @param {any} error */
export const isRefusal = (error) => /chrome-extension:\/\/ URL of different extension/.test(String(error?.message ?? error));

/** In the page: the extensions whose frames it shows. Those in closed shadow roots it does not see. */
function framesHere() {
  return [...document.querySelectorAll("iframe, frame, embed, object")]
    .map((frame) => /** @type {any} */ (frame).src || /** @type {any} */ (frame).data || "")
    .filter((url) => url.startsWith("chrome-extension://"))
    .map((url) => new URL(url).host);
}

/** @param {number} tabId @returns {Promise<string[]>} */
async function seenIn(tabId) {
  const injection = { target: { tabId, allFrames: true }, injectImmediately: true, func: framesHere };
  const results = await Promise.race([
    chrome.scripting.executeScript(injection).catch(() => []),
    new Promise((resolve) => setTimeout(resolve, 500, [])), // a page that is busy, or shows a dialog
  ]);
  return results.flatMap((/** @type {any} */ { result }) => result ?? []);
}

/** @param {string} id @returns {Promise<string>} */
async function named(id) {
  const { name } = await chrome.management.get(id).catch(() => ({ name: "" }));
  return name ? `“${name}” (${id})` : id;
}

/**
 * Who is in the way and what the person can do.
 * @param {number|string|undefined} key a tab's id or Chrome's id of a target
 * @returns {Promise<string>} empty where Chrome means something else: the tab itself shows an extension's page
 */
export async function whoIsInTheWay(key) {
  const targets = await chrome.debugger.getTargets();
  const own = key !== undefined && targets.find((target) => target.tabId === key || target.id === key);
  if (own && own.url.startsWith("chrome-extension://")) return "";
  const others = othersAmong(targets);
  const seen = typeof key === "number" ? (await seenIn(key)).filter((id) => others.has(id)) : [];
  return sentence([...new Set(seen.length > 0 ? seen : others)]);
}

/**
 * Who has come into a tab that was being debugged.
 * @param {number} tab
 * @returns {Promise<string>} empty where nobody is seen there: something else has ended it
 */
export async function whoCame(tab) {
  const seen = (await seenIn(tab)).filter((id) => id !== chrome.runtime.id); // its frame may not be among the targets yet
  return seen.length > 0 ? sentence([...new Set(seen)]) : "";
}

/** The other extensions that have frames anywhere. @param {chrome.debugger.TargetInfo[]} targets */
function othersAmong(targets) {
  const frames = targets.filter(({ type, url }) => type === "other" && url.startsWith("chrome-extension://"));
  return new Set(frames.map(({ url }) => new URL(url).host).filter((id) => id !== chrome.runtime.id));
}

/** @param {string[]} ids */
async function sentence(ids) {
  const names = await Promise.all(ids.map(named));
  const whose = names.length === 0 ? "another extension" : names.length === 1 ? `the extension ${names[0]}` : `one of the extensions ${names.join(", ")}`;
  const where = ids.length === 1 ? `chrome://extensions/?id=${ids[0]}` : "chrome://extensions";
  return `${whose} has a frame of its own in this page, its menu for one, and meanwhile Chrome lets no other extension debug the page: close that menu, or take this site from that extension on ${where}, and try again`;
}
