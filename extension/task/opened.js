/**
 * Tabs that were opened for tasks whose host has not been told yet: a worker that dies in between must not open a second one.
 * Runs in the worker. A tab is forgotten once it settles, which its host asks for by its id, and when it closes.
 * @module
 */
import { keep, recall } from "../worker/kept.js";

/** @type {Map<string, number>} tab by the mark of the run it was opened for */
const opened = new Map();

const restored = (async () => {
  const list = await recall("opened");
  if (list.length === 0) return;
  const there = new Set((await chrome.tabs.query({})).map((tab) => tab.id));
  for (const [mark, tab] of list) if (there.has(tab)) opened.set(mark, tab);
})();

/** @param {string} mark @returns {Promise<number|undefined>} */
export async function openedFor(mark) {
  await restored;
  return opened.get(mark);
}

/** @param {string} mark @param {number} tab */
export async function noteOpened(mark, tab) {
  await restored;
  opened.set(mark, tab);
  await keep("opened", [...opened]);
}

/** @param {number} tab */
export async function forgetOpened(tab) {
  await restored;
  const marks = [...opened].filter(([, other]) => other === tab).map(([mark]) => mark);
  for (const mark of marks) opened.delete(mark);
  if (marks.length > 0) await keep("opened", [...opened]);
}

chrome.tabs.onRemoved.addListener((tab) => void forgetOpened(tab));
chrome.tabs.onReplaced.addListener((_added, removed) => void forgetOpened(removed));
