/**
 * What a page's words mean for the daemon: the failure of a part, an event, a script that is no script.
 * @module
 */
import { exactValue } from "./exact.js";
import { readStack } from "./positions.js";

/** @typedef {import("./run.js").Run} Run */
/** @typedef {import("./run.js").Part} Part */

/** The failure of a part, where it failed. @param {Run} run @param {Part} part @returns {import("./errors.js").TaskFailure|null} */
export function errorOf(run, part) {
  const { outcome, error, text } = part.end;
  const where = part.frame === 0 || !run.all ? "" : ` (in frame ${part.frame}, ${part.end.page})`;
  if (outcome === "threw") {
    const { thrown, message } = error;
    const { stack, line, column } = readStack(String(error.stack), run.file, part.header);
    const said = thrown === null ? `the script threw ${message}` : `${message}`;
    return { name: "ScriptError", thrown, message: said + where, stack, file: run.file, line, column };
  }
  if (outcome === "refused") {
    const { name, message, path, hint } = error;
    const known = name === "ResultTooLargeError" ? name : "NotSerializableError";
    return { name: known, message: String(message) + where, path: String(path), hint: String(hint) };
  }
  if (outcome === "undefined") return null;
  if (outcome === "next" && run.all) {
    return { name: "ScriptError", thrown: null, message: 'any.next leads the whole tab: it has no place in a task with "frame": "all"' };
  }
  try {
    JSON.parse(text);
    return null;
  } catch {
    const message = `what the page gave as the result is no JSON${where}: the page has replaced parts of the language that the script relies on; try world "isolated"`;
    return { name: "NotSerializableError", message, path: "result" };
  }
}

/**
 * The params of task.event.
 * @param {Run} run
 * @param {Part} part
 * @param {any} message a relay's progress or console
 * @returns {any} null where the page has forged it
 */
export function eventOf(run, part, message) {
  const { task, attempt, hop } = run;
  const event = { task, attempt, hop, n: ++run.events, kind: message.say };
  if (message.say === "progress") {
    try {
      return { ...event, value: exactValue(message.text) };
    } catch {
      return null;
    }
  }
  const { line, column } = readStack(String(message.stack), run.file, part.header);
  return { ...event, level: String(message.level), text: String(message.text), line, column };
}

/**
 * @param {string} file
 * @param {{message: string, line: number|null, column: number|null}} place
 * @returns {import("./errors.js").TaskFailure}
 */
export function syntaxFailure(file, { message, line, column }) {
  const at = line === null ? file : `${file}:${line}:${column}`;
  return { name: "ScriptError", thrown: "SyntaxError", message, stack: `SyntaxError: ${message}\n    at ${at}`, file, line, column };
}
