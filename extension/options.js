/**
 * The options page: more daemons, and the label of this browser.
 * @module
 */

/** @param {string} id @returns {any} */
const part = (id) => document.getElementById(id);

/** @returns {Promise<{daemons: string[], label: string}>} */
async function read() {
  const { daemons = [], label = "" } = /** @type {any} */ (await chrome.storage.local.get(["daemons", "label"]));
  return { daemons, label };
}

/** @type {{daemons: string[], prototypes: string[]}} */
const config = await (await fetch(chrome.runtime.getURL("config.json"))).json();

async function show() {
  const { daemons, label } = await read();
  const rows = config.daemons.map((address) => row(address, "built in"));
  for (const address of config.prototypes ?? []) rows.push(row(address, "prototype's programs"));
  for (const address of daemons) rows.push(row(address, null));
  part("daemons").replaceChildren(...rows);
  if (document.activeElement !== part("label")) part("label").value = label;
}

/** @param {string} address @param {string|null} fixed why it cannot be removed */
function row(address, fixed) {
  const item = document.createElement("li");
  const text = document.createElement("code");
  text.textContent = address;
  item.append(text);
  if (fixed) {
    const note = document.createElement("span");
    note.className = "soft";
    note.textContent = fixed;
    item.append(note);
  } else {
    const button = document.createElement("button");
    button.textContent = "Remove";
    button.ariaLabel = `Remove ${address}`;
    button.onclick = async () => {
      const { daemons } = await read();
      await chrome.storage.local.set({ daemons: daemons.filter((other) => other !== address) });
    };
    item.append(button);
  }
  return item;
}

/** @param {string} text @returns {string} the address as an origin; throws an Error that tells a person what is wrong */
function origin(text) {
  /** @type {URL} */
  let url;
  try {
    url = new URL(/^https?:\/\//.test(text) ? text : `http://${text}`);
  } catch {
    throw new Error(`“${text}” is not an address. It looks like http://127.0.0.1:8766`);
  }
  const loopback = url.hostname === "localhost" || url.hostname === "[::1]" || /^127\./.test(url.hostname);
  if (url.protocol === "http:" && !loopback) throw new Error("A daemon on another machine needs https.");
  return url.origin;
}

part("add").onsubmit = async (/** @type {Event} */ event) => {
  event.preventDefault();
  part("trouble").textContent = "";
  try {
    const address = origin(part("address").value.trim());
    const { daemons } = await read();
    if ([...config.daemons, ...daemons].includes(address)) throw new Error("This daemon is in the list already.");
    await chrome.storage.local.set({ daemons: [...daemons, address] });
    part("address").value = "";
  } catch (error) {
    part("trouble").textContent = /** @type {Error} */ (error).message;
  }
};

part("naming").onsubmit = async (/** @type {Event} */ event) => {
  event.preventDefault();
  try {
    await chrome.storage.local.set({ label: part("label").value.trim() });
    part("saved").textContent = "Saved.";
  } catch (error) {
    part("saved").textContent = `Not saved: ${/** @type {Error} */ (error).message}`;
  }
};

chrome.storage.local.onChanged.addListener(show);
await show();

export {};
