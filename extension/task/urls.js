/**
 * Which addresses Chrome lets an extension into, and match patterns.
 * @module
 */
import { failure } from "./errors.js";

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

/** @param {string} pattern @param {string} path of the field @returns {Error} */
export function malformed(pattern, path) {
  return failure("BadRequestError", `${JSON.stringify(pattern)} is no match pattern; write it like https://*.example.com/*`, { path });
}

const PORTS = { "http:": "80", "https:": "443", "ftp:": "21", "file:": "" };

/**
 * Whether an address matches; scheme, host and port are read as the URL standard reads those of addresses.
 * @param {string} pattern a match pattern of Chrome
 * @param {string} url
 * @returns {boolean|null} null: the pattern is malformed
 */
export function matches(pattern, url) {
  const trimmed = pattern.trim();
  if (trimmed === "<all_urls>") return /^(https?|file|ftp):/.test(url);
  const parts = /^(\*|https?|file|ftp):\/\/(\*\.|\*(?=[:/]))?([^/]*?)(?::(\d+|\*))?(\/.*)$/i.exec(trimmed);
  if (!parts) return null;
  const [, scheme, any, host, port, path] = parts;
  const local = scheme.toLowerCase() === "file";
  const bare = any === "*" || local;
  if (bare ? !local && host : !URL.canParse(`http://${host}/`) || /[@?#*]/.test(host)) return null;
  if (!URL.canParse(url)) return false;
  const at = new URL(url);
  if (scheme === "*" ? !/^https?:$/.test(at.protocol) : at.protocol !== `${scheme.toLowerCase()}:`) return false;
  if (port && port !== "*" && Number(port) !== Number(at.port || PORTS[/** @type {keyof typeof PORTS} */ (at.protocol)])) return false;
  if (!bare) {
    const { hostname } = new URL(`http://${host}/`);
    if (at.hostname !== hostname && !(any && at.hostname.endsWith(`.${hostname}`))) return false;
  }
  const shape = path.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  return new RegExp(`^${shape}$`).test(at.pathname + at.search);
}
