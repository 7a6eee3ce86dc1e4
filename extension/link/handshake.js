/**
 * Who is who: the handshake of the link (docs/protocol.md, "Handshake").
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
/** @typedef {{id: string, secret: string}} Installation what `any extension` wrote into this folder: its name, and a secret of the daemon's */

/**
 * @param {import("./rpc.js").Rpc} rpc
 * @param {Known} known
 * @param {string} browser
 * @param {Installation|undefined} installation
 * @param {(daemon: any) => Promise<object>} describe what hello says of this browser; asked once the daemon is proven
 * @returns {Promise<{begun: any, welcome: any, key: string}>} rejects with an Error named KeyChanged where the daemon is not the
 *   one of the first handshake
 */
export async function handshake(rpc, known, browser, installation, describe) {
  const nonce = toBase64(crypto.getRandomValues(new Uint8Array(32)));
  const version = VERSION;
  const begun = await rpc.request("link.begin", { protocol: PROTOCOL, version, browser, nonce, has_key: !!known.key, ...(installation && { installation: installation.id }) });
  if (begun.protocol !== undefined && begun.protocol !== PROTOCOL) {
    const older = begun.protocol < PROTOCOL ? `the daemon (${begun.version})` : `the extension (${version})`;
    throw failure("ProtocolError", `${older} is older and speaks protocol ${Math.min(begun.protocol, PROTOCOL)}: update it`);
  }
  // Where the daemon is another user's, no key is told: both make it from the secret that this folder came with.
  const key = known.key ?? begun.key ?? (installation && (await hmac(installation.secret, `key|${browser}`)));
  if (!key) throw failure("ProtocolError", "the daemon gave neither a key nor a proof");
  const proven = key === begun.key || begun.proof === (await hmac(key, `daemon|${nonce}|${begun.nonce}|${browser}`));
  if (!proven && known.key) throw failure("KeyChanged", "the daemon at this address is not the one this browser met first: its key is another");
  if (!proven) throw failure("UnauthorizedError", "the daemon does not know the secret of this extension's folder: write the folder anew with `any extension DIR`, as the daemon's user");
  const [proof, self] = await Promise.all([hmac(key, `browser|${begun.nonce}|${nonce}|${browser}`), describe(begun)]);
  const welcome = await rpc.request("hello", { proof, ...self });
  return { begun, welcome, key };
}
