/**
 * From the wish to a script in a page: finds the tab, claims it, brings the wrapper into each frame by the injection that works there.
 * @module
 */
import { failure, plainFailure } from "./errors.js";
import { exactText } from "./exact.js";
import { sourceName } from "./positions.js";
import { hasLeft, relayAt, relayOf } from "./relays.js";
import { FUNCTION_HEADER } from "./run.js";
import { splicedSource } from "./source.js";
import { syntaxError } from "./syntax.js";
import { syntaxFailure } from "./verdict.js";

/** How long a new page may go on loading, or lead on to another, before the script runs in what is there. */
const STALL_MS = 10_000;
/** Chrome gives a script's place no answer while a page is stuck; with no timeout of the task this is the limit. */
const PATIENCE_MS = 300_000;
const RELAY_MS = 10_000;
/** After this time without a word of a page it is looked whether it is still there; then after twice that, and so on. */
const SILENCE_MS = 500;
const LONGEST_SILENCE_MS = 8_000;

/** @typedef {import("./run.js").Run} Run */
/** @typedef {import("./run.js").Part} Part */
/** @typedef {import("./relays.js").Relay} Relay */

export class Launcher {
  /** @param {import("./host.js").TaskHost} host */
  constructor(host) {
    this.host = host;
  }

  /**
   * @param {Run} run
   * @returns {Promise<any>} an answer to task.start where nothing was done, else undefined; rejects with a task error
   */
  async launch(run) {
    const { avoid = [], frame = "main" } = run.params;
    const aim = await this.aim(run);
    if (aim.busy !== undefined) return { busy: aim.busy };
    if (run.over) return this.tooLate(run, aim);
    const { tab, frames, fresh } = aim;
    if (!fresh && avoid.includes(tab.id)) return { busy: tab.id };
    const holder = this.host.tabs.get(tab.id);
    if (holder && holder !== run) {
      if (!holder.over) return { busy: tab.id };
      await Promise.race([holder.left.promise, run.ended.promise]); // its tab is being made whole again
      if (run.over) return undefined;
      if (this.host.tabs.has(tab.id)) return { busy: tab.id };
    }
    this.host.tabs.set(tab.id, run);
    run.tab = tab;
    run.state = "starting";
    for (const each of frames) run.add(each.frame, each.url, each.document);
    const rest_until = fresh ? Date.now() + STALL_MS : 0;
    const waits = [...run.parts.values()].map((part) => this.place(run, part, rest_until));
    await Promise.all(waits);
    if (frame === "all" && run.parts.size === 0) throw failure("FrameNotFoundError", `no frame of tab ${tab.id} can run scripts`);
    return undefined;
  }

  /** The task ended while its tab was being opened. @param {Run} run @param {any} aim */
  tooLate(run, aim) {
    if (run.opened && aim.tab) this.host.hand("task.close", { tab: aim.tab.id }).catch(() => {});
    return undefined;
  }

  /** @param {Run} run @returns {Promise<any>} `{tab, frames, fresh}` or `{busy}` */
  async aim(run) {
    const { tab = "active", frame = "main", navigate } = run.params;
    const limit_ms = run.left_ms(PATIENCE_MS);
    if (run.hop > 0 && navigate !== undefined) return this.hop(run, tab, navigate);
    if (typeof tab === "object" && tab !== null && typeof tab.open === "string") {
      run.opened = !tab.keep;
      return this.open(run, tab.open, tab.background ?? true);
    }
    if (typeof tab === "number" && (frame === "main" || frame === 0)) {
      const relay = relayAt(tab, 0);
      // a page whose relay is here can run scripts: nobody need be asked
      if (relay?.type) return { tab: { id: tab, url: relay.url, title: relay.title }, frames: [{ frame: 0, url: relay.url }] };
    }
    return this.host.hand("task.aim", { tab, frame, limit_ms });
  }

  /** @param {Run} run @param {string} url @param {boolean} background */
  async open(run, url, background) {
    const { frame = "main" } = run.params;
    const { tab } = await this.host.hand("task.open", { url, background, mark: run.key });
    const opened = run.opened;
    try {
      if (run.over) return { tab };
      run.tab = { id: tab.id, url, title: "" };
      this.host.tabs.set(tab.id, run);
      const aim = await this.host.hand("task.settle", { tab: tab.id, url, frame, from: null, limit_ms: run.left_ms(PATIENCE_MS) });
      return { ...aim, fresh: true };
    } catch (error) {
      if (opened) this.host.hand("task.close", { tab: tab.id }).catch(() => {});
      throw error;
    }
  }

  /** @param {Run} run @param {any} spec @param {string} url */
  async hop(run, spec, url) {
    const { frame = "main", avoid = [] } = run.params;
    run.opened = Boolean(spec.opened) && !spec.keep;
    const id = spec.hop;
    const now = await this.host.hand("task.look", { tab: id });
    if (!now) {
      run.opened = true;
      return this.open(run, url, true);
    }
    const holder = this.host.tabs.get(id);
    if ((holder && holder !== run && !holder.over) || avoid.includes(id)) return { busy: id };
    if (holder && holder !== run) await Promise.race([holder.left.promise, run.ended.promise]);
    if (run.over) return {};
    this.host.tabs.set(id, run);
    run.tab = { id, url: now.url, title: now.title };
    const within = url.includes("#") && url.split("#")[0] === now.url.split("#")[0];
    const go = { tab: id, url, frame, from: now.document, within };
    await this.host.hand("task.go", go);
    const aim = await this.host.hand("task.settle", { ...go, limit_ms: run.left_ms(PATIENCE_MS) });
    return { ...aim, fresh: true };
  }

  /**
   * Brings the run into one frame.
   * @param {Run} run
   * @param {Part} part
   * @param {number} [rest_until] the page has just come: until then it may be read, and lead on to another
   * @returns {Promise<void>}
   */
  async place(run, part, rest_until = 0) {
    const { world } = run;
    let relay = relayAt(/** @type {any} */ (run.tab).id, part.frame);
    const fits = relay?.type && (part.document === undefined || relay.document === part.document);
    if (!relay || !fits || !(relay.engines.has(world) || (world === "main" && relay.blocked))) {
      const placed = await this.install(run, part);
      if (!placed) return;
      relay = placed;
    }
    if (relay.type === "application/pdf") {
      const message = `tab ${run.tab?.id} shows a PDF in Chrome's viewer, a program of its own in which scripts see nothing of the document; fetch ${relay.url} and read it outside, or choose another tab`;
      throw failure("ForbiddenPageError", message, { tabs: await this.host.hand("task.ordinary", {}) });
    }
    const stays = rest_until ? await this.rests(run, part, relay, rest_until) : relay.open;
    if (run.over) return;
    if (!stays) {
      // replaced by the next page before anything was sent
      part.document = undefined;
      return this.place(run, part, rest_until);
    }
    part.relay = relay;
    part.document = relay.document;
    if (!relay.engines.has(world)) return this.direct(run, part, relay);
    part.injection = world === "main" ? "scripting" : "userScripts";
    part.header = FUNCTION_HEADER;
    part.state = "sent";
    relay.send({ do: "run", world, ...this.words(run, part) });
    void this.confirm(run, part, relay);
  }

  /**
   * Waits until a new page is read and goes on to no other.
   * @param {Run} run
   * @param {Part} part
   * @param {Relay} relay
   * @param {number} until
   * @returns {Promise<boolean>} false: another page has come
   */
  async rests(run, part, relay, until) {
    await Promise.race([relay.until(() => relay.ready !== "loading", run.left_ms(STALL_MS)), run.ended.promise]);
    const limit_ms = run.left_ms(until - Date.now());
    if (part.frame !== 0 || run.over || !relay.open || limit_ms <= 0) return relay.open;
    const asked = this.host.hand("task.rest", { tab: relay.tab, document: relay.document, limit_ms });
    const now = await Promise.race([asked, run.ended.promise]);
    return relay.open && (!now || now.document === relay.document);
  }

  /** Looks whether a page that says nothing of a run is there still: Chrome does not always close the port of one that goes. @param {Run} run @param {Part} part @param {Relay} relay */
  async confirm(run, part, relay) {
    const heard = () => run.over || part.state !== "sent" || part.relay !== relay;
    for (let ms = SILENCE_MS; ; ms = Math.min(2 * ms, LONGEST_SILENCE_MS)) {
      await relay.until(heard, ms);
      if (heard() || !relay.open) return; // a closed port is told to the host
      if (!(await this.shows(relay.tab, relay.frame, relay.document)) && !heard()) return void this.host.lost(run, part, relay);
    }
  }

  /** @param {number} tab @param {number} frame @param {string} document @returns {Promise<boolean>} where it cannot be said: true */
  async shows(tab, frame, document) {
    const now = await this.host.hand("task.look", { tab, frame }).catch(() => ({ document }));
    return now?.document === document;
  }

  /**
   * The relay that was just put into a document.
   * @param {Run} run
   * @param {Part} part
   * @param {string} document
   * @returns {Promise<Relay|null>} null: the document went before its relay could speak, or the run is over
   */
  async arrival(run, part, document) {
    const tab = /** @type {any} */ (run.tab).id;
    for (const end = Date.now() + RELAY_MS; Date.now() < end; ) {
      const relay = await Promise.race([relayOf(document, SILENCE_MS), run.ended.promise]);
      if (run.over || hasLeft(document)) return null;
      if (relay instanceof Object) return /** @type {Relay} */ (relay);
      if (!(await this.shows(tab, part.frame, document))) return null;
    }
    return null;
  }

  /** What the relay and the wrapper are told of a run. @param {Run} run @param {Part} part */
  words(run, part) {
    const { script, args = null, state = null } = run.params;
    return {
      run: part.name,
      note: run.note(),
      deadline: run.deadline,
      source: sourceName(run.file),
      args: exactText(args),
      state: exactText(state),
      script: String(script),
    };
  }

  /**
   * Brings relay and wrapper into a document.
   * @param {Run} run
   * @param {Part} part
   * @returns {Promise<Relay|null>} null: the run is over, or this frame takes no part in it
   */
  async install(run, part) {
    const tab = /** @type {any} */ (run.tab).id;
    const { world } = run;
    let revive = part.frame === 0;
    for (let tries = 1; ; tries++) {
      const ticket = crypto.randomUUID();
      const asked = { tab, frame: part.frame, document: part.document, world, ticket, revive, limit_ms: run.left_ms(PATIENCE_MS) };
      const placed = await Promise.race([this.host.hand("task.place", asked), run.ended.promise]);
      if (run.over || !placed) return null;
      const { document, outcome } = placed;
      if (placed.revived) revive = false; // a page that crashes again and again is left to its crash
      if (outcome === "silent" || outcome === "forbidden") {
        if (run.all) return this.leaveOut(run, part, placed.message);
        throw failure(outcome === "silent" ? "WorldUnavailableError" : "ForbiddenPageError", placed.message, {
          ...(placed.tabs && { tabs: placed.tabs }),
        });
      }
      if (outcome === "ready" || outcome === "blocked" || outcome === "direct") {
        const relay = await this.arrival(run, part, document);
        if (run.over) return null;
        if (relay) {
          if (outcome === "ready") await relay.until(() => relay.engines.has(world), RELAY_MS);
          else if (outcome === "blocked") relay.blocked = true;
          if (outcome !== "ready" || relay.engines.has(world)) return relay;
        }
      }
      // the page was replaced meanwhile
      if (tries >= 8) throw failure("NavigatedError", `tab ${tab} goes from page to page: nothing could be started there; try again when it rests`, { started: false });
      if (part.frame !== 0 && outcome === "gone") throw failure("FrameNotFoundError", `frame ${part.frame} of tab ${tab} is gone`);
      part.document = undefined;
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 25 * tries)), run.ended.promise]);
      if (run.over) return null;
    }
  }

  /** With "all", a frame in which no script can run is no part of it. @param {Run} run @param {Part} part @param {string} why */
  leaveOut(run, part, why) {
    run.parts.delete(part.frame);
    this.host.conclude(run);
    this.host.log("info", `frame ${part.frame} (${part.url}) takes no part: ${why}`, { task: run.task });
    return null;
  }

  /**
   * Where text cannot be evaluated later: the script goes in with its wrapper, by another injection.
   * @param {Run} run
   * @param {Part} part
   * @param {Relay} relay
   */
  async direct(run, part, relay) {
    const [wrong, injections] = await Promise.all([
      syntaxError(String(run.params.script)),
      this.host.hand("task.injections", { world: run.params.world }),
    ]);
    if (run.over) return;
    if (wrong) return this.host.fail(run, syntaxFailure(run.file, wrong), { started: false });
    /** @type {any} */
    let last = null;
    for (const injection of injections) {
      const ticket = crypto.randomUUID();
      part.injection = injection;
      const words = this.words(run, part);
      const spliced = splicedSource(ticket, words);
      part.header = spliced.header;
      part.state = "sent";
      const { name, note, deadline } = { name: part.name, note: words.note, deadline: run.deadline };
      const asked = {
        injection,
        tab: relay.tab,
        frame: part.frame,
        document: relay.document,
        world: run.world,
        ticket,
        source: spliced.source,
        run: { run: name, note, deadline },
        limit_ms: run.left_ms(PATIENCE_MS),
      };
      const begun = Promise.race([
        relay.until(() => part.state === "running" || part.state === "ended" || run.over, 2 ** 31 - 1).then(() => ({ outcome: "begun" })),
        this.host.hand("task.direct", asked).catch((error) => ({ outcome: "failed", error: plainFailure(error) })),
      ]);
      const { outcome, error } = /** @type {any} */ (await begun);
      if (run.over || outcome === "begun" || part.state !== "sent") return;
      last = error;
      part.state = "waiting";
    }
    if (run.over) return;
    throw failure("WorldUnavailableError", last?.message ?? noWay(run), { hint: "switch on “Allow user scripts” for any on chrome://extensions" });
  }
}

/** @param {Run} run */
function noWay(run) {
  const world = run.params.world ?? "main";
  return `there is no way into world "${world}" of this page: switch on “Allow user scripts” in the details of any on chrome://extensions`;
}
