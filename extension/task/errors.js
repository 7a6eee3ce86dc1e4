/**
 * Errors of tasks, as docs/protocol.md names them.
 * @module
 */

/**
 * @typedef {object} TaskFailure
 * @property {string} name from the closed list
 * @property {string} message what happened and what to do next
 * @property {string|null} [thrown] the name the script's own error had
 * @property {string} [stack]
 * @property {string} [file]
 * @property {number|null} [line]
 * @property {number|null} [column]
 * @property {string} [path]
 * @property {string} [hint]
 * @property {{id: number, url: string, title: string}[]} [tabs]
 * @property {boolean|"unknown"} [started]
 */

/**
 * Something to throw whose fields reach the daemon as they are.
 * @param {string} name
 * @param {string} message
 * @param {Partial<TaskFailure>} [more]
 * @returns {Error & TaskFailure}
 */
export function failure(name, message, more = {}) {
  return Object.assign(new Error(message), more, { name, message });
}

const FIELDS = ["thrown", "stack", "file", "line", "column", "path", "hint", "tabs"];

/** What of a thrown error goes to the daemon. @param {any} error @returns {TaskFailure} */
export function plainFailure(error) {
  /** @type {any} */
  const plain = { name: error.name, message: error.message };
  if (!/^[A-Z]\w*Error$/.test(plain.name) || ["Error", "TypeError", "RangeError", "ReferenceError"].includes(plain.name)) {
    plain.message = `the extension failed: ${error.name}: ${error.message}`;
    plain.name = "InternalError";
  }
  for (const field of FIELDS) {
    if (error[field] !== undefined && !(field === "stack" && error.name !== "ScriptError")) plain[field] = error[field];
  }
  return plain;
}

/**
 * Chrome is unloading the extension: it is reloaded, updated or switched off. What it says from then on is no word about the task.
 * @param {TaskFailure} error as plainFailure gives it
 */
export function unloading({ name, message }) {
  return name === "InternalError" && message.includes("Extension context invalidated");
}
