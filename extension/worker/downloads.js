/**
 * Downloads that a program wants saved. Chrome asks the person about some (kinds that may do harm) and cannot save others (a name longer
 * than a file's may be): under a plain name, without an extension, it saves each at once. The daemon gives the file its own name when it
 * moves it to the program's folder. The person's own downloads are left alone.
 * @module
 */
import { emit } from "../worker_port.js";
import { restored as attachmentsRestored } from "./attachments.js";
import { watchDownloads } from "./debugger.js";
import { keep, recall } from "./kept.js";

/** @typedef {{regular: boolean, incognito: boolean}} Wanted in which windows */
/** @typedef {{url: string, links: string[], until: number}} Announced */

/** Chrome asks for a download's name some milliseconds after its page has told of it. */
const ANNOUNCED_MS = 10_000;
/** A file's name may have 255 bytes, and Chrome may add a number to it. */
const MAX_CHARACTERS = 50;

/** @type {Map<string, Wanted>} by link */
const naming = new Map();
/** @type {Map<string, Announced>} by guid */
const announced = new Map();

/** @param {chrome.downloads.DownloadItem} item @returns {string|undefined} none for what no program wants */
function nameFor(item) {
  const now = performance.now();
  for (const [guid, { url, links, until }] of announced) {
    if (until < now) announced.delete(guid);
    else if (isSame(url, item) && links.some((link) => naming.get(link)?.[item.incognito ? "incognito" : "regular"])) {
      announced.delete(guid);
      const name = item.filename.replace(/^.*[/\\]/, "").replace(/[^\p{L}\p{M}\p{N}_-]+/gu, "_");
      return [...name].slice(0, MAX_CHARACTERS).join("") || "download";
    }
  }
  return undefined;
}

/** Long data: addresses are told cut off. @param {string} url @param {chrome.downloads.DownloadItem} item */
const isSame = (url, item) => url === item.finalUrl || url === item.url || (url.startsWith("data:") && item.url.startsWith("data:"));

watchDownloads((links, { guid, url }) => {
  if (listening) announced.set(guid, { url, links: [...links], until: performance.now() + ANNOUNCED_MS });
});

/** @param {chrome.downloads.DownloadItem} item @param {(suggestion?: chrome.downloads.FilenameSuggestion) => void} suggest */
function onDeterminingFilename(item, suggest) {
  const answer = () => {
    const filename = nameFor(item);
    if (filename) suggest({ filename, conflictAction: "uniquify" });
    else suggest();
  };
  if (known) return answer();
  void restored.then(answer);
  return true; // it comes later
}

/**
 * Chrome takes the word of the extension that was installed last, and "no name" is a word too: whoever listens takes the names of
 * other extensions from the person's own downloads. Which of them listen it does not say.
 * @returns {Promise<string|undefined>} one that may name downloads
 */
async function whoMayName() {
  const all = await chrome.management.getAll();
  const found = all.find(({ id, enabled, type, permissions }) => id !== chrome.runtime.id && enabled && type === "extension" && permissions?.includes("downloads"));
  return found && `“${found.name}” (${found.id})`;
}

// Chrome hands what it has woken a worker for only to listeners that are there at once: whether one is wanted is known a moment later.
let listening = true;
chrome.downloads.onDeterminingFilename.addListener(onDeterminingFilename);

let looks = 0;
let said = "";

async function listenWhileWanted() {
  const look = ++looks;
  const other = naming.size > 0 ? await whoMayName() : undefined;
  if (look !== looks) return;
  if (other && other !== said) emit("log", { level: "warn", text: `Chrome may ask about downloads that programs want: the extension ${other} may name downloads, and this one leaves that to it` });
  said = other ?? said;
  const wanted = naming.size > 0 && !other;
  if (wanted === listening) return;
  listening = wanted;
  if (wanted) chrome.downloads.onDeterminingFilename.addListener(onDeterminingFilename);
  else {
    chrome.downloads.onDeterminingFilename.removeListener(onDeterminingFilename);
    announced.clear();
  }
}

let known = false;
const restored = (async () => {
  for (const [link, wanted] of await recall("namingDownloads")) naming.set(link, wanted);
  await attachmentsRestored;
  await listenWhileWanted();
  known = true;
})();

const lookAgain = () => void restored.then(listenWhileWanted);
chrome.management.onInstalled.addListener(lookAgain);
chrome.management.onUninstalled.addListener(lookAgain);
chrome.management.onEnabled.addListener(lookAgain);
chrome.management.onDisabled.addListener(lookAgain);

/** @param {string} link @param {Wanted} wanted */
async function set(link, wanted) {
  if (wanted.regular || wanted.incognito) naming.set(link, wanted);
  else if (!naming.delete(link)) return;
  void keep("namingDownloads", [...naming]);
  await listenWhileWanted();
}

/** @type {import("../types.js").Handler} */
async function nameDownloads({ regular = false, incognito = false }, { link }) {
  await restored;
  await set(link, { regular: regular === true, incognito: incognito === true });
  return {};
}

/** The link is gone for good. @type {import("../types.js").Handler} */
async function stopNaming(_params, { link }) {
  await restored;
  await set(link, { regular: false, incognito: false });
  return {};
}

/** Nothing is left of other links. @param {string[]} addresses */
export async function stopNamingAllBut(addresses) {
  await restored;
  for (const link of [...naming.keys()]) if (!addresses.includes(link)) await set(link, { regular: false, incognito: false });
}

/** @type {Record<string, import("../types.js").Handler>} */
export const downloadHandlers = { "debugger.nameDownloads": nameDownloads, "debugger.stopNaming": stopNaming };
