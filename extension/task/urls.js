/**
 * Which addresses Chrome lets an extension into, and match patterns.
 * @module
 */

/** @type {Record<string, string>} */
const CLOSED = {
  "chrome:": "a page of Chrome's own",
  "chrome-untrusted:": "a page of Chrome's own",
  "chrome-search:": "a page of Chrome's own",
  "chrome-error:": "an error page of Chrome",
  "edge:": "a page of the browser's own",
  "brave:": "a page of the browser's own",
  "opera:": "a page of the browser's own",
  "vivaldi:": "a page of the browser's own",
  "devtools:": "the developer tools",
  "view-source:": "the source view of a page, in which no script ever answers",
  "chrome-extension:": "a page of an extension",
  "about:": "an empty page without an address",
  "data:": "a page made from a data: address",
  "javascript:": "no page",
  "isolated-app:": "an isolated app",
};

/**
 * Why no script may run in a tab at this address; null where it may.
 * @param {string} url
 * @param {boolean} files whether the extension may read file: addresses
 * @returns {string|null}
 */
export function closedTo(url, files) {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].toLowerCase() ?? "";
  if (!scheme) return "a page that has no address yet";
  if (CLOSED[scheme]) return CLOSED[scheme];
  if (scheme === "file:" && !files) return "a file, and “Allow access to file URLs” is off for any on chrome://extensions";
  if (scheme !== "http:" && scheme !== "https:") return null;
  const at = URL.canParse(url) ? new URL(url) : null;
  if (!at) return null;
  if (at.hostname === "chromewebstore.google.com") return "the Chrome web store";
  if (at.hostname === "chrome.google.com" && at.pathname.startsWith("/webstore")) return "the Chrome web store";
  return null;
}

/**
 * @param {string} pattern as in chrome.tabs.query
 * @param {string} url
 * @returns {boolean|null} null: the pattern is malformed
 */
export function matches(pattern, url) {
  if (pattern === "<all_urls>") return /^(https?|file|ftp):/.test(url);
  const parts = /^(\*|https?|file|ftp):\/\/(\*|(?:\*\.)?[^/*]+|)(\/.*)$/.exec(pattern);
  if (!parts) return null;
  const [, scheme, host, path] = parts;
  if (!URL.canParse(url)) return false;
  const at = new URL(url);
  const own = at.protocol.slice(0, -1);
  if (scheme === "*" ? own !== "http" && own !== "https" : own !== scheme) return false;
  if (host !== "*" && scheme !== "file") {
    const [name, port] = host.split(":");
    if (port && port !== "*" && port !== at.port) return false;
    if (name.startsWith("*.") ? at.hostname !== name.slice(2) && !at.hostname.endsWith(name.slice(1)) : at.hostname !== name) return false;
  }
  const shape = path.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  return new RegExp(`^${shape}$`).test(at.pathname + at.search);
}
