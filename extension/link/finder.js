/**
 * Looks for daemons until told to stop.
 * @module
 */

export class Finder {
  constructor() {
    this.prober = new Worker(new URL("prober.js", import.meta.url), { type: "module" });
    /** @type {Map<string, (health: any) => void>} */
    this.searches = new Map();
    this.prober.onmessage = ({ data: { address, health } }) => this.searches.get(address)?.(health);
  }

  /**
   * @param {string} address
   * @param {number} every milliseconds between two looks
   * @param {(health: any) => void} found called at each look that something answers; null: not a daemon of ours
   */
  search(address, every, found) {
    this.searches.set(address, found);
    this.prober.postMessage({ address, every });
  }

  /** @param {string} address */
  stop(address) {
    if (this.searches.delete(address)) this.prober.postMessage({ address, every: 0 });
  }
}
