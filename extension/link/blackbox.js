/**
 * The black box: the last lines of the log, numbered, kept across crashes, and sent to each daemon until it acknowledges them.
 * @module
 */

const KEPT = 2000;
const WRITE_MS = 50;

/**
 * @typedef {object} Line
 * @property {number} n rises by one with each line, for ever
 * @property {string} time ISO 8601
 * @property {import("../types.js").Level} level
 * @property {string} text
 * @property {string} [task]
 * @property {string} [link] address of the only daemon it is for; absent: for all
 */

export class BlackBox {
  constructor() {
    /** @type {Line[]} */
    this.lines = [];
    /** @type {import("./store.js").Store|null} */
    this.store = null;
    this.last = 0;
    this.written = 0;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.planned = undefined;
    /** @type {() => void} called after new lines */
    this.onLine = () => {};
  }

  /** Joins the lines of earlier runs with those logged since this one began. @param {import("./store.js").Store} store */
  async load(store) {
    /** @type {Line[]} */
    const old = await store.all("lines");
    const first = old.length ? old[old.length - 1].n : 0;
    for (const line of this.lines) line.n += first;
    this.lines = [...old, ...this.lines].slice(-KEPT);
    this.last += first;
    this.written = first;
    this.store = store;
    this.plan();
  }

  /** A kill may have taken the last lines and left their acknowledgement. @param {number} n */
  goOnAfter(n) {
    this.last = Math.max(this.last, n);
  }

  /**
   * @param {import("../types.js").Level} level
   * @param {string} text
   * @param {{task?: string, link?: string}} about
   */
  add(level, text, about = {}) {
    /** @type {Line} */
    const line = { n: ++this.last, time: new Date().toISOString(), level, text: text.slice(0, 4000), ...about };
    this.lines.push(line);
    if (this.lines.length > KEPT + 200) this.lines.splice(0, this.lines.length - KEPT);
    const words = about.task ? `${about.task}: ${line.text}` : line.text;
    // An error line would also land on the extension's errors page, where only defects of ours belong.
    console[level === "debug" ? "debug" : level === "info" ? "info" : "log"]("[any]", words);
    this.plan();
    this.onLine();
  }

  plan() {
    if (this.store) this.planned ??= setTimeout(() => this.write(), WRITE_MS);
  }

  async write() {
    this.planned = undefined;
    if (!this.store || this.written >= this.last) return;
    const [first, last] = [this.written, this.last];
    this.written = last;
    const lines = this.after(first, Infinity);
    try {
      await this.store.change("lines", (rows) => {
        for (const line of lines) rows.put(line);
        rows.delete(IDBKeyRange.upperBound(last - KEPT));
      });
    } catch {
      this.written = Math.min(this.written, first); // with the next line it is tried again
    }
  }

  /**
   * @param {number} n
   * @param {number} count
   * @param {string} [link] only what this daemon may hear
   * @returns {Line[]} the oldest lines after `n`
   */
  after(n, count, link) {
    const found = [];
    let i = this.lines.length;
    while (i > 0 && this.lines[i - 1].n > n) i--;
    for (; i < this.lines.length && found.length < count; i++) {
      const line = this.lines[i];
      if (link === undefined || line.link === undefined || line.link === link) found.push(line);
    }
    return found;
  }
}
