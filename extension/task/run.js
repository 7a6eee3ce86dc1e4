/**
 * One run: one script in one tab, in one frame or several.
 * @module
 */
import { runName } from "./relays.js";

/**
 * A frame's share of a run.
 * @typedef {object} Part
 * @property {number} frame
 * @property {string} [document] id, where it is known before
 * @property {string} url
 * @property {string} name of the run in this frame
 * @property {"waiting"|"sent"|"running"|"ended"} state
 * @property {import("./relays.js").Relay|null} relay
 * @property {string|null} injection
 * @property {number} header lines before the script's first in what was evaluated
 * @property {any} end what the relay said of its end
 */

/** Lines that AsyncFunction puts before a script's first. */
export const FUNCTION_HEADER = 2;

/** @typedef {{id: number, url: string, title: string}} TabFacts */

export class Run {
  /**
   * @param {string} owner the link's address
   * @param {any} params of task.start
   */
  constructor(owner, params) {
    this.owner = owner;
    this.params = params;
    this.task = params.task;
    this.attempt = params.attempt;
    this.hop = params.hop;
    this.key = keyOf(params);
    /** @type {"received"|"starting"|"running"|"finished"} */
    this.state = "received";
    /** @type {TabFacts|null} */
    this.tab = null;
    /** @type {Map<number, Part>} by frame */
    this.parts = new Map();
    this.since = Date.now();
    /** Date.now() after which it is over; null: never @type {number|null} */
    this.deadline = params.timeout_ms == null ? null : this.since + params.timeout_ms;
    this.started = false;
    /** Why it has not begun, asked for shortly before its deadline. @type {{mute: boolean, leaving: boolean, why: string|null}|null} */
    this.silence = null;
    this.over = false;
    this.opened = false;
    /** tells the daemon of the start, unless the end comes first @type {ReturnType<typeof setTimeout>|undefined} */
    this.announcing = undefined;
    /** It had begun and ended before the daemon was told of the start. */
    this.unannounced = false;
    /** @type {ReturnType<typeof setTimeout>[]} */
    this.timers = [];
    this.events = 0;
    this.answer = Promise.withResolvers();
    this.answer.promise.catch(() => {});
    /** resolves when its tab is free again */
    this.left = Promise.withResolvers();
    /** ends when the run does, whatever is being waited for */
    this.ended = Promise.withResolvers();
  }

  /**
   * A run that a page still holds from before this offscreen document.
   * @param {string} owner
   * @param {{task: string, attempt: number, hop: number}} key
   * @param {any} note what `note()` gave then
   * @param {import("./relays.js").Relay} relay
   */
  static again(owner, key, note, relay) {
    const run = new Run(owner, { ...key, ...note.params });
    run.deadline = note.deadline;
    run.tab = note.tab ?? { id: relay.tab, url: relay.url, title: relay.title };
    run.opened = note.opened;
    run.started = true;
    run.state = "running";
    for (const frame of note.frames) {
      const part = run.add(frame, relay.url);
      part.state = "running";
      part.injection = note.injection;
    }
    return run;
  }

  get file() {
    return this.params.file || "script.js";
  }

  /** "main", or the world of scripts that pages do not see. */
  get world() {
    return this.params.world === "main" || !this.params.world ? "main" : "user";
  }

  get all() {
    return this.params.frame === "all";
  }

  /** Milliseconds left, at most `most`. @param {number} most */
  left_ms(most) {
    return this.deadline === null ? most : Math.max(0, Math.min(most, this.deadline - Date.now()));
  }

  get injection() {
    for (const part of this.parts.values()) if (part.injection) return part.injection;
    return null;
  }

  /** @param {number} frame @param {string} url @param {string} [document] @returns {Part} */
  add(frame, url, document) {
    const name = runName(this.owner, this.task, this.attempt, this.hop, frame);
    /** @type {Part} */
    const part = { frame, document, url, name, state: "waiting", relay: null, injection: null, header: FUNCTION_HEADER, end: null };
    this.parts.set(frame, part);
    return part;
  }

  /** What a relay keeps for whoever comes after this offscreen document. */
  note() {
    const { timeout_ms, file, world, frame } = this.params;
    const frames = [...this.parts.values()].map((part) => part.frame);
    return { tab: this.tab, opened: this.opened, deadline: this.deadline, params: { timeout_ms, file, world, frame }, frames, injection: this.injection };
  }

  /** @returns {import("../types.js").Hold} */
  hold() {
    return { task: this.task, attempt: this.attempt, hop: this.hop, state: this.state };
  }
}

/** @param {{task: string, attempt: number, hop: number}} params */
export function keyOf({ task, attempt, hop }) {
  return JSON.stringify([task, attempt, hop]);
}
