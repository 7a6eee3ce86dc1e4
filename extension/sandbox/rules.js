/**
 * A program's own rules of chrome.declarativeNetRequest: it sees none but these, under the numbers that it gave them, and they end
 * with it.
 * @module
 */

/** Chrome's numbers of rules that were made for a program begin here. */
const FIRST = 1_500_000_000;
let last = FIRST;

/** @typedef {(path: string, args: any[]) => Promise<any>} CallChrome */

export class Rules {
  /** @param {CallChrome} call */
  constructor(call) {
    this.call = call;
    /** @type {Map<number, number>} Chrome's number by the program's */
    this.known = new Map();
  }

  async get() {
    const all = await this.call("declarativeNetRequest.getSessionRules", []);
    const own = new Map([...this.known].map(([theirs, chromes]) => [chromes, theirs]));
    return all.filter((/** @type {any} */ rule) => own.has(rule.id)).map((/** @type {any} */ rule) => ({ ...rule, id: own.get(rule.id) }));
  }

  /** @param {{addRules?: any[], removeRuleIds?: number[]}} change */
  async update({ addRules = [], removeRuleIds = [] }) {
    const added = addRules.map((rule) => ({ ...rule, id: ++last }));
    const gone = removeRuleIds.flatMap((id) => this.known.get(id) ?? []);
    await this.call("declarativeNetRequest.updateSessionRules", [{ addRules: added, removeRuleIds: gone }]);
    for (const id of removeRuleIds) this.known.delete(id);
    addRules.forEach((rule, i) => this.known.set(rule.id, added[i].id));
  }

  async end() {
    const removeRuleIds = [...this.known.values()];
    this.known.clear();
    if (removeRuleIds.length > 0) await this.call("declarativeNetRequest.updateSessionRules", [{ removeRuleIds }]);
  }

  /** Removes what an earlier run of this extension has left behind. @param {CallChrome} call */
  static async sweep(call) {
    const all = await call("declarativeNetRequest.getSessionRules", []);
    const removeRuleIds = all.map((/** @type {any} */ rule) => rule.id).filter((/** @type {number} */ id) => id > FIRST && id <= FIRST + 100_000_000);
    if (removeRuleIds.length > 0) await call("declarativeNetRequest.updateSessionRules", [{ removeRuleIds }]);
  }
}
