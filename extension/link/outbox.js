/**
 * The `task.finish` messages of one link that the daemon has not acknowledged. Each is kept in IndexedDB beside being sent.
 * @module
 */

/** @typedef {{address: string, key: string, text: string, task: string, attempt: number, hop: number, since?: number}} Kept `text`: params as JSON; `since`: Date.now() */

/** Then no daemon asks for it any more: it keeps its own data no longer by default. */
const KEPT_MS = 30 * 24 * 3600 * 1000;

export class Outbox {
  /**
   * @param {string} address
   * @param {import("./store.js").Store} store
   */
  constructor(address, store) {
    this.address = address;
    this.store = store;
    /** @type {Map<string, {kept: Kept, done: () => void, promise: Promise<void>}>} in the order they were finished */
    this.entries = new Map();
  }

  /** Forgets the results that are too old for anybody, of whatever daemon. @param {import("./store.js").Store} store */
  static async prune(store) {
    const before = Date.now() - KEPT_MS;
    for (const { address, key, since } of await store.all("outbox")) if (since !== undefined && since < before) await store.delete("outbox", [address, key]);
  }

  /** Takes up what earlier runs left. */
  async load() {
    const range = IDBKeyRange.bound([this.address], [this.address, []]);
    for (const kept of await this.store.all("outbox", range)) if (!this.entries.has(kept.key)) this.remember(kept);
  }

  /** @param {Kept} kept */
  remember(kept) {
    /** @type {() => void} */
    let done = () => {};
    const promise = /** @type {Promise<void>} */ (new Promise((resolve) => (done = () => resolve())));
    const entry = { kept, done, promise };
    this.entries.set(kept.key, entry);
    return entry;
  }

  /**
   * Takes it up; what is to outlive this document is given to `keep` as well.
   * @param {string} key
   * @param {{[name: string]: any}} params
   * @param {string} [valueText]
   */
  add(key, params, valueText) {
    let text = JSON.stringify(params);
    if (valueText !== undefined) text = `${text.slice(0, -1)}${text.length > 2 ? "," : ""}"value":${valueText}}`;
    /** @type {Kept} */
    const kept = { address: this.address, key, text, task: params.task, attempt: params.attempt, hop: params.hop, since: Date.now() };
    return this.remember(kept);
  }

  /** Writes it to disk, unless the daemon has it already. @param {Kept} kept */
  keep(kept) {
    if (!this.entries.has(kept.key)) return;
    this.store.put("outbox", kept).catch(() => {}); // the store has said it
  }

  /** The daemon has it, or does not want it. @param {string} key */
  settle(key) {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.store.delete("outbox", [this.address, key]).catch(() => {});
    entry.done();
  }

  /** The daemon is gone for good. */
  async clear() {
    for (const key of [...this.entries.keys()]) this.settle(key);
    await this.store.delete("outbox", IDBKeyRange.bound([this.address], [this.address, []]));
  }

  /** @param {{task: string, attempt: number, hop: number}} which */
  forget({ task, attempt, hop }) {
    for (const { kept } of [...this.entries.values()])
      if (kept.task === task && kept.attempt === attempt && kept.hop === hop) this.settle(kept.key);
  }

  /** @returns {import("../types.js").Hold[]} */
  holds() {
    return [...this.entries.values()].map(({ kept: { task, attempt, hop } }) => ({ task, attempt, hop, state: "finished" }));
  }
}
