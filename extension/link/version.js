/**
 * The extension's version. An offscreen document has no chrome.runtime.getManifest, so the manifest is read as a file.
 * @module
 */

export let VERSION = "";

/** To be awaited once before VERSION is used. */
export async function readVersion() {
  VERSION = (await (await fetch(chrome.runtime.getURL("manifest.json"))).json()).version;
}
