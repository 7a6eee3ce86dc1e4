/**
 * From the stacks of V8 to positions in the user's own file.
 * @module
 */
import { SOURCE } from "./source.js";

/** What frames of a script are called. @param {string} file */
export function sourceName(file) {
  return SOURCE + encodeURIComponent(file);
}

/**
 * @param {string} stack as the page gave it
 * @param {string} file the user's name of the script
 * @param {number} header lines before the script's first
 * @returns {{stack: string, line: number|null, column: number|null}} the innermost position, and the stack of the user's frames and of
 *   the page's below them; frames of ours are left out
 */
export function readStack(stack, file, header) {
  const name = sourceName(file);
  /** @type {string[]} */
  const kept = [];
  /** @type {number|null} */ let line = null;
  /** @type {number|null} */ let column = null;
  for (const text of stack.split("\n")) {
    const frame = /^\s+at (?:(.*?) \()?(?:eval at .*, )?(\S*):(\d+):(\d+)\)?$/.exec(text);
    if (!frame) {
      if (!/^\s+at /.test(text)) kept.push(text);
      continue;
    }
    const [, where, url, row, place] = frame;
    if (url === name) {
      const own = Number(row) - header;
      if (own < 1) continue;
      if (line === null) [line, column] = [own, Number(place)];
      const inner = where && !/^(async )?(eval|anonymous|body|.*\.anonymous)$/.test(where) ? where : "";
      kept.push(inner ? `    at ${inner} (${file}:${own}:${place})` : `    at ${file}:${own}:${place}`);
    } else if (url.startsWith("any-wrapper:") || url.startsWith("chrome-extension://")) continue;
    else kept.push(text);
  }
  return { stack: kept.join("\n"), line, column };
}
