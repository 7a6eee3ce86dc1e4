/**
 * A dedicated worker that asks after daemons. Here, because a request that fails in a dedicated worker leaves no line in the
 * console nor on the extension's errors page; the same request of a document or a WebSocket does.
 *
 * In: {address, every} (milliseconds; 0: stop). Out: {address, health} (null: something answers there, but not our /health;
 * with `error`: a daemon that does not let us in).
 * @module
 */

/** @type {Map<string, ReturnType<typeof setInterval>>} */
const timers = new Map();
/** @type {Set<string>} */
const asking = new Set();

/** @param {string} address */
async function ask(address) {
  if (asking.has(address)) return;
  asking.add(address);
  let health;
  try {
    const answer = await fetch(`${address}/health`, { cache: "no-store", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(5000) });
    health = await answer.json().catch(() => null);
    const refused = answer.status === 403 && typeof health?.error?.message === "string";
    if (!refused && (health?.name !== "any" || !answer.ok)) health = null;
  } catch {
    health = undefined;
  } finally {
    asking.delete(address);
  }
  if (health !== undefined && timers.has(address)) postMessage({ address, health });
}

onmessage = ({ data: { address, every } }) => {
  clearInterval(timers.get(address));
  timers.delete(address);
  if (!every) return;
  timers.set(address, setInterval(() => ask(address), every));
  ask(address);
};
