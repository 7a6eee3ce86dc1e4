/**
 * The link to one daemon: finds it, meets it, speaks with it, finds it again.
 * @module
 */
import { TaskHost } from "../task/host.js";
import { handshake } from "./handshake.js";
import { errorText, presentable } from "./messages.js";
import { Outbox } from "./outbox.js";
import { failure, Rpc } from "./rpc.js";
import { VERSION } from "./version.js";

const SEARCH_MS = 500;
const PING_MS = 20_000;
const WATCH_MS = 5_000;
const MEETING_MS = 15_000;
const AGAIN_AFTER_REFUSAL_MS = 10_000;
const AGAIN_WHEN_SAME_MS = 60_000;
/** A lost link keeps its debugger attachments this long, as the daemon waits for it. */
const LET_GO_MS = 90_000;
/** A result that the daemon acknowledges within this time is not written to our disk; its page holds it meanwhile. */
const KEEP_MS = 5;
const LINES_AT_ONCE = 200;
/** Only the worker parses these: a payload of CDP is not touched on its way. */
const PASSED_ON = new Set(["debugger.attach", "debugger.send", "debugger.detach", "debugger.follow", "debugger.nameDownloads", "chrome.call"]);

/** @typedef {"searching"|"handshake"|"linked"|"refused"|"key-changed"|"same"|"stranger"|"prototype"} State */

/**
 * What a link needs of the offscreen document.
 * @typedef {object} LinkContext
 * @property {import("./store.js").Store} store
 * @property {import("./blackbox.js").BlackBox} box
 * @property {() => import("./handshake.js").Installation|undefined} installation
 * @property {import("./finder.js").Finder} finder
 * @property {(method: string, params: any, link: string) => Promise<any>} callWorker
 * @property {import("./worker_client.js").WorkerClient["pass"]} passToWorker
 * @property {(kind: string, text: string|null) => void} trouble what the person must act on, until it is null
 * @property {(link: string) => void} forgetCalls nobody waits for what the worker was to answer to the link's daemon
 * @property {() => Promise<any>} describe what hello says of this browser, but for `proof` and `holds`
 * @property {import("../sandbox/sandboxes.js").Sandboxes} sandboxes
 * @property {() => boolean} paused
 * @property {() => Promise<string>} browser the profile's id
 * @property {(link: Link) => void} changed
 * @property {(daemon: string, except: Link) => Link|undefined} claimed the other link that has met this daemon, or is meeting it
 * @property {(link: Link, on: boolean) => void} wanted keeps the worker awake as long as the link subscribes to events
 */

export class Link {
  /**
   * @param {string} address for example "http://127.0.0.1:8766"
   * @param {LinkContext} context
   * @param {number} [every] milliseconds between two looks
   */
  constructor(address, context, every = SEARCH_MS) {
    this.address = address;
    this.context = context;
    this.every = every;
    /** @type {State} */
    this.state = "searching";
    this.reason = "";
    this.since = Date.now();
    this.daemon = { id: "", version: "" };
    /** The id of the daemon that this link has met or is meeting. */
    this.claim = "";
    this.label = "";
    /** @type {import("./handshake.js").Known} */
    this.known = { address };
    this.outbox = new Outbox(address, context.store);
    /** @type {Rpc|null} */
    this.rpc = null;
    this.removed = false;
    this.sendingLines = false;
    /** @type {Set<string>} chrome.* events the daemon asked for */
    this.subscribed = new Set();
    /** Whether the daemon asked something of chrome.debugger over this connection. */
    this.debugs = false;
    /** @type {ReturnType<typeof setInterval>|undefined} */
    this.pinger = undefined;
    /** @type {ReturnType<typeof setInterval>|undefined} */
    this.watcher = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.again = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.letGo = undefined;
    this.host = new TaskHost({
      callWorker: (method, params) => context.callWorker(method, params, address),
      link: this,
      log: (level, text, about) => this.log(level, text, about),
    });
  }

  /** Reads what is kept of this daemon, then begins to look for it. */
  async start() {
    this.known = (await this.context.store.get("links", this.address)) ?? { address: this.address };
    this.context.box.goOnAfter(this.known.acknowledged ?? 0);
    await this.outbox.load();
    this.host.begin();
    this.planLettingGo(LET_GO_MS); // an earlier document may have died with attachments
    this.search();
  }

  /** Ends it for good: the person removed the address. */
  remove() {
    this.removed = true;
    this.context.finder.stop(this.address);
    clearTimeout(this.again);
    this.rpc?.socket.close(1000, "removed");
    this.lost("the address was removed");
    this.planLettingGo(0);
    void this.forgetAll();
  }

  /** Nothing stays of it: neither scripts in pages nor results nor the daemon's key. */
  async forgetAll() {
    await this.host.end();
    await Promise.all([this.outbox.clear(), this.context.store.delete("links", this.address)]);
  }

  /** Ends its attachments, unless it is linked by then. @param {number} ms */
  planLettingGo(ms) {
    clearTimeout(this.letGo);
    this.letGo = setTimeout(() => this.letGoAll(), ms);
  }

  /** Nothing is left of what its daemon used the debugger for. */
  letGoAll() {
    for (const what of ["debugger.detachAll", "debugger.stopNaming"]) this.context.callWorker(what, {}, this.address).catch(() => {});
  }

  /** @param {import("../types.js").Level} level @param {string} text @param {{task?: string}} [about] */
  log(level, text, about = {}) {
    this.context.box.add(level, text, { ...about, link: this.address });
  }

  /** @param {State} state @param {string} [reason] */
  become(state, reason = "") {
    if (this.state !== state) this.since = Date.now();
    this.state = state;
    this.reason = reason;
    this.context.changed(this);
  }

  // finding

  search() {
    if (this.removed) return;
    this.context.finder.search(this.address, this.every, (health) => {
      if (health?.error) this.refused(null, health.error);
      else if (health) this.connect();
      else this.foundOther();
    });
  }

  /** Something else answers at this address; a prototype's link overrides it. */
  foundOther() {}

  connect() {
    if (this.removed || this.rpc) return;
    this.context.finder.stop(this.address);
    clearTimeout(this.again);
    const socket = new WebSocket(`${this.address.replace(/^http/, "ws")}/extension`);
    const rpc = new Rpc(socket, {
      onRequest: (method, params) => this.request_(method, params),
      onNotification: () => {},
      onBroken: (why) => this.cut(rpc, why),
      passOn: (id, method, text) => this.passOn(rpc, id, method, text),
    });
    this.rpc = rpc;
    const slow = setTimeout(() => this.cut(rpc, "the daemon did not answer the handshake within 15 s"), MEETING_MS);
    let opened = false;
    socket.onopen = async () => {
      opened = true;
      try {
        await this.handshake(rpc);
      } catch (error) {
        this.refused(rpc, /** @type {any} */ (error));
      } finally {
        clearTimeout(slow);
      }
    };
    socket.onclose = async (event) => {
      clearTimeout(slow);
      const refusal = opened ? null : await this.refusal();
      if (refusal) this.refused(rpc, refusal);
      else if (this.rpc === rpc) this.lost(event.reason || `the connection closed (${event.code})`);
    };
  }

  /** Why the daemon lets no socket of ours in, which a WebSocket is not told; null where that is not the cause. */
  async refusal() {
    try {
      const answer = await fetch(`${this.address}/extension`, { method: "POST", credentials: "omit", signal: AbortSignal.timeout(5000) });
      return answer.status === 403 ? (await answer.json()).error : null;
    } catch {
      return null;
    }
  }

  /** @param {Rpc} rpc */
  async handshake(rpc) {
    const browser = this.known.browser ?? (await this.context.browser());
    const { begun, welcome, key } = await handshake(rpc, this.known, browser, this.context.installation(), async (daemon) => {
      const other = this.context.claimed(daemon.daemon, this);
      this.claim = daemon.daemon ?? "";
      if (other) throw failure("SameDaemon", `this is the daemon at ${other.address}`);
      const [self] = await Promise.all([this.context.describe(), this.gathered()]);
      return { ...self, holds: this.holds() };
    });
    if (this.rpc !== rpc) return;
    const known = { ...this.known, key };
    if (welcome.browser && welcome.browser !== browser) {
      known.browser = welcome.browser;
      this.log("info", `this profile is a copy of one that is linked already; the daemon calls it ${welcome.browser}`);
    }
    this.known = known;
    this.context.store.put("links", known).catch(() => {});
    this.daemon = { id: begun.daemon ?? "", version: begun.version ?? "" };
    this.label = welcome.label ?? "";
    this.linked(rpc);
  }

  /** Waits, but not for ever, until the host knows what pages still hold from before. */
  async gathered() {
    await Promise.race([this.host.ready, new Promise((resolve) => setTimeout(resolve, 2000))]);
  }

  /** @returns {import("../types.js").Hold[]} */
  holds() {
    const holds = this.host.holds();
    const told = new Set(holds.map(({ task, attempt, hop }) => `${task} ${attempt} ${hop}`));
    return [...holds, ...this.outbox.holds().filter(({ task, attempt, hop }) => !told.has(`${task} ${attempt} ${hop}`))];
  }

  /** @param {Rpc} rpc */
  linked(rpc) {
    clearTimeout(this.letGo);
    // The daemon attaches anew to what it still wants; of another run of it nothing is left to want the rest.
    this.letGoAll();
    this.log("info", `linked to the daemon ${this.daemon.version} at ${this.address}`);
    this.become("linked");
    this.pinger = setInterval(() => rpc.request("link.ping", {}).catch(() => {}), PING_MS);
    this.watcher = setInterval(() => rpc.endedBySilence(), WATCH_MS);
    for (const { kept } of this.outbox.entries.values()) this.sayFinish(kept);
    this.sendLines();
  }

  /** @param {Rpc|null} rpc @param {any} error */
  refused(rpc, error) {
    if (this.rpc !== rpc) return;
    if (rpc && error.name === "LinkLost") return this.cut(rpc, error.message);
    this.context.finder.stop(this.address);
    clearTimeout(this.again);
    this.rpc = null;
    this.claim = "";
    rpc?.end("refused");
    rpc?.socket.close(1000, error.name);
    const state = error.name === "KeyChanged" ? "key-changed" : error.name === "SameDaemon" ? "same" : "refused";
    if (this.state !== state || this.reason !== error.message) this.log(state === "same" ? "info" : "warn", `${this.address}: ${error.message}`);
    this.become(state, error.message);
    this.again = setTimeout(() => this.search(), state === "same" ? AGAIN_WHEN_SAME_MS : AGAIN_AFTER_REFUSAL_MS);
  }

  /** The person trusts the daemon that is there now. */
  async accept() {
    this.known = { address: this.address, browser: this.known.browser };
    await this.context.store.put("links", this.known);
    this.log("info", `the new key of the daemon at ${this.address} was accepted`);
    this.become("searching");
    this.search();
  }

  /** @param {Rpc} rpc @param {string} why */
  cut(rpc, why) {
    if (this.rpc !== rpc) return;
    rpc.socket.onclose = null;
    rpc.socket.close();
    this.lost(why);
  }

  /** @param {string} why */
  lost(why) {
    const rpc = this.rpc;
    this.rpc = null;
    this.claim = "";
    clearInterval(this.pinger);
    clearInterval(this.watcher);
    rpc?.end(why);
    if (this.state === "linked") {
      this.log("warn", `the link to ${this.address} is lost: ${why}`);
      const drop = this.subscribed.size > 0;
      this.subscribed.clear();
      this.context.wanted(this, false);
      if (drop) this.context.callWorker("chrome.unsubscribeAll", {}, this.address).catch(() => {});
      if (this.debugs) this.context.callWorker("debugger.unfollowAll", {}, this.address).catch(() => {});
      this.debugs = false;
      this.planLettingGo(LET_GO_MS);
    }
    this.context.forgetCalls(this.address);
    this.context.sandboxes.drop(this.address);
    this.become("searching", why);
    this.search();
  }

  // what the daemon asks

  /**
   * @param {string} method
   * @param {any} params
   * @returns {any}
   */
  request_(method, params) {
    switch (method) {
      case "task.start":
        if (this.context.paused()) throw failure("PausedError", "the person has paused this browser: resume it in the extension's popup");
        return this.host.handle(method, params);
      case "task.cancel":
        return this.host.handle(method, params);
      case "task.forget":
        this.outbox.forget(params);
        return this.host.handle(method, params);
      case "chrome.call":
      case "debugger.attach":
      case "debugger.send":
      case "debugger.detach":
      case "debugger.follow":
      case "debugger.nameDownloads":
        if (this.context.paused()) throw failure("PausedError", "the person has paused this browser: resume it in the extension's popup");
        return this.hand(method, params);
      case "chrome.subscribe":
        return this.subscribe(params);
      case "chrome.unsubscribe":
        this.subscribed.delete(params.path);
        this.context.wanted(this, this.subscribed.size > 0);
        return this.hand(method, params);
      case "extension.reload":
        this.log("info", "the daemon asks the extension to reload itself");
        return this.reload();
      case "link.ping":
        return {};
    }
    if (method.startsWith("sandbox.")) return this.context.sandboxes.handle(this.address, method, params);
    const ours = VERSION;
    const [a, b] = [ours, this.daemon.version].map((version) => version.split(".").map(Number));
    const first = a.findIndex((part, i) => part !== (b[i] ?? 0));
    const older = first < 0 ? "both have the same version" : a[first] < (b[first] ?? 0) ? "the extension is older" : "the daemon is older";
    throw failure("ProtocolError", `the extension (${ours}) knows no ${method}; the daemon is ${this.daemon.version}: ${older}`, { code: -32601 });
  }

  /**
   * Gives the worker a request as it came.
   * @param {Rpc} rpc
   * @param {string} id
   * @param {string} method
   * @param {string} text
   * @returns {boolean} whether this is a way that the request can go
   */
  passOn(rpc, id, method, text) {
    if (!PASSED_ON.has(method) || this.state !== "linked" || this.context.paused()) return false;
    this.debugs ||= method !== "chrome.call";
    this.context.passToWorker(
      text,
      method,
      this.address,
      (answer) => rpc.sendText(answer),
      (error) => rpc.sendText(errorText(id, presentable(error))),
    );
    return true;
  }

  /** @param {string} method @param {any} params */
  async hand(method, params) {
    try {
      return await this.context.callWorker(method, params, this.address);
    } catch (error) {
      const { name, message, ...more } = presentable(error);
      throw failure(name, message, more);
    }
  }

  async reload() {
    try {
      return await this.hand("extension.reload", {});
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      this.log("warn", message);
      this.context.trouble("reload", message);
      throw error;
    }
  }

  /** @param {{path: string}} params */
  async subscribe(params) {
    const answer = await this.hand("chrome.subscribe", params);
    this.subscribed.add(params.path);
    this.context.wanted(this, true);
    return answer;
  }

  // what the browser says

  /** @param {string} method @param {any} params @returns {Promise<any>} */
  request(method, params) {
    if (!this.rpc || this.state !== "linked") return Promise.reject(failure("LinkLost", "the link is down"));
    return this.rpc.request(method, params);
  }

  /** A whole message that the worker wrote. @param {string} text */
  say(text) {
    if (this.state === "linked") this.rpc?.sendText(text);
  }

  /** @param {string} method @param {any} params */
  notify(method, params) {
    if (this.state === "linked") this.rpc?.notify(method, params);
  }

  /** @type {import("../types.js").HostLink["finish"]} */
  finish(key, params, valueText) {
    const known = this.outbox.entries.get(key);
    if (known) return known.promise;
    const entry = this.outbox.add(key, params, valueText);
    this.sayFinish(entry.kept);
    setTimeout(() => this.outbox.keep(entry.kept), KEEP_MS);
    return entry.promise;
  }

  /** @param {import("./outbox.js").Kept} kept */
  sayFinish(kept) {
    if (!this.rpc || this.state !== "linked") return;
    this.rpc.requestText("task.finish", kept.text).then(
      () => this.outbox.settle(kept.key),
      (error) => {
        if (error.name === "LinkLost") return; // said again after the next hello
        if (["DiskFullError", "UnavailableError", "InternalError"].includes(error.name)) {
          this.log("warn", `the daemon could not keep the result (${error.message}); it is said again`, { task: kept.task });
          setTimeout(() => this.outbox.entries.has(kept.key) && this.sayFinish(kept), 5000);
          return;
        }
        this.log("warn", `the daemon does not want the result: ${error.message}`, { task: kept.task });
        this.outbox.settle(kept.key);
      },
    );
  }

  /** Sends the lines that this daemon has not acknowledged. */
  async sendLines() {
    if (this.sendingLines) return;
    this.sendingLines = true;
    try {
      while (this.state === "linked") {
        const lines = this.context.box.after(this.known.acknowledged ?? 0, LINES_AT_ONCE, this.address);
        if (lines.length === 0) return;
        const plain = lines.map(({ n, time, level, task, text }) => ({ n, time, level, ...(task && { task }), text }));
        const { n } = await this.request("log", { lines: plain });
        // A daemon that acknowledges nothing is not told the same for ever.
        this.known.acknowledged = Math.max(Number(n) || 0, lines[lines.length - 1].n);
        this.context.store.put("links", this.known).catch(() => {});
      }
    } catch (error) {
      if (/** @type {any} */ (error).name !== "LinkLost") console.info("[any] the log could not be sent:", error);
    } finally {
      this.sendingLines = false;
    }
  }
}
