/**
 * What the browser can do and how it stands; the badge; the person's settings.
 * @module
 */
import { javascriptOn, mayGoEverywhere } from "../task/permissions.js";
import { emit } from "../worker_port.js";

/** @typedef {{user_scripts: boolean, debugger: boolean, incognito: boolean, file_urls: boolean, all_sites: boolean, javascript: boolean}} Capabilities */
/** @typedef {{capabilities: Capabilities, tabs: {ordinary: number, total: number}, proxy: string|null}} Look */
/** @typedef {{daemons: string[], label: string, paused: boolean}} Settings */

async function userScriptsAllowed() {
  try {
    await chrome.userScripts.getScripts(); // chrome.userScripts is undefined until the person allows it
    return true;
  } catch {
    return false;
  }
}

/** @returns {Promise<string|null>} what to tell a person whose proxy settings send loopback to the proxy */
async function proxyOfLoopback() {
  try {
    const { value } = await chrome.proxy.settings.get({});
    // Chrome goes to loopback directly, whatever the mode, unless the bypass list takes that rule away.
    const rules = value?.mode === "fixed_servers" ? value.rules : undefined;
    if (!rules?.bypassList?.includes("<-loopback>")) return null;
    const server = rules.singleProxy ?? rules.proxyForHttp ?? rules.fallbackProxy;
    return server ? `${server.scheme ?? "http"}://${server.host}:${server.port ?? 80} (<-loopback> is in the bypass list)` : null;
  } catch {
    return null;
  }
}

/** @returns {Promise<Look>} */
async function look() {
  const tabs = await chrome.tabs.query({});
  const [userScripts, incognito, files, sites, javascript, proxy] = await Promise.all([
    userScriptsAllowed(),
    chrome.extension.isAllowedIncognitoAccess(),
    chrome.extension.isAllowedFileSchemeAccess(),
    mayGoEverywhere(),
    javascriptOn(tabs.map((tab) => tab.url ?? "")),
    proxyOfLoopback(),
  ]);
  const ordinary = tabs.filter((tab) => /^(https?|file|ftp):/.test(tab.url ?? "")).length;
  return {
    capabilities: { user_scripts: userScripts, debugger: !!chrome.debugger?.attach, incognito, file_urls: files, all_sites: sites, javascript },
    tabs: { ordinary, total: tabs.length },
    proxy,
  };
}

/** @returns {Promise<Settings>} */
async function settings() {
  const { daemons = [], label = "", paused = false } = /** @type {any} */ (await chrome.storage.local.get(["daemons", "label", "paused"]));
  return { daemons, label, paused };
}

/** @type {ReturnType<typeof setTimeout>|undefined} */
let planned;
let used = false;

/** A look that Chrome has not answered by then is made again. */
const LOOK_LIMIT_MS = 2000;
let looks = 0;
let told = 0;

/** Tells how the browser stands, soon: events of tabs come in bursts. @param {boolean} byPerson */
function changed(byPerson = false) {
  used ||= byPerson;
  planned ??= setTimeout(tell, 250);
}

async function tell() {
  planned = undefined;
  const number = ++looks;
  const wasUsed = used;
  used = false;
  const late = setTimeout(() => changed(wasUsed), LOOK_LIMIT_MS);
  const now = await look();
  clearTimeout(late);
  // An older look may be answered after a newer one: what it saw is no longer so.
  if (number < told) return;
  told = number;
  emit("browser.look", { ...now, used: wasUsed });
}

chrome.windows.onFocusChanged.addListener((window) => {
  if (window !== chrome.windows.WINDOW_ID_NONE) changed(true);
});
chrome.tabs.onActivated.addListener(() => changed());
chrome.tabs.onCreated.addListener(() => changed());
chrome.tabs.onRemoved.addListener(() => changed());
chrome.tabs.onUpdated.addListener((_id, change) => {
  if (change.url) changed();
});
chrome.proxy.settings.onChange.addListener(() => changed());
chrome.permissions.onAdded.addListener(() => changed());
chrome.permissions.onRemoved.addListener(() => changed());
chrome.storage.onChanged.addListener(async (_changes, area) => {
  if (area === "local") emit("settings", await settings());
});

/** @type {Record<string, string>} */
const COLOURS = { linked: "#1a7f4b", running: "#1f5fbf", paused: "#b26a00", unlinked: "#8a8f98", trouble: "#b3261e" };

/** @type {import("../types.js").Handler} */
async function badge({ kind, text, title }) {
  await Promise.all([
    chrome.action.setBadgeBackgroundColor({ color: COLOURS[kind] ?? COLOURS.unlinked }),
    chrome.action.setBadgeTextColor({ color: "#ffffff" }),
    chrome.action.setBadgeText({ text }),
    chrome.action.setTitle({ title }),
  ]);
  return {};
}

/** @type {Record<string, import("../types.js").Handler>} */
export const browserHandlers = {
  "browser.look": look,
  "browser.settings": settings,
  "browser.pause": async ({ paused }) => (await chrome.storage.local.set({ paused }), {}),
  "browser.profile": async () => ({ email: (await chrome.identity.getProfileUserInfo({}).catch(() => ({ email: "" }))).email }),
  badge,
  ping: () => ({}),
};
