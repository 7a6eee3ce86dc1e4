/**
 * What an offscreen document finds in the worker of those before it.
 * @module
 */
import { whenKnown, releaseAllBut } from "./attachments.js";
import { unsubscribeEverybody } from "./chrome.js";
import { stopNamingAllBut } from "./downloads.js";
import { unfollowEverybody } from "./popups.js";

/** No link is linked yet: nothing of an earlier document is wanted, but what a link that comes back may take up. @type {import("../types.js").Handler} */
async function only({ addresses }) {
  await Promise.all([unsubscribeEverybody(), unfollowEverybody(), whenKnown(() => releaseAllBut(addresses)), stopNamingAllBut(addresses)]);
  return {};
}

/** @type {Record<string, import("../types.js").Handler>} */
export const linkHandlers = { "links.only": only };
