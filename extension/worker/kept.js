/**
 * What one run of the worker leaves to the next (chrome.storage.session): each part of it is one value, which whoever owns the part
 * writes whole and which names only what is there at that moment.
 * @module
 */
import { emit } from "../worker_port.js";

/** @type {Set<string>} parts whose last writing failed: that is said once */
const failing = new Set();

/** @param {string} name @returns {Promise<any[]>} empty where nothing was kept */
export async function recall(name) {
  try {
    return /** @type {any} */ (await chrome.storage.session.get(name))[name] ?? [];
  } catch (error) {
    emit("log", { level: "error", text: `what an earlier worker left under "${name}" cannot be read: ${/** @type {Error} */ (error).message}` });
    return [];
  }
}

/** Never rejects: what goes on now does not depend on it. @param {string} name @param {any[]} list */
export async function keep(name, list) {
  try {
    if (list.length > 0) await chrome.storage.session.set({ [name]: list });
    else await chrome.storage.session.remove(name);
    failing.delete(name);
  } catch (error) {
    if (failing.has(name)) return;
    failing.add(name);
    const message = `the browser's session storage refuses "${name}" (${/** @type {Error} */ (error).message}): it would be lost with the extension's worker`;
    emit("log", { level: "error", text: message });
  }
}
