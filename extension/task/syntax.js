/**
 * Where a script has its syntax error: V8 tells the place only to `window.onerror`, and an extension's own pages may not
 * evaluate text; a sandboxed page may.
 * @module
 */

/** @type {Promise<Window>|null} */
let frame = null;
let lastId = 0;
const LIMIT_MS = 3000;

function sandbox() {
  frame ??= new Promise((resolve) => {
    const element = document.createElement("iframe");
    element.src = "task/sandbox.html";
    element.onload = () => resolve(/** @type {Window} */ (element.contentWindow));
    document.documentElement.append(element);
  });
  return frame;
}

/**
 * @param {string} script body of an async function
 * @returns {Promise<{message: string, line: number, column: number}|null>} null where it compiles, or where nothing can be told in time
 */
export async function syntaxError(script) {
  const id = ++lastId;
  /** @type {(event: MessageEvent) => void} */
  let hear = () => {};
  /** @type {Promise<any>} */
  const answer = new Promise((resolve) => {
    hear = (event) => {
      if (event.data?.id === id) resolve(event.data.error);
    };
    addEventListener("message", hear);
    setTimeout(resolve, LIMIT_MS, null);
  });
  sandbox().then((target) => target.postMessage({ id, script }, "*"));
  try {
    return await answer;
  } finally {
    removeEventListener("message", hear);
  }
}
