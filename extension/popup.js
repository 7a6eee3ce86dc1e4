/**
 * The popup: how the links stand, what runs, the last lines. Whatever comes from elsewhere is put in as text.
 * @module
 */

const channel = new BroadcastChannel("any-popup");
const ASK_MS = 500;

/** @param {string} id @returns {HTMLElement} */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * @param {string} tag
 * @param {string|null} text
 * @param {string} [kind]
 * @param {...Node} children
 */
function make(tag, text, kind = "", ...children) {
  const element = document.createElement(tag);
  if (text !== null) element.textContent = text;
  element.className = kind;
  element.append(...children);
  return element;
}

/** @param {number} time @returns {string} how long ago, in the words of a person */
function since(time) {
  const seconds = Math.max(0, Math.round((Date.now() - time) / 1000));
  const clock = new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  if (seconds < 60) return `since ${clock}`;
  if (seconds < 3600) return `since ${clock} (${Math.floor(seconds / 60)} min)`;
  return `since ${new Date(time).toLocaleString()} (${Math.floor(seconds / 3600)} h)`;
}

/** @param {string} address */
const place = (address) => address.replace(/^https?:\/\//, "");

/** @param {any} link @param {boolean} paused */
function linkRow(link, paused) {
  const body = make("div", null);
  const row = make("div", null, `link ${link.state} ${paused && link.state === "linked" ? "paused" : ""}`, make("span", null, "dot"), body);
  /** @param {string} title @param {...(string|Node)} words */
  const say = (title, ...words) => {
    body.append(make("strong", title));
    const line = make("p", null, "soft");
    line.append(...words);
    body.append(line);
  };
  switch (link.state) {
    case "linked":
      say(paused ? "Paused" : "Connected", `${place(link.address)} · any ${link.daemon} · as “${link.label}” · ${since(link.since)}`);
      break;
    case "prototype":
      say("Connected to a program of the prototype's kind", `${place(link.address)} · ${since(link.since)}`);
      break;
    case "key-changed":
      say("Another daemon answers here", `${place(link.address)} is not the daemon this browser met first: its key has changed. If you moved or reset it yourself, accept it; else another program has taken its place.`);
      body.append(make("button", "Accept the new daemon", "main accept"));
      body.lastElementChild?.addEventListener("click", () => channel.postMessage({ kind: "accept", address: link.address }));
      break;
    case "refused":
      say("The daemon and the extension cannot work together", `${place(link.address)}: ${link.reason}`);
      break;
    case "stranger":
      say("Another program answers here", link.reason);
      break;
    case "same":
      say("The same daemon twice", `${place(link.address)}: ${link.reason}`);
      break;
    default:
      say("Not connected", `No daemon answers at ${place(link.address)} ${since(link.since)}: run `, make("code", "any serve"), " in a terminal.");
  }
  return row;
}

/** @param {any} state */
function show(state) {
  part("version").textContent = state.version;
  const pause = part("pause");
  pause.hidden = false;
  pause.textContent = state.paused ? "Resume" : "Pause";
  pause.onclick = async () => {
    try {
      await chrome.storage.local.set({ paused: !state.paused });
    } catch (error) {
      part("troubles").append(make("p", `That was not saved: ${/** @type {Error} */ (error).message}`));
    }
  };
  if (changed("troubles", state.troubles)) part("troubles").replaceChildren(...state.troubles.map((/** @type {string} */ text) => make("p", text)));
  // Nobody is told that no prototype answers, or that a daemon of ours is also there: that is the usual case.
  const shown = state.links.filter((/** @type {any} */ link) => !link.quiet);
  const links = shown.map((/** @type {any} */ link) => linkRow(link, state.paused));
  if (changed("links", [shown.map((/** @type {any} */ link) => [link, since(link.since)]), state.paused])) part("links").replaceChildren(...links);

  const running = state.links.flatMap((/** @type {any} */ link) => link.running);
  part("work").hidden = running.length === 0;
  part("running").replaceChildren(
    ...running.map((/** @type {any} */ { task, tab, since: begun }) =>
      make("li", `${task} · ${tab ? tab.title || tab.url : "starting"} · ${Math.round((Date.now() - begun) / 1000)} s`),
    ),
  );
  if (!changed("lines", state.lines)) return;
  part("lines").replaceChildren(
    ...state.lines.map((/** @type {any} */ { time, level, text, task }) =>
      make("li", null, level, make("span", new Date(time).toLocaleTimeString([], { hour12: false }), "soft"), make("span", task ? `${task}: ${text}` : text)),
    ),
  );
  part("lines").scrollTop = part("lines").scrollHeight;
}

/** @type {Record<string, string>} */
const last = {};
/** A part that shows the same is left alone, so that a click or a selection is not lost. @param {string} name @param {any} value */
function changed(name, value) {
  const text = JSON.stringify(value);
  if (last[name] === text) return false;
  last[name] = text;
  return true;
}

let silent = 0;
channel.onmessage = ({ data }) => {
  if (data.kind !== "state") return;
  silent = 0;
  show(data);
};

function ask() {
  if (++silent > 2) chrome.runtime.sendMessage({ kind: "wake" }).catch(() => {});
  channel.postMessage({ kind: "ask" });
}
setInterval(ask, ASK_MS);
ask();

export {};
