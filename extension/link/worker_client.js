/**
 * The offscreen document's side of the MessagePort to the worker: wakes it, calls it, notices its death.
 * @module
 */
import { Pieces, postText } from "./messages.js";

/** A message within this time keeps the worker; Chrome ends it after 30 s without one. Milliseconds. */
const FRESH_MS = 8_000;
/** After this time the worker may have died unnoticed: a new port goes with the message that wakes it. */
const DOUBTFUL_MS = 22_000;
const START_MS = 10_000;
const MAX_TRIES = 6;
/** A worker that Chrome is ending is gone by then. */
const DYING_MS = 3_000;

/**
 * @typedef {object} Pending
 * @property {Line} line
 * @property {string} method
 * @property {string|null} passedFor the link whose daemon alone waits for the answer
 * @property {(value: any) => void} resolve
 * @property {(error: Error) => void} reject what it is given has name, message and maybe further fields
 */

/** @typedef {{text: string, method: string, link: string, resolve: (text: string) => void, reject: (error: Error) => void, tries: number, number: number}} Passed */

/** What chrome.* functions say in a worker that Chrome is ending at that moment. */
const DYING = "No SW";

/**
 * One port, and the run of the worker that holds it.
 * @typedef {object} Line
 * @property {MessagePort} port
 * @property {string|null} boot the run; null until it has spoken
 * @property {number} number of this port among those that the run was given by this client
 * @property {boolean} dying Chrome is ending the worker, as it has said
 * @property {any[]} early messages that wait for the last word on the port before
 * @property {Pieces} pieces
 */

/** @typedef {{lines: Map<number, Line>, ended: number}} Boot a run of the worker: its ports by number, and how many have had their last word */

/** Held as long as this document lives: whoever gets the lock after us knows that we are gone. Resolves once it is held. */
const present = new Promise((resolve) => {
  navigator.locks.request("any-offscreen", () => {
    resolve(undefined);
    return new Promise(() => {});
  });
});

export class WorkerClient {
  /**
   * @param {{onEmit: (name: string, data: any, link?: string) => void, onText: (text: string, link: string) => void,
   *   onState: (text: string) => void}} handlers `onText`: a whole message for the daemon of that link
   */
  constructor({ onEmit, onText, onState }) {
    this.onEmit = onEmit;
    this.onText = onText;
    this.onState = onState;
    /** @type {() => void} called when the worker has died */
    this.onDeath = () => {};
    /** Whether the worker is kept awake without calls: an event that wakes it comes before it listens, and would be missed. */
    this.stayAwake = false;
    /** @type {Line|null} */
    this.line = null;
    /** The worker keeps the order of what it says to each client. */
    this.id = crypto.randomUUID();
    /** @type {Map<string, Boot>} the runs of the worker that have not died */
    this.boots = new Map();
    /** Requests for the next run of the worker, while this one has not died: they were refused by it, or came later. @type {Passed[]} */
    this.waiting = [];
    /** @type {Map<number, Pending>} */
    this.pending = new Map();
    this.lastId = 0;
    this.passes = 0;
    this.lastTouch = -Infinity;
    /** @type {ServiceWorker|null} */
    this.worker = null;
    /** @type {ReturnType<typeof setInterval>|undefined} */
    this.keeper = undefined;
    navigator.serviceWorker.addEventListener("message", (event) => {
      // Asked by a worker that woke by itself, or by one that has a port already, which keeps it.
      if (event.data?.kind === "give-port" && !(this.line && this.line.boot === event.data.boot)) this.connect();
    });
    navigator.serviceWorker.startMessages();
  }

  /** Finds the service worker; to be awaited once before anything else. */
  async start() {
    await present; // a worker that had a port before could get the lock itself and take us for gone
    const registration = await navigator.serviceWorker.ready;
    this.worker = registration.active;
    this.connect();
  }

  /**
   * @param {string} method
   * @param {any} params
   * @param {string} link
   * @returns {Promise<any>}
   */
  call(method, params, link) {
    return new Promise((resolve, reject) => this.post({ method, params, link }, method, resolve, reject));
  }

  /**
   * A request of the daemon, which only the worker parses; what it answers is a whole message for the daemon.
   * @param {string} text
   * @param {string} method of the request, for errors
   * @param {string} link
   * @param {(text: string) => void} resolve
   * @param {(error: Error) => void} reject
   */
  pass(text, method, link, resolve, reject) {
    const passed = { text, method, link, resolve, reject, tries: 1, number: ++this.passes };
    if (this.waiting.length > 0) this.waiting.push(passed);
    else this.send(passed);
  }

  /** @param {Passed} passed */
  send(passed) {
    const { text, method, link, resolve, reject } = passed;
    this.post({ text, link }, method, resolve, (error) => {
      if (!(/** @type {any} */ (error).undone) || ++passed.tries > MAX_TRIES) return reject(error);
      // Chrome refused it before it did anything. Others that were sent after it may be refused yet: those that come now wait.
      this.waiting.push(passed);
      this.sendWaiting();
    });
  }

  /** Sends again, in their order, what a dying run of the worker has refused, once it has answered or lost everything. */
  sendWaiting() {
    if ([...this.pending.values()].some((call) => call.passedFor !== null && call.line.dying)) return;
    const waiting = this.waiting.splice(0).sort((a, b) => a.number - b.number);
    for (const passed of waiting) this.send(passed);
  }

  /**
   * @param {any} message
   * @param {string} method
   * @param {(value: any) => void} resolve
   * @param {(error: Error) => void} reject
   */
  post(message, method, resolve, reject) {
    const line = this.touch();
    message.id = ++this.lastId;
    const passedFor = message.text === undefined ? null : message.link;
    this.pending.set(message.id, { line, method, passedFor, resolve, reject });
    if (message.text === undefined) line.port.postMessage(message);
    else postText(line.port, message, "text");
    this.keeper ??= setInterval(() => this.keep(), FRESH_MS);
  }

  /** The daemon of a link that is gone waits for nothing: some calls of chrome.* are never answered. @param {string} link */
  forget(link) {
    for (const [id, { passedFor }] of this.pending) if (passedFor === link) this.pending.delete(id);
    this.waiting = this.waiting.filter((passed) => passed.link !== link);
    if (this.waiting.length > 0) this.sendWaiting();
  }

  /** Makes sure that the worker is awake and stays so for a while. @returns {Line} */
  touch() {
    const idle = performance.now() - this.lastTouch;
    if (!this.line || idle > DOUBTFUL_MS) return this.connect();
    if (idle > FRESH_MS) this.poke({ kind: "keep" });
    return this.line;
  }

  /** While calls are in flight the worker must not fall asleep. */
  keep() {
    if (this.pending.size > 0 || this.stayAwake) this.touch();
    else {
      clearInterval(this.keeper);
      this.keeper = undefined;
    }
  }

  /** Hands the worker a new port. Calls in flight keep theirs. @returns {Line} */
  connect() {
    const channel = new MessageChannel();
    /** @type {Line} */
    const line = { port: channel.port1, boot: null, number: 0, dying: false, early: [], pieces: new Pieces() };
    channel.port1.onmessage = (event) => this.receive(line, event.data);
    this.line = line;
    this.poke({ kind: "port", client: this.id }, [channel.port2]);
    setTimeout(() => {
      if (!line.boot) this.lose(line, "did not start within 10 s");
    }, START_MS);
    return line;
  }

  /**
   * @param {any} message
   * @param {Transferable[]} [transfer]
   */
  poke(message, transfer = []) {
    this.lastTouch = performance.now();
    this.worker?.postMessage(message, transfer);
  }

  /**
   * @param {Line} line
   * @param {any} message
   */
  receive(line, message) {
    if (message.boot) return this.meet(line, message);
    const boot = this.boots.get(line.boot ?? "");
    if (boot && boot.ended < line.number - 1) return void line.early.push(message);
    if (message.last) return this.endLine(line);
    if (line.pieces.take(message)) return;
    if (message.say) {
      this.onText(line.pieces.whole(message.say), message.link);
    } else if (message.emit) {
      this.onEmit(message.emit, message.data, message.link);
    } else {
      const result = typeof message.result === "string" ? line.pieces.whole(message.result) : message.result;
      const call = this.pending.get(message.id);
      if (!call) return;
      this.pending.delete(message.id);
      if (message.error?.message === DYING) {
        if (this.line === call.line) this.line = null; // the next call wakes a new run of it
        call.line.dying = true;
        setTimeout(() => {
          call.line.dying = false;
          this.sendWaiting();
        }, DYING_MS);
        call.reject(Object.assign(new Error(`the extension's worker was being ended when it was to do ${call.method}`), { name: "WorkerLost", undone: true }));
      } else if (message.error) call.reject(Object.assign(new Error(message.error.message), message.error));
      else call.resolve(result);
      if (this.waiting.length > 0) this.sendWaiting();
    }
  }

  /**
   * The worker has taken the port.
   * @param {Line} line
   * @param {{boot: string, number: number}} said
   */
  meet(line, { boot, number }) {
    Object.assign(line, { boot, number });
    const known = this.boots.get(boot);
    if (known) return void known.lines.set(number, line);
    this.boots.set(boot, { lines: new Map([[number, line]]), ended: number - 1 });
    navigator.locks.request(boot, () => {
      const lines = [...(this.boots.get(boot)?.lines.values() ?? [])].sort((a, b) => a.number - b.number);
      this.boots.delete(boot);
      for (const each of lines) for (const message of each.early.splice(0)) this.receive(each, message);
      const asked = [...this.pending.values()].map((call) => call.line).filter((each) => each.boot === boot); // some have ended
      for (const each of new Set([...lines, ...asked])) this.lose(each, "died");
      this.onDeath();
    });
  }

  /** The worker has another port, and has said its last word on this one. @param {Line} line */
  endLine(line) {
    const boot = this.boots.get(line.boot ?? "");
    if (!boot) return;
    line.port.close();
    boot.lines.delete(line.number);
    boot.ended = line.number;
    const next = boot.lines.get(line.number + 1);
    if (!next) return; // its first word is still to come
    for (const message of next.early.splice(0)) this.receive(next, message);
  }

  /**
   * @param {Line} line
   * @param {string} how
   */
  lose(line, how) {
    line.port.close();
    if (this.line === line) this.line = null;
    let lost = 0;
    for (const [id, call] of this.pending) {
      if (call.line !== line) continue;
      this.pending.delete(id);
      lost++;
      const error = new Error(`the extension's worker ${how} before it answered ${call.method}: it may or may not have been carried out`);
      error.name = "WorkerLost";
      call.reject(error);
    }
    if (lost || how !== "died") this.onState(`the worker ${how}; calls in flight: ${lost}`);
    if (this.waiting.length > 0) this.sendWaiting();
  }
}
