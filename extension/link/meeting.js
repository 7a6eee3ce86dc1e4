/**
 * Who is who: the handshake of the link (docs/protocol.md, "Meeting").
 * @module
 */
import { failure } from "./rpc.js";
import { VERSION } from "./version.js";

export const PROTOCOL = 1;

/** @param {ArrayBuffer|Uint8Array} bytes */
const toBase64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
/** @param {string} text */
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/**
 * @param {string} key base64
 * @param {string} text
 * @returns {Promise<string>} HMAC-SHA-256, base64
 */
async function hmac(key, text) {
  const imported = await crypto.subtle.importKey("raw", fromBase64(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return toBase64(await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text)));
}

/** @typedef {{address: string, browser?: string, key?: string, acknowledged?: number}} Known what is kept of one daemon */

/**
 * @param {import("./rpc.js").Rpc} rpc
 * @param {Known} known
 * @param {string} browser
 * @param {(daemon: any) => Promise<object>} describe what hello says of this browser; asked once the daemon is proven
 * @returns {Promise<{begun: any, welcome: any, key: string}>} rejects with an Error named KeyChanged where the daemon is not the
 *   one of the first meeting
 */
export async function meet(rpc, known, browser, describe) {
  const nonce = toBase64(crypto.getRandomValues(new Uint8Array(32)));
  const version = VERSION;
  const begun = await rpc.request("link.begin", { protocol: PROTOCOL, version, browser, nonce, has_key: !!known.key });
  if (begun.protocol !== undefined && begun.protocol !== PROTOCOL) {
    const older = begun.protocol < PROTOCOL ? `the daemon (${begun.version})` : `the extension (${version})`;
    throw failure("ProtocolError", `${older} is older and speaks protocol ${Math.min(begun.protocol, PROTOCOL)}: update it`);
  }
  const key = known.key ?? begun.key;
  if (known.key) {
    const proof = await hmac(known.key, `daemon|${nonce}|${begun.nonce}|${browser}`);
    if ((begun.key && begun.key !== known.key) || begun.proof !== proof)
      throw failure("KeyChanged", "the daemon at this address is not the one this browser met first: its key is another");
  }
  if (!key) throw failure("ProtocolError", "the daemon gave neither a key nor a proof");
  const [proof, self] = await Promise.all([hmac(key, `browser|${begun.nonce}|${nonce}|${browser}`), describe(begun)]);
  const welcome = await rpc.request("hello", { proof, ...self });
  return { begun, welcome, key };
}
