/**
 * The service worker: what calls the browser for the daemon. It sleeps whenever it can; the link lives in the offscreen document, which the
 * worker makes again whenever it wakes without one.
 * @module
 */
import { browserHandlers } from "./worker/browser.js";
import { chromeHandlers } from "./worker/chrome.js";
import { debuggerHandlers } from "./worker/debugger.js";
import { downloadHandlers } from "./worker/downloads.js";
import { linkHandlers } from "./worker/links.js";
import { popupHandlers } from "./worker/popups.js";
import { reloadHandlers } from "./worker/reloading.js";
import { sandboxHandlers } from "./worker/sandboxes.js";
import { taskHandlers } from "./task/handlers.js";
import { askForPort, emit, ensureOffscreen, serve } from "./worker_port.js";

/** An exception that nobody awaits would be seen by nobody. @param {string} what */
const fault = (what) => emit("log", { level: "error", text: `a fault of the extension's worker: ${what}` });
addEventListener("error", ({ error, message }) => fault(error?.stack ?? message));
addEventListener("unhandledrejection", ({ reason }) => fault(reason?.stack ?? String(reason)));

serve({ ...browserHandlers, ...chromeHandlers, ...debuggerHandlers, ...downloadHandlers, ...linkHandlers, ...popupHandlers, ...reloadHandlers, ...sandboxHandlers, ...taskHandlers });

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
