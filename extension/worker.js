/**
 * The service worker: the extension's hands. It sleeps whenever it can; the link lives in the offscreen document, which the
 * worker makes again whenever it wakes without one.
 * @module
 */
import { browserHands } from "./hands/browser.js";
import { chromeHands } from "./hands/chrome.js";
import { debuggerHands } from "./hands/debugger.js";
import { linkHands } from "./hands/links.js";
import { popupHands } from "./hands/popups.js";
import { reloadHands } from "./hands/reloading.js";
import { sandboxHands } from "./hands/sandboxes.js";
import { taskHands } from "./task/hands.js";
import { askForPort, emit, ensureOffscreen, serve } from "./worker_port.js";

/** An exception that nobody awaits would be seen by nobody. @param {string} what */
const fault = (what) => emit("log", { level: "error", text: `a fault of the extension's worker: ${what}` });
addEventListener("error", ({ error, message }) => fault(error?.stack ?? message));
addEventListener("unhandledrejection", ({ reason }) => fault(reason?.stack ?? String(reason)));

serve({ ...browserHands, ...chromeHands, ...debuggerHands, ...linkHands, ...popupHands, ...reloadHands, ...sandboxHands, ...taskHands });

chrome.runtime.onInstalled.addListener(() => void ensureOffscreen());
chrome.runtime.onStartup.addListener(() => void ensureOffscreen());
chrome.runtime.onMessage.addListener((message) => {
  if (message?.kind === "wake") void ensureOffscreen(); // the popup found no offscreen document
});

// The only thing that surely wakes a sleeping worker after the offscreen document was lost (with its process, say). At less than
// 30 s the worker would never sleep.
chrome.alarms.onAlarm.addListener(() => void ensureOffscreen());
chrome.alarms.get("watch").then((alarm) => {
  if (!alarm) chrome.alarms.create("watch", { periodInMinutes: 1 });
});

askForPort();
