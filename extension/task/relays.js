/**
 * The ports of relays, which run in the isolated world of pages.
 * @module
 */

/** Lifecycles of documents that will not run a script. */
const GONE = ["cached", "pending_deletion"];
const PIECE = 8_000_000; // UTF-16 units; a message of the runtime carries 64 MiB

/** Relays whose port is open. @type {Map<string, Relay>} by document id */
const byDocument = new Map();
/** @type {Map<string, Relay>} by `tab:frame` */
const byFrame = new Map();
/** Documents whose port has closed, the latest last. @type {Set<string>} */
const left = new Set();
const LEFT_KEPT = 1000;
const UNHEARD_KEPT = 10_000;
/** @type {Map<string, RelayListener>} by the address of the link whose runs they are */
const listeners = new Map();
/** Said before its link was there. @type {{relay: Relay, message: any}[]} */
const unheard = [];
/** Addresses of the links that are there or coming; null: not known yet. @type {Set<string>|null} */
let owners = null;

/**
 * Who is told what relays say of its runs.
 * @typedef {object} RelayListener
 * @property {(relay: Relay, message: any) => void} onRelay
 * @property {(relay: Relay) => void} onRelayGone the port is closed: the document has gone, or sleeps in the back/forward cache
 */

/** One document's relay, as long as its port is open. */
export class Relay {
  /** @param {chrome.runtime.Port} port */
  constructor(port) {
    const { sender } = port;
    this.port = port;
    this.tab = sender?.tab?.id ?? -1;
    this.frame = sender?.frameId ?? 0;
    this.document = sender?.documentId ?? "";
    this.url = sender?.url ?? "";
    this.title = sender?.tab?.title ?? "";
    /** MIME type of the document; empty until the relay has said hello */
    this.type = "";
    this.ready = "loading";
    this.open = true;
    /** worlds in which a wrapper waits @type {Set<string>} */
    this.engines = new Set();
    /** The main world cannot evaluate text here. */
    this.blocked = false;
    /** @type {Set<() => void>} */
    this.watchers = new Set();
    this.lastPiece = 0;
    /** runs that have ended here @type {Set<string>} */
    this.finished = new Set();
    /** how often it has answered a ping */
    this.pongs = 0;
  }

  /** Large members go in pieces. @param {any} message */
  send(message) {
    if (!this.open) return;
    const out = { ...message };
    for (const name of ["script", "args", "state"]) {
      const text = out[name];
      if (typeof text !== "string" || text.length <= PIECE) continue;
      const id = ++this.lastPiece;
      for (let from = 0; from < text.length; ) {
        let to = Math.min(from + PIECE, text.length);
        const last = text.charCodeAt(to - 1);
        if (to < text.length && last >= 0xd800 && last < 0xdc00) to--;
        this.port.postMessage({ do: "piece", id, text: text.slice(from, to) });
        from = to;
      }
      out[name] = { pieces: id };
    }
    this.port.postMessage(out);
  }

  /**
   * Waits until `test` holds; false when the port closes or the time is over first.
   * @param {() => boolean} test looked at after each message of this relay
   * @param {number} ms
   * @returns {Promise<boolean>}
   */
  until(test, ms) {
    if (test()) return Promise.resolve(true);
    if (!this.open) return Promise.resolve(false);
    return new Promise((resolve) => {
      const look = () => {
        const holds = test();
        if (!holds && this.open) return;
        clearTimeout(timer);
        this.watchers.delete(look);
        resolve(holds);
      };
      const timer = setTimeout(() => {
        this.watchers.delete(look);
        resolve(test());
      }, ms);
      this.watchers.add(look);
    });
  }
}

/** @type {Set<() => void>} */
const arrivals = new Set();

/**
 * The relay of a document, once its port is open.
 * @param {string} document
 * @param {number} ms
 * @returns {Promise<Relay|null>} null at once where the port was closed again meanwhile
 */
export function relayOf(document, ms) {
  const there = byDocument.get(document);
  if (there?.type) return Promise.resolve(there);
  if (hasLeft(document)) return Promise.resolve(null);
  return new Promise((resolve) => {
    const look = () => {
      const relay = byDocument.get(document);
      if (!relay?.type && !hasLeft(document)) return;
      arrivals.delete(look);
      clearTimeout(timer);
      resolve(relay?.type ? relay : null);
    };
    const timer = setTimeout(() => {
      arrivals.delete(look);
      resolve(null);
    }, ms);
    arrivals.add(look);
  });
}

/** The document had its relay, and went: it was replaced, or lies in the back/forward cache. @param {string} document */
export function hasLeft(document) {
  return left.has(document);
}

/** @param {string} document */
function leave(document) {
  left.delete(document);
  left.add(document);
  if (left.size > LEFT_KEPT) for (const oldest of left) return void left.delete(oldest);
}

/** The relay that is there now, if any. @param {number} tab @param {number} frame */
export function relayAt(tab, frame) {
  return byFrame.get(`${tab}:${frame}`);
}

/**
 * From now on the runs of this link are told to `listener`; also what was said of them before.
 * @param {string} owner the link's address
 * @param {RelayListener} listener
 */
export function listenTo(owner, listener) {
  listeners.set(owner, listener);
  for (const said of unheard.splice(0)) {
    if (ownerOf(said.message.run) === owner) listener.onRelay(said.relay, said.message);
    else unheard.push(said);
  }
}

/** The link is gone for good. @param {string} owner */
export function stopListening(owner) {
  listeners.delete(owner);
}

/** No other links than these are there or coming: runs of others are of no use to anybody. @param {Iterable<string>} addresses */
export function onlyOwners(addresses) {
  owners = new Set(addresses);
  for (const { relay, message } of unheard.splice(0)) hand(relay, message);
}

/** A run's name everywhere in the extension. @param {string} owner @param {string} task @param {number} attempt @param {number} hop @param {number} frame */
export function runName(owner, task, attempt, hop, frame) {
  return JSON.stringify([owner, task, attempt, hop, frame]);
}

/** @param {string} run */
function ownerOf(run) {
  try {
    return JSON.parse(run)[0];
  } catch {
    return "";
  }
}

/** @param {chrome.runtime.Port} port named "any-relay:…" */
export function acceptRelay(port) {
  if (port.sender?.id !== chrome.runtime.id || !port.sender.tab) return port.disconnect();
  const relay = new Relay(port);
  if (GONE.includes(port.sender.documentLifecycle ?? "")) {
    // It connected while it was being replaced. Chrome closes the ports of a page that goes into the cache, but not one that comes
    // from there: what is sent to it is heard by nobody, and its end told to nobody.
    port.disconnect();
    leave(relay.document);
    for (const look of [...arrivals]) look();
    return;
  }
  const place = `${relay.tab}:${relay.frame}`;
  left.delete(relay.document);
  byDocument.set(relay.document, relay);
  byFrame.set(place, relay);
  /** @type {Map<number, string[]>} */
  const pieces = new Map();

  port.onMessage.addListener((message) => {
    if (message.say === "piece") {
      const list = pieces.get(message.id) ?? [];
      list.push(message.text);
      pieces.set(message.id, list);
      return;
    }
    if (message.pieces) {
      message.text = (pieces.get(message.pieces) ?? []).join("");
      pieces.delete(message.pieces);
    }
    receive(relay, message);
    for (const look of [...relay.watchers]) look();
  });
  port.onDisconnect.addListener(() => {
    void chrome.runtime.lastError;
    relay.open = false;
    if (byDocument.get(relay.document) === relay) byDocument.delete(relay.document);
    if (byFrame.get(place) === relay) byFrame.delete(place);
    if (!byDocument.has(relay.document)) leave(relay.document);
    for (const look of [...arrivals]) look();
    for (const look of [...relay.watchers]) look();
    for (const listener of listeners.values()) listener.onRelayGone(relay);
  });
}

/** @param {Relay} relay @param {any} message */
function receive(relay, message) {
  switch (message.say) {
    case "hello":
      relay.url = message.url;
      relay.title = message.title;
      relay.type = message.type;
      relay.ready = message.ready;
      for (const held of message.runs) hand(relay, { say: "held", ...held });
      for (const look of [...arrivals]) look();
      return;
    case "engine":
      relay.engines.add(message.world);
      return;
    case "pong":
      relay.pongs++;
      return;
    case "ready":
      relay.ready = message.ready;
      return;
    case "sleep":
      setTimeout(() => relay.send({ do: "wake", run: message.run, id: message.id }), message.ms);
      return;
    default:
      if (message.say === "end") {
        if (relay.finished.size > 1000) relay.finished.clear();
        relay.finished.add(message.run);
        relay.url = message.page;
        relay.title = message.title;
      }
      hand(relay, message);
  }
}

/** @param {Relay} relay @param {any} message */
function hand(relay, message) {
  const owner = ownerOf(message.run);
  const listener = listeners.get(owner);
  if (listener) listener.onRelay(relay, message);
  else if (owners && !owners.has(owner)) disown(relay, message);
  else if (unheard.length < UNHEARD_KEPT) unheard.push({ relay, message });
}

/** @param {Relay} relay @param {any} message of a run whose link is gone for good */
function disown(relay, { say, state, run }) {
  const error = { name: "CancelledError", message: "the daemon that had sent the script was removed from this browser" };
  if (say === "started" || (say === "held" && state === "running")) relay.send({ do: "stop", run, error });
  if (say === "end" || say === "held") relay.send({ do: "ack", run });
}
