/**
 * Waiting for what may never come.
 * @module
 */

/** @param {number} ms @returns {Promise<undefined>} */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms, undefined));

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @returns {Promise<T|undefined>} undefined where Chrome does not answer in time, or refuses
 */
export function tried(promise, ms) {
  return Promise.race([promise.catch(() => undefined), pause(ms)]);
}
