/**
 * What the worker finds out about a page that fails.
 * @module
 */
import { failure, plainFailure } from "./errors.js";

const LOOKS = 20;
const PAUSE_MS = 150;

/** @typedef {(method: string, params: any) => Promise<any>} CallHand */

/**
 * How the page went from under a part of a run.
 * @param {import("./run.js").Run} run
 * @param {import("./run.js").Part} part
 * @param {import("./relays.js").Relay} relay whose port was closed
 * @param {CallHand} hand
 * @returns {Promise<import("./errors.js").TaskFailure|null>} null: the page lives and its relay came back, or the run has ended
 */
export async function howLost(run, part, relay, hand) {
  const where = { tab: run.tab?.id, frame: part.frame, document: relay.document, url: relay.url };
  for (let looks = 0; looks <= LOOKS; looks++) {
    let fate;
    try {
      fate = await hand("task.fate", where);
    } catch (error) {
      fate = { error: plainFailure(error) };
    }
    if (run.over || part.relay !== relay || part.end) return null;
    if (fate.error) return fate.error;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS)); // the document lives: its relay comes back
  }
  if (run.over || part.relay !== relay || part.end) return null;
  return plainFailure(failure("PageCrashedError", `the page at ${part.url} no longer answers the extension; reload the tab and try again`));
}

/**
 * What the tab shows.
 * @param {number} tab
 * @param {CallHand} hand
 * @param {number} ms how long the end may wait for it
 * @returns {Promise<string|null>} PNG as base64
 */
export function picture(tab, hand, ms) {
  return Promise.race([hand("task.picture", { tab }).catch(() => null), new Promise((resolve) => setTimeout(resolve, ms, null))]);
}
