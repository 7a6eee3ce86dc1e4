/**
 * The worker's side of the MessagePort between the worker and the offscreen document.
 *
 * The offscreen document makes the port and hands it over by `ServiceWorker.postMessage`, which wakes the worker. The worker
 * holds a Web Lock named after this run of it, so that its death is told to the offscreen document at once.
 * @module
 */
import { errorText, fits, notificationText, Pieces, postText, presentable, readHead, resultText } from "./link/messages.js";

const BOOT = `any-worker-${crypto.randomUUID()}`;
const OFFSCREEN = "offscreen.html";

/** @type {any} the global scope of a service worker */
const scope = globalThis;

/** The one on which all goes out that answers nobody. @type {MessagePort|null} */
let port = null;
/** Who calls (an offscreen document, and for a moment the one before it): the port on which it hears, and how many it has given. @type {Map<string, {port: MessagePort, number: number}>} */
const clients = new Map();
/** @type {any[]} said before there was a port */
const unsent = [];
const MAX_UNSENT = 20_000;
let dropped = 0;
/** What chrome.* functions say while Chrome ends this worker: the offscreen document must know of that. */
const DYING = "No SW";

/** Resolves once the lock is held. */
const alive = new Promise((resolve) => {
  navigator.locks.request(BOOT, () => {
    resolve(undefined);
    return new Promise(() => {}); // until this worker dies
  });
});

/**
 * Tells the offscreen document. Every link hears it where `link` is absent.
 * Never throws; what is said while no offscreen document is there waits for the next one.
 * @param {string} name
 * @param {any} data must survive structured cloning
 * @param {string} [link] address of the only link that shall hear it
 */
export function emit(name, data, link) {
  tell({ emit: name, data, link });
}

/**
 * A notification to the daemon of a link; nobody parses it on its way.
 * @param {string} method
 * @param {string} params JSON
 * @param {string} link
 */
export function say(method, params, link) {
  const text = notificationText(method, params);
  if (fits(text)) tell({ say: text, link });
  else emit("log", { level: "warn", text: `a ${method} of ${text.length} characters is too large for the link and was dropped: ${text.slice(0, 200)}` }, link);
}

/** @param {any} message */
function tell(message) {
  if (port) return post(port, message);
  if (unsent.length < MAX_UNSENT) unsent.push(message);
  else dropped++;
  askForPort();
}

/** @param {MessagePort} to @param {any} message */
function post(to, message) {
  if (message.say === undefined) to.postMessage(message);
  else postText(to, message, "say");
}

/** Asks the offscreen document for a port, and makes the document where there is none. */
export async function askForPort() {
  if (!(await ensureOffscreen()) || port) return; // a new document hands over a port by itself
  for (const client of await scope.clients.matchAll({ includeUncontrolled: true, type: "all" })) {
    if (new URL(client.url).pathname === `/${OFFSCREEN}`) client.postMessage({ kind: "give-port", boot: BOOT });
  }
}

/** @type {Promise<boolean>|null} */
let ensuring = null;

/**
 * Makes the offscreen document where there is none.
 * @returns {Promise<boolean>} whether it was there already
 */
export function ensureOffscreen() {
  ensuring ??= (async () => {
    try {
      if (await chrome.offscreen.hasDocument()) return true;
      await chrome.offscreen.createDocument({
        url: OFFSCREEN,
        reasons: [chrome.offscreen.Reason.WORKERS],
        justification: "Keeps the link to the daemon while the service worker sleeps.",
      });
      return false;
    } catch (error) {
      if (/single offscreen/i.test(String(error))) return true;
      console.error("[any] the offscreen document cannot be made:", error);
      return false;
    } finally {
      ensuring = null;
    }
  })();
  return ensuring;
}

/**
 * Answers the calls that come from the offscreen document.
 * @param {Record<string, import("./types.js").Handler>} handlers
 */
export function serve(handlers) {
  scope.addEventListener("message", (/** @type {MessageEvent} */ event) => {
    if (event.data?.kind !== "port") return; // "keep" only has to arrive
    void takePort(event.ports[0], event.data.client, handlers);
  });
}

/**
 * @param {MessagePort} given
 * @param {string} client whose it is
 * @param {Record<string, import("./types.js").Handler>} handlers
 */
async function takePort(given, client, handlers) {
  watchOffscreen();
  await alive;
  // Two ports keep no order between them: the other side waits for the last word on the old one.
  const before = clients.get(client);
  before?.port.postMessage({ last: true });
  const number = (before?.number ?? 0) + 1;
  clients.set(client, { port: given, number });
  port = given;
  given.postMessage({ boot: BOOT, number });
  for (const message of unsent.splice(0)) post(given, message);
  if (dropped) emit("log", { level: "warn", text: `${dropped} messages were lost: there was no way to the offscreen document` });
  dropped = 0;
  // Only now: an answer must not overtake what was said before it.
  const pieces = new Pieces();
  given.onmessage = ({ data }) => {
    if (pieces.take(data)) return;
    if (data.text === undefined) void answer(data, client, handlers);
    else answerText({ ...data, text: pieces.whole(data.text) }, client, handlers);
  };
}

/** The newest port of that client. @param {string} client */
const portOf = (client) => clients.get(client)?.port;

/**
 * @param {{id: number, method: string, params: any, link: string}} call
 * @param {string} client
 * @param {Record<string, import("./types.js").Handler>} handlers
 */
async function answer({ id, method, params, link }, client, handlers) {
  try {
    const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
    if (!handler) throw { name: "InternalError", message: `the worker has no handler ${method}` };
    let result = handler(params, { link, emit });
    if (typeof result?.then === "function") result = await result;
    portOf(client)?.postMessage({ id, result });
  } catch (thrown) {
    portOf(client)?.postMessage({ id, error: plainError(thrown) });
  }
}

/**
 * Answers a request of the daemon, text for text. Nothing is awaited that need not be, so that requests reach Chrome in the
 * order in which they came.
 * @param {{id: number, text: string, link: string}} call
 * @param {string} client
 * @param {Record<string, import("./types.js").Handler>} handlers
 */
function answerText({ id, text, link }, client, handlers) {
  const raw = readHead(text)?.id ?? "null";
  const refuse = (/** @type {any} */ thrown) => {
    const error = plainError(thrown);
    if (error.message === DYING) portOf(client)?.postMessage({ id, error });
    else portOf(client)?.postMessage({ id, result: errorText(raw, presentable(error)) });
  };
  const finish = (/** @type {any} */ result) => {
    const to = portOf(client);
    if (to) postText(to, { id, result: resultText(raw, result) }, "result");
  };
  try {
    const request = JSON.parse(text);
    const result = handlers[request.method](request.params ?? {}, { link, emit, text });
    if (typeof result?.then === "function") result.then(finish).catch(refuse);
    else finish(result);
  } catch (thrown) {
    refuse(thrown);
  }
}

/**
 * @param {any} thrown
 * @returns {{name: string, message: string}}
 */
export function plainError(thrown) {
  if (thrown instanceof Error) return { ...thrown, name: thrown.name, message: thrown.message };
  if (thrown && typeof thrown.message === "string") return { name: "Error", ...thrown };
  return { name: "Error", message: String(thrown) };
}

let watching = false;

/** The offscreen document holds a lock while it lives: who gets it knows that the document is gone. */
function watchOffscreen() {
  if (watching) return;
  watching = true;
  navigator.locks.request("any-offscreen", () => {
    watching = false;
    port = null;
    clients.clear();
    ensureOffscreen();
  });
}
