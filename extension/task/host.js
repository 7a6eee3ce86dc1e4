/**
 * The tasks of one link, in the offscreen document: which run is where, until when, and how it ended.
 * @module
 */
import { failure, plainFailure, unloading } from "./errors.js";
import { exactValue } from "./exact.js";
import { listenTo, stopListening } from "./relays.js";
import { Launcher } from "./launch.js";
import { howLost, picture } from "./losses.js";
import { Run, keyOf } from "./run.js";
import { ping, stop, whyLate } from "./stopping.js";
import { syntaxError } from "./syntax.js";
import { errorOf, eventOf, syntaxFailure } from "./verdict.js";

const ENDS_KEPT = 1000;
/** A start whose end comes within this time is told by its end alone. */
const ANNOUNCE_MS = 3;
/** More than this a timer cannot hold (24 days): such a timeout is left to the daemon. */
const LONGEST_MS = 2 ** 31 - 1;
/** How long an end may wait for its picture, in milliseconds; a busy browser takes its time. */
const PICTURE_MS = 2500;
/** At the timeout itself the daemon waits, too. */
const LATE_PICTURE_MS = 330;
/** Failures after which the page still shows what went wrong. */
const PICTURED = ["ScriptError", "NotSerializableError", "ResultTooLargeError", "TimeoutError"];

/** @typedef {import("./run.js").Part} Part */
/** @typedef {import("./relays.js").Relay} Relay */

/** @typedef {import("../types.js").TaskHostLike} TaskHostLike */

/** @implements {TaskHostLike} */
export class TaskHost {
  /**
   * @param {{callWorker: import("../types.js").CallWorker, link: import("../types.js").HostLink, log: import("../types.js").Log}} parts
   */
  constructor({ callWorker, link, log }) {
    this.link = link;
    this.log = log;
    this.callWorker = callWorker;
    /** @type {Map<string, Run>} that have not been acknowledged */
    this.runs = new Map();
    /** Answers to runs that are acknowledged, the oldest first. @type {Map<string, any>} */
    this.done = new Map();
    /** Who has the tab. @type {Map<number, Run>} */
    this.tabs = new Map();
    this.launcher = new Launcher(this);
    this.callHand = this.hand.bind(this);
    /** Resolves when the runs that pages still hold from before are known: `holds()` is whole from then on. @type {Promise<void>} */
    this.ready = new Promise(() => {});
  }

  /** Hears the relays of its runs from now on, and what they said before: its link must be able to take an end. @returns {Promise<void>} `ready` */
  begin() {
    listenTo(this.link.address, this);
    return (this.ready = this.gather());
  }

  /**
   * @param {string} method task.start, task.cancel or task.forget
   * @param {any} params
   * @returns {Promise<any>}
   */
  async handle(method, params) {
    if (method === "task.start") return this.start(params);
    if (method === "task.cancel") return this.cancel(params);
    if (method === "task.forget") return this.forget(params);
    throw failure("ProtocolError", `the extension knows no ${method}`);
  }

  /** @returns {import("../types.js").Hold[]} */
  holds() {
    return [...this.runs.values()].map((run) => run.hold());
  }

  /** @returns {import("../types.js").Running[]} */
  running() {
    return [...this.runs.values()].filter((run) => !run.over).map(({ task, tab, since }) => ({ task, tab, since }));
  }

  /**
   * Calls the worker, again where it died: every hand of tasks may be called twice.
   * @param {string} method
   * @param {any} params
   */
  async hand(method, params) {
    for (let tries = 1; ; tries++) {
      try {
        return await this.callWorker(method, params);
      } catch (error) {
        if (/** @type {Error} */ (error).name !== "WorkerLost" || tries >= 6) throw error;
      }
    }
  }

  // start

  /** @param {any} params */
  start(params) {
    const key = keyOf(params);
    const known = this.runs.get(key);
    if (known) return known.answer.promise;
    if (this.done.has(key)) return this.done.get(key);
    const run = new Run(this.link.address, params);
    this.runs.set(key, run);
    this.arm(run);
    this.launcher.launch(run).then(
      (answer) => answer && this.reply(run, answer),
      (error) => this.fail(run, plainFailure(error)),
    );
    return run.answer.promise;
  }

  /** The answer where nothing was begun. @param {Run} run @param {any} answer */
  reply(run, answer) {
    if (run.over) return;
    this.drop(run);
    this.release(run);
    run.answer.resolve(answer);
  }

  /** @param {Run} run */
  accept(run) {
    run.answer.resolve({ accepted: true, tab: run.tab });
  }

  /** @param {Run} run */
  arm(run) {
    if (run.deadline === null || run.params.timeout_ms > LONGEST_MS) return;
    const left = Math.max(0, run.deadline - Date.now());
    run.timers.push(setTimeout(() => this.expire(run), left));
    // whether the page answers is asked shortly before, so that the error can say it
    run.timers.push(setTimeout(() => ping(run, this.callHand), Math.max(left - 500, left * 0.6)));
  }

  /** @param {Run} run */
  expire(run) {
    if (run.over) return;
    const { message, mute } = whyLate(run);
    const sent = [...run.parts.values()].some((part) => part.state !== "waiting");
    const error = failure("TimeoutError", message);
    const settled = stop(run, this.callHand, { name: error.name, message });
    this.fail(run, plainFailure(error), { started: run.started || (sent ? "unknown" : false), mute, settled });
  }

  // what relays say

  /** @param {Relay} relay @param {any} message */
  onRelay(relay, message) {
    const [, task, attempt, hop, frame] = JSON.parse(message.run);
    const key = keyOf({ task, attempt, hop });
    if (message.say === "held" && !this.runs.has(key) && !this.done.has(key)) this.adopt(relay, message, { task, attempt, hop });
    const run = this.runs.get(key);
    const part = run?.parts.get(frame);
    if (!run || !part || run.over) {
      if (message.say === "held" && message.state === "running") {
        relay.send({ do: "stop", run: message.run, error: { name: "CancelledError", message: "the task has ended" } });
      }
      if (message.say === "end" || message.say === "held") relay.send({ do: "ack", run: message.run });
      return;
    }
    switch (message.say) {
      case "held":
        part.relay = relay;
        return;
      case "started":
        part.relay = relay;
        part.state = "running";
        return this.begun(run);
      case "refused":
        return this.refused(run, part, message.state);
      case "uncompiled":
        return void this.uncompiled(run, part, message.error);
      case "progress":
      case "console":
        return this.event(run, part, message);
      case "end":
        part.relay = relay;
        part.state = "ended";
        part.end = message;
        return void this.partEnded(run, part);
    }
  }

  /** @param {Run} run */
  begun(run) {
    run.state = "running";
    if (run.started) return;
    run.started = true;
    run.announcing = setTimeout(() => this.announce(run), ANNOUNCE_MS);
  }

  /** Tells the daemon that it has begun, once. @param {Run} run */
  announce(run) {
    if (run.announcing === undefined) return;
    clearTimeout(run.announcing);
    run.announcing = undefined;
    const { task, attempt, hop, tab, injection } = run;
    this.accept(run);
    this.link.notify("task.started", { task, attempt, hop, tab, injection });
    this.log("info", `runs in tab ${tab?.id} (${injection})`, { task });
  }

  /** @param {Run} run @param {Part} part @param {string} state */
  refused(run, part, state) {
    if (state === "late") return this.expire(run);
    if (state !== "deaf" || part.state !== "sent") return; // it runs there already, or was given up
    part.relay?.engines.clear();
    const message = `the page at ${part.url} has stopped running scripts; reload it and try again`;
    this.fail(run, plainFailure(failure("NavigatedError", message)), { started: false });
  }

  /** @param {Run} run @param {Part} part @param {any} error */
  async uncompiled(run, part, error) {
    if (error.thrown !== "SyntaxError") {
      // the page forbids it since a moment ago
      if (part.relay) Object.assign(part.relay, { blocked: true }).engines.delete("main");
      part.state = "waiting";
      this.launcher.place(run, part).catch((/** @type {any} */ thrown) => this.fail(run, plainFailure(thrown)));
      return;
    }
    const place = await syntaxError(run.params.script);
    this.fail(run, syntaxFailure(run.file, place ?? { message: error.message, line: null, column: null }), { started: false });
  }

  /** @param {Run} run @param {Part} part @param {any} message */
  event(run, part, message) {
    this.announce(run);
    const event = eventOf(run, part, message);
    if (event) this.link.notify("task.event", event);
  }

  /** @param {Run} run @param {Part} part */
  async partEnded(run, part) {
    const error = errorOf(run, part);
    if (error) return this.fail(run, error, { started: true });
    this.conclude(run);
  }

  /** Ends the run where every part has ended. @param {Run} run */
  conclude(run) {
    const parts = [...run.parts.values()];
    if (run.over || !parts.length || parts.some((each) => !each.end)) return;
    const top = run.parts.get(0);
    if (run.tab && top) Object.assign(run.tab, { url: top.end.page, title: top.end.title });
    if (run.all) {
      const texts = parts.map((each) => (each.end.outcome === "value" ? each.end.text : "null"));
      return this.finish(run, { outcome: "value" }, `[${texts.join(",")}]`);
    }
    const { outcome, url, text } = parts[0].end;
    if (outcome === "next") this.finish(run, { outcome, url, state: exactValue(text) });
    else this.finish(run, { outcome: "value" }, outcome === "value" ? text : undefined);
  }

  /** @param {Relay} relay */
  onRelayGone(relay) {
    for (const run of this.runs.values()) {
      if (run.over) continue;
      for (const part of run.parts.values()) if (part.relay === relay && !part.end) void this.lost(run, part, relay);
    }
  }

  /** The page has gone from under a part. @param {Run} run @param {Part} part @param {Relay} relay */
  async lost(run, part, relay) {
    const error = await howLost(run, part, relay, this.callHand);
    // What a page says while it is being replaced is lost: without its word nobody knows whether the script had begun.
    if (error) this.fail(run, error, { started: run.started || "unknown" });
  }

  // ends

  /**
   * @param {Run} run
   * @param {import("./errors.js").TaskFailure} error
   * @param {{started?: boolean|"unknown", mute?: boolean, settled?: Promise<any>}} [about] `settled`: until then the tab is not free
   */
  async fail(run, error, { started = run.started, mute = false, settled } = {}) {
    if (run.over || unloading(error)) return; // whoever comes next finds the run in its page, or the daemon gives it up
    if (!run.started && started === false && [...run.parts.values()].every((part) => part.state === "waiting")) {
      const answer = { ...error };
      delete answer.started;
      this.drop(run);
      this.release(run);
      run.answer.reject(Object.assign(failure(answer.name, answer.message), answer));
      this.log("warn", `${error.name}: ${error.message}`, { task: run.task });
      return;
    }
    /** @type {any} */
    const params = { started, outcome: "error", error };
    if (PICTURED.includes(error.name) && run.tab && !mute) {
      this.close(run);
      const screenshot = await picture(run.tab.id, this.callHand, error.name === "TimeoutError" ? LATE_PICTURE_MS : PICTURE_MS);
      if (screenshot) params.screenshot = screenshot;
    }
    this.finish(run, params, undefined, settled);
  }

  /** Nothing that comes later changes the end. @param {Run} run */
  close(run) {
    run.over = true;
    run.state = "finished";
    run.unannounced ||= run.announcing !== undefined;
    clearTimeout(run.announcing);
    run.announcing = undefined;
    for (const timer of run.timers) clearTimeout(timer);
    run.ended.resolve(undefined);
  }

  /**
   * @param {Run} run
   * @param {any} params
   * @param {string} [valueText]
   * @param {Promise<any>} [settled]
   */
  finish(run, params, valueText, settled) {
    this.close(run);
    const { task, attempt, hop, tab, injection, started } = run;
    const said = { task, attempt, hop, injection, tab, started, ...params };
    const acknowledged = this.link.finish(run.key, said, valueText);
    this.accept(run);
    const error = params.error;
    setTimeout(() => {
      // the daemon works meanwhile
      if (run.unannounced) this.log("info", `runs in tab ${tab?.id} (${injection})`, { task });
      this.log(error ? "warn" : "info", error ? `${error.name}: ${error.message}` : `ended: ${params.outcome}`, { task });
    });
    if (settled) settled.finally(() => this.release(run));
    else this.release(run);
    if (run.opened && tab && params.outcome !== "next") {
      const soon = new Promise((resolve) => setTimeout(resolve, 1000));
      Promise.race([acknowledged, soon]).then(() => this.hand("task.close", { tab: tab.id })).catch(() => {});
    }
    acknowledged.then(
      () => this.drop(run),
      () => {}, // the link kept nothing: pages hold their results
    );
  }

  /** Its tab is free for others. @param {Run} run */
  release(run) {
    if (run.tab && this.tabs.get(run.tab.id) === run) this.tabs.delete(run.tab.id);
    run.left.resolve(undefined);
  }

  /** It is acknowledged, or nothing of it was begun. @param {Run} run */
  drop(run) {
    this.close(run);
    if (this.runs.get(run.key) === run) this.runs.delete(run.key);
    const parts = [...run.parts.values()];
    for (const part of parts) part.relay?.send({ do: "ack", run: part.name });
    if (parts.every((part) => part.state === "waiting")) return;
    this.done.set(run.key, run.answer.promise);
    if (this.done.size > ENDS_KEPT) this.done.delete(/** @type {string} */ (this.done.keys().next().value));
  }

  // cancel and forget

  /** @param {any} params */
  async cancel(params) {
    const run = this.runs.get(keyOf(params));
    if (!run || run.over) return { stopped: "unknown" };
    const { name, message } = params.error ?? { name: "CancelledError", message: "the task was cancelled" };
    if ([...run.parts.values()].every((part) => part.state === "waiting")) {
      this.finish(run, { started: false, outcome: "error", error: { name, message } });
      return { stopped: "aborted" };
    }
    clearTimeout(run.timers[0]);
    run.over = true; // its own end no longer counts
    const settled = stop(run, this.callHand, { name, message });
    const { stopped, said } = await settled;
    run.over = false;
    const sent = run.started ? true : "unknown";
    await this.fail(run, { name, message: said ? `${message}; ${said}` : message }, { started: sent, mute: stopped === "replaced", settled });
    return { stopped };
  }

  /** @param {any} params */
  async forget(params) {
    const run = this.runs.get(keyOf(params));
    if (!run) return {};
    const settled = run.over ? null : stop(run, this.callHand, { name: "CancelledError", message: "the daemon no longer knows the task" });
    this.close(run);
    await settled;
    this.release(run);
    this.drop(run);
    return {};
  }

  /** The link is gone for good: its scripts are stopped and nothing is kept. */
  async end() {
    await Promise.all([...this.runs.values()].map((run) => this.forget(run)));
    stopListening(this.link.address);
  }

  // after this document was closed and came back

  /** @param {Relay} relay @param {any} held @param {{task: string, attempt: number, hop: number}} key */
  adopt(relay, held, key) {
    const { note } = held;
    if (!note) return;
    const run = Run.again(this.link.address, key, note, relay);
    this.runs.set(run.key, run);
    if (run.tab) this.tabs.set(run.tab.id, run);
    this.accept(run);
    this.arm(run);
    this.log("info", `found again in tab ${relay.tab}`, { task: run.task });
  }

  async gather() {
    try {
      const { owed } = await this.hand("task.gather", {});
      if (owed) await new Promise((resolve) => setTimeout(resolve, 100));
    } catch {
      // pages come by themselves
    }
  }
}
