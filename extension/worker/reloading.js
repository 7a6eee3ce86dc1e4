/**
 * The extension's own reload. Where Chrome's developer mode is off it disables an unpacked extension that reloads itself, for good,
 * and nothing tells an extension whether it is on: it reloads itself only where that is certain.
 * @module
 */
import { keep, recall } from "./kept.js";

// "install" comes at each start of a browser that is given the extension on its command line, where developer mode may well be off,
// and when the person has just loaded it. "update": it was reloaded in this run of the browser, and survived. Started with the
// browser: it lies in the profile, and would survive the next start no more than a reload.
const SURVIVED = ["update", "startup"];
chrome.runtime.onInstalled.addListener(({ reason }) => void keep("loaded", [reason]));
chrome.runtime.onStartup.addListener(() => void keep("loaded", ["startup"]));

async function surviving() {
  const config = await (await fetch(chrome.runtime.getURL("config.json"))).json();
  if (config.developer_mode) return true; // `any launch` has switched it on in this profile
  const [loaded] = await recall("loaded");
  return SURVIVED.includes(loaded);
}

/** @type {import("../types.js").Handler} */
async function reload() {
  if (!(await surviving())) {
    const message =
      "the extension is to be loaded anew and does not do it by itself: with Chrome's developer mode off Chrome would switch it off for good. " +
      "Restart the browser, or open chrome://extensions, switch on “Developer mode” and press the reload button of any";
    throw { name: "UnavailableError", message };
  }
  setTimeout(() => chrome.runtime.reload(), 50); // once the answer has left
  return {};
}

/** @type {Record<string, import("../types.js").Handler>} */
export const reloadHandlers = { "extension.reload": reload };
