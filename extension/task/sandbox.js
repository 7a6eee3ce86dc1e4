// Compiles scripts, never runs one; see syntax.js.
const AsyncFunction = /** @type {any} */ ((async () => {}).constructor);

addEventListener("message", (event) => {
  const { id, script } = event.data;
  /** @type {any} */
  let error = null;
  try {
    new AsyncFunction("args", "any", "console", script);
  } catch (thrown) {
    error = { message: /** @type {Error} */ (thrown).message, line: null, column: null };
    window.onerror = (_message, _source, line, column) => {
      if (line && line > 1) Object.assign(error, { line: line - 1, column });
      return true;
    };
    const element = document.createElement("script");
    element.textContent = `async function script(args, any, console) {\n${script}\n}`;
    document.head.append(element);
    element.remove();
    window.onerror = null;
  }
  event.source?.postMessage({ id, error }, { targetOrigin: "*" });
});
