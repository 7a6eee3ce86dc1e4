/**
 * A link to an address that may hold a daemon or a program that is itself the prototype's server: towards the latter it plays the
 * prototype's extension (docs/compat.md). There is no handshake: whoever listens at an address in config.json or on the options
 * page is trusted, as the prototype trusted it, unless a daemon of ours has proven itself there.
 * @module
 */
import { Link } from "../link/link.js";
import { failure } from "../link/rpc.js";

/** How long to wait before asking again at `/events` an address that answers HTTP and did not take it. Milliseconds. */
const WAITS = [2_000, 5_000, 15_000, 60_000];
const POST_AGAIN_MS = 1_000;
const BUSY_AGAIN_MS = 200;

/** @typedef {{tab: any, attempt: number, hop: number, job: {id: string, script: string, timeout: number}}} Job */

export class PrototypeLink extends Link {
  /**
   * @param {string} address
   * @param {import("../link/link.js").LinkContext} context
   * @param {number} [every]
   * @param {boolean} [only] a daemon of ours here is reached by another address: leave it alone
   */
  constructor(address, context, every, only = false) {
    super(address, context, every);
    this.only = only;
    /** @type {WebSocket|null} */
    this.events = null;
    this.failures = 0;
    this.notBefore = 0;
    /** @type {Map<string, Job>} */
    this.jobs = new Map();
    /** @type {Map<string, Promise<void>>} */
    this.posts = new Map();
  }

  /** @override */
  connect() {
    if (!this.only) super.connect();
  }

  /** @override */
  remove() {
    super.remove();
    this.events?.close();
  }

  /** @override */
  foundOther() {
    if (this.events || this.removed || Date.now() < this.notBefore) return;
    // Where a daemon has proven itself, nobody else gets what is its own.
    if (this.known.key) return this.foundStranger();
    const socket = new WebSocket(`${this.address.replace(/^http/, "ws")}/events`);
    this.events = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.failures = 0;
      this.context.finder.stop(this.address);
      this.log("info", `linked to a server of the prototype's kind at ${this.address}`);
      this.become("prototype");
    };
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = () => {
      this.events = null;
      this.notBefore = opened ? 0 : Date.now() + WAITS[Math.min(this.failures++, WAITS.length - 1)];
      if (!opened || this.removed) return;
      this.log("warn", `the server at ${this.address} is gone`);
      this.become("searching");
      this.search();
    };
  }

  foundStranger() {
    if (this.state === "stranger") return;
    const reason = `another program answers at ${this.address}, where this browser has met a daemon: it gets nothing. End it, then run \`any serve\``;
    this.log("warn", reason);
    this.become("stranger", reason);
  }

  /** @param {string} text */
  take(text) {
    /** @type {any} */
    let job;
    try {
      job = JSON.parse(text);
    } catch {
      return this.log("warn", "a task that is not JSON was ignored");
    }
    if (typeof job?.id !== "string" || typeof job.script !== "string") return this.log("warn", "a task without id or script was ignored");
    if (this.jobs.has(job.id)) return;
    const timeout = typeof job.timeout === "number" && job.timeout > 0 ? job.timeout : 30;
    this.log("info", "received", { task: job.id });
    this.run({ job: { id: job.id, script: job.script, timeout }, tab: "active", attempt: 1, hop: 0 }, {});
  }

  /**
   * @param {Job} run
   * @param {{navigate?: string, state?: any}} next
   */
  async run(run, next) {
    const { job, tab, attempt, hop } = run;
    this.jobs.set(job.id, run);
    const end = Date.now() + job.timeout * 1000;
    try {
      for (;;) {
        if (this.context.paused()) throw failure("PausedError", "the person has paused this browser");
        const params = { task: job.id, attempt, hop, tab, frame: "main", world: "main", timeout_ms: job.timeout * 1000, file: "script.js", avoid: [], args: null, state: next.state ?? null, script: job.script };
        const answer = await this.host.handle("task.start", next.navigate ? { ...params, navigate: next.navigate } : params);
        if (answer?.busy === undefined) return;
        if (Date.now() > end) throw failure("TimeoutError", `the tab ${answer.busy} had another task for ${job.timeout} s`);
        await new Promise((resolve) => setTimeout(resolve, BUSY_AGAIN_MS));
      }
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      await this.post(job.id, "failed", undefined, `${name}: ${message}`);
      this.jobs.delete(job.id);
    }
  }

  /** @override @type {import("../types.js").HostLink["finish"]} */
  finish(key, params, valueText) {
    const run = this.jobs.get(params.task);
    if (this.state === "linked" || !run) return super.finish(key, params, valueText);
    const known = this.posts.get(key);
    if (known) return known;
    const done = this.ended(run, params, valueText).finally(() => this.posts.delete(key));
    this.posts.set(key, done);
    return done;
  }

  /**
   * @param {Job} run
   * @param {any} params
   * @param {string} [valueText]
   */
  async ended(run, params, valueText) {
    if (params.outcome === "next") {
      // The hop that ended has to be out of the tab before the next one begins.
      setTimeout(() => this.run({ ...run, hop: run.hop + 1, tab: { hop: params.tab?.id, opened: false } }, { navigate: params.url, state: params.state }));
      return;
    }
    if (params.outcome === "value") await this.post(run.job.id, "completed", valueText, undefined);
    else await this.post(run.job.id, "failed", undefined, `${params.error?.name}: ${params.error?.message}`);
    this.jobs.delete(run.job.id);
  }

  /**
   * Says the end of a task until it is heard, or the server is gone.
   * @param {string} id
   * @param {"completed"|"failed"} status
   * @param {string} [valueText]
   * @param {string} [error]
   */
  async post(id, status, valueText, error) {
    const name = JSON.stringify(id);
    const body = `{"task_id":${name},"status":"${status}","error":${JSON.stringify(error ?? null)},"output":${valueText ?? "null"}}`;
    for (let tries = 0; tries < 60 && !this.removed; tries++) {
      try {
        const answer = await fetch(`${this.address}/task/${encodeURIComponent(id)}`, { method: "POST", body, headers: { "content-type": "application/json" }, credentials: "omit" });
        if (answer.ok) return this.log("info", status, { task: id });
        if (answer.status < 500) return this.log("warn", `the server answered ${answer.status} to the result`, { task: id });
      } catch {
        // gone for the moment
      }
      await new Promise((resolve) => setTimeout(resolve, POST_AGAIN_MS));
    }
    this.log("error", "the result could not be handed over", { task: id });
  }
}
