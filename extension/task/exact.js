/**
 * JSON text that loses nothing: JSON.stringify writes -0 as 0.
 * @module
 */

/** @param {string} _key @param {any} value */
function withSign(_key, value) {
  return Object.is(value, -0) ? /** @type {any} */ (JSON).rawJSON("-0.0") : value;
}

/** @param {any} value from JSON @returns {string} */
export function exactText(value) {
  return JSON.stringify(value, withSign);
}

/** A value that JSON.stringify writes as the text says. @param {string} text @returns {any} */
export function exactValue(text) {
  return text.includes("-0") ? JSON.parse(text, withSign) : JSON.parse(text);
}
