/**
 * The source text that goes into pages, put together from the functions in this folder.
 * @module
 */
import { makeNatives } from "./natives.js";
import { makeValues } from "./values.js";
import { wrapper } from "./wrapper.js";

const PARTS = `{ makeNatives: ${makeNatives}, makeValues: ${makeValues} }`;

/** Frames of ours are called so in stacks. */
const NAME = "\n//# sourceURL=any-wrapper:///";

/** What frames of a script are called in stacks; positions.js turns it into the user's file name. */
export const SOURCE = "any-script:///";

/**
 * An expression that makes a wrapper, which waits for the relay's word.
 * @param {string} ticket
 */
export function wrapperSource(ticket) {
  return `(${wrapper})(${JSON.stringify({ ticket, run: null })}, undefined, ${PARTS})${NAME}`;
}

/**
 * The same for one script where no text can be evaluated later: the script is part of the expression.
 * @param {string} ticket
 * @param {any} run
 * @returns {{source: string, header: number}} `header`: lines before the script's first
 */
export function splicedSource(ticket, run) {
  const { script, ...rest } = run;
  const before = `((body) => (${wrapper})(${JSON.stringify({ ticket, run: rest })}, body, ${PARTS}))(async function (args, any, console) {\n`;
  return { source: `${before}${script}\n})\n//# sourceURL=${run.source}`, header: before.split("\n").length - 1 };
}

/**
 * Evaluates in the page's main world, by chrome.scripting. Self-contained.
 * @param {string} source
 * @returns {string} what the wrapper says, or "blocked: …": the page lets no text be evaluated
 */
export function boot(source) {
  const plain = () => {};
  let make;
  try {
    const Kind = /** @type {any} */ (plain.constructor);
    make = new Kind("return " + source);
    if (typeof make !== "function" || make.length !== 0) return "blocked: the page has replaced Function";
  } catch {
    return "blocked: no text is evaluated";
  }
  try {
    return make() ?? "blocked: the page has replaced Function";
  } catch (thrown) {
    return "failed: " + thrown;
  }
}
