/**
 * The offscreen document: owns the links. It outlives the service worker.
 * @module
 */
import { PrototypeLink } from "./compat/prototype.js";
import { BlackBox } from "./link/blackbox.js";
import { Finder } from "./link/finder.js";
import { Outbox } from "./link/outbox.js";
import { Store } from "./link/store.js";
import { readVersion, VERSION } from "./link/version.js";
import { WorkerClient } from "./link/worker_client.js";
import { Sandboxes } from "./sandbox/sandboxes.js";
import { acceptRelay, onlyOwners } from "./task/relays.js";

chrome.runtime.onConnect.addListener((port) => {
  if (port.name.startsWith("any-relay:")) acceptRelay(port);
});

/** Made up anew with each offscreen document. */
const INSTANCE = crypto.randomUUID();
const PROTOTYPE_SEARCH_MS = 2_000;
const LINES_MS = 100;
const BADGE_MS = 400;

const box = new BlackBox();
// An exception that nobody awaits would be seen by nobody.
addEventListener("error", ({ error, message }) => box.add("error", `a fault of the extension: ${error?.stack ?? message}`));
addEventListener("unhandledrejection", ({ reason }) => box.add("error", `a fault of the extension: ${reason?.stack ?? reason}`));
/** @type {Map<string, PrototypeLink>} by address */
const links = new Map();
/** @type {import("./worker/browser.js").Settings} */
let settings = { daemons: [], label: "", paused: false };
/** Whether the person's settings have been read: from then on an address that is in none is gone for good. */
let known = false;
/** Whether the links have been begun. */
let begun = false;

const worker = new WorkerClient({
  onEmit: hear,
  onText: (text, link) => {
    if (!settings.paused) links.get(link)?.say(text);
  },
  onState: (text) => box.add("info", text),
});
/** @type {Set<import("./link/link.js").Link>} whose daemons listen to chrome.* events */
const listening = new Set();
worker.onDeath = () => {
  if (listening.size > 0) worker.touch(); // it restores its subscriptions as it wakes
};

/** @param {string} method @param {any} params @param {string} link */
const callWorker = (method, params, link = "") => worker.call(method, params, link);
/** @type {WorkerClient["pass"]} */
const passToWorker = (...given) => worker.pass(...given);

/**
 * What the worker tells.
 * @param {string} name
 * @param {any} data
 * @param {string} [only]
 */
function hear(name, data, only) {
  if (name === "log") return box.add(data.level, data.text, { ...(data.task && { task: data.task }), ...(only && { link: only }) });
  if (name === "settings") return void take(data);
  if (name === "browser.look") return look(data);
  for (const link of links.values()) {
    if (only !== undefined && link.address !== only) continue;
    if (!settings.paused) link.notify(name, data);
  }
}

// how the browser stands

let told = "";

/** @param {import("./worker/browser.js").Look & {used: boolean}} now */
function look({ used, ...now }) {
  const text = JSON.stringify(now);
  if (text === told && !used) return;
  told = text;
  for (const link of links.values()) link.notify("browser.update", used ? { ...now, used: true } : now);
}

async function product() {
  const data = /** @type {any} */ (navigator).userAgentData;
  const { fullVersionList = [], platform = "", platformVersion = "" } = (await data?.getHighEntropyValues(["fullVersionList", "platform", "platformVersion"])) ?? {};
  const brands = fullVersionList.filter((/** @type {any} */ { brand }) => !/not.?a.?brand/i.test(brand.replace(/[^a-z]/gi, "")));
  const brand = brands.find((/** @type {any} */ { brand }) => brand !== "Chromium") ?? brands[0];
  return { product: brand ? `${brand.brand} ${brand.version}` : "Chrome", platform: `${platform} ${platformVersion}`.trim() || "unknown" };
}

async function describe() {
  const [now, what, { email }] = await Promise.all([
    callWorker("browser.look", {}),
    product(),
    callWorker("browser.profile", {}),
  ]);
  told = JSON.stringify(now);
  const name = what.product.split(" ").slice(0, -1).join(" ") || what.product;
  const label = settings.label || (email ? `${name} (${email.split("@")[0]})` : name);
  return { instance: INSTANCE, label, ...what, user_agent: navigator.userAgent, paused: settings.paused, ...now };
}

/** @type {Promise<string>|null} */
let browserId = null;

/** The profile's id, which it makes up once. */
function browser() {
  browserId ??= (async () => {
    const kept = await store.get("meta", "browser");
    if (kept) return kept;
    const made = crypto.randomUUID();
    await store.put("meta", made, "browser");
    return made;
  })();
  return browserId;
}

// what the person must act on

/** @type {Map<string, string>} by kind */
const troubles = new Map();

/** @param {string} kind @param {string|null} text null: it is over */
function trouble(kind, text) {
  if ((troubles.get(kind) ?? null) === text) return;
  if (text === null) troubles.delete(kind);
  else troubles.set(kind, text);
  planBadge();
}

// the badge

/** @type {ReturnType<typeof setTimeout>|undefined} */
let badgePlanned;
let badgeShown = "";

function planBadge() {
  badgePlanned ??= setTimeout(() => {
    badgePlanned = undefined;
    const all = [...links.values()];
    const linked = all.filter((link) => link.state === "linked" || link.state === "prototype");
    const running = all.reduce((sum, link) => sum + link.host.running().length, 0);
    const [ours] = troubles.values();
    const why = ours ?? all.find((link) => ["key-changed", "refused", "stranger"].includes(link.state))?.reason;
    const now = settings.paused
      ? { kind: "paused", text: "❚❚", title: "any: paused" }
      : why !== undefined
        ? { kind: "trouble", text: "!", title: `any: ${why}` }
        : linked.length === 0
          ? { kind: "unlinked", text: "○", title: "any: no daemon" }
          : running > 0
            ? { kind: "running", text: String(running), title: `any: ${running} running` }
            : { kind: "linked", text: "●", title: `any: connected to ${linked.map((link) => link.address).join(", ")}` };
    const text = JSON.stringify(now);
    if (text === badgeShown) return;
    badgeShown = text;
    callWorker("badge", now).catch(() => (badgeShown = ""));
  }, BADGE_MS);
}

// the popup

const popup = new BroadcastChannel("any-popup");
popup.onmessage = ({ data }) => {
  if (data.kind === "ask") popup.postMessage({ kind: "state", ...snapshot() });
  if (data.kind === "accept") links.get(data.address)?.accept();
};

function snapshot() {
  return {
    paused: settings.paused,
    version: VERSION,
    troubles: [...troubles.values()],
    links: [...links.values()].map((link) => ({
      address: link.address,
      state: link.state,
      reason: link.reason,
      since: link.since,
      label: link.label,
      daemon: link.daemon.version,
      quiet: link.only && link.state !== "prototype",
      running: link.host.running(),
    })),
    lines: box.lines.slice(-12),
  };
}

// links

/** A full disk takes a small thing now and then. */
const DISK_QUIET_MS = 3_000;
let diskFailed = -Infinity;

/** @param {any} error null: a change was kept */
function diskStands(error) {
  const before = troubles.has("disk");
  if (error) diskFailed = performance.now();
  else if (!before || performance.now() - diskFailed < DISK_QUIET_MS) return;
  trouble("disk", error && `the browser's disk refuses what the extension keeps (${error.message}): results and log lines that no daemon has yet would be lost with the browser. Free some space, then look whether this goes away`);
  if (error && !before) box.add("error", `${troubles.get("disk")}`);
  if (!error) box.add("info", "the browser's disk takes again what the extension keeps");
}

const store = new Store(diskStands);
const finder = new Finder();

const sandboxes = new Sandboxes({
  callWorker,
  paused: () => settings.paused,
  tell: (link, path, said) => links.get(link)?.notify("chrome.event", { path, args: [said] }),
});

/** @type {import("./link/link.js").LinkContext} */
const context = {
  sandboxes,
  store,
  finder,
  installation: () => config.installation,
  box,
  callWorker,
  passToWorker,
  trouble,
  forgetCalls: (link) => worker.forget(link),
  describe,
  paused: () => settings.paused,
  browser,
  changed: planBadge,
  claimed: (daemon, except) => [...links.values()].find((link) => link !== except && daemon && link.claim === daemon),
  wanted: (link, on) => {
    if (on) listening.add(link);
    else listening.delete(link);
    worker.stayAwake = listening.size > 0;
    if (on) worker.call("ping", {}, "").catch(() => {}); // starts the keeper
  },
};

/** @type {{daemons: string[], prototypes?: string[], installation?: import("./link/handshake.js").Installation}} */
let config = { daemons: [] };

function addresses() {
  const daemons = new Set([...config.daemons, ...settings.daemons].map((address) => address.replace(/\/+$/, "")));
  const prototypes = new Set((config.prototypes ?? []).filter((address) => !daemons.has(address)));
  return { daemons, prototypes };
}

/** Links for all addresses that are wanted now, and no others. */
function arrange() {
  const { daemons, prototypes } = addresses();
  for (const [address, link] of links) {
    if (daemons.has(address) || prototypes.has(address)) continue;
    links.delete(address);
    link.remove();
  }
  for (const address of daemons) if (!links.has(address)) begin(new PrototypeLink(address, context));
  for (const address of prototypes) if (!links.has(address)) begin(new PrototypeLink(address, context, PROTOTYPE_SEARCH_MS, true));
  if (known) onlyOwners(links.keys());
  planBadge();
}

/** A disk that fails at the browser's start may stand a moment later. */
const BEGIN_AGAIN_MS = 3_000;

/** @param {PrototypeLink} link @param {string} [before] what its last try failed with, and the log has */
function begin(link, before = "") {
  links.set(link.address, link);
  link.start().catch((error) => {
    const why = `${error}`;
    if (why !== before) box.add("error", `the link to ${link.address} could not be prepared, and is tried again each ${BEGIN_AGAIN_MS / 1000} s: ${why}`);
    setTimeout(() => links.get(link.address) === link && begin(link, why), BEGIN_AGAIN_MS);
  });
}

/** @param {import("./worker/browser.js").Settings} given */
function take(given) {
  const before = settings;
  settings = given;
  if (before.paused !== given.paused) box.add("info", given.paused ? "paused by the person" : "resumed by the person");
  for (const link of links.values()) {
    if (before.paused !== given.paused) link.notify("browser.update", { paused: given.paused });
    if (before.label !== given.label && given.label) link.notify("browser.update", { label: given.label });
  }
  if (!begun) return;
  known = true;
  arrange();
}

/** Ends what earlier documents have left behind in worker, browser and database, and nobody comes back for. */
function clearAway() {
  const { daemons, prototypes } = addresses();
  const done = [callWorker("links.only", { addresses: [...daemons, ...prototypes] }), sandboxes.sweep(), Outbox.prune(store)];
  for (const each of done) each.catch((error) => box.add("warn", `what an earlier run of the extension left could not be cleared away: ${error.message}`));
}

/** @type {ReturnType<typeof setTimeout>|undefined} */
let linesPlanned;
box.onLine = () => {
  planBadge();
  linesPlanned ??= setTimeout(() => {
    linesPlanned = undefined;
    for (const link of links.values()) link.sendLines();
  }, LINES_MS);
};

await readVersion();
box.add("info", `the extension ${VERSION} begins (${INSTANCE.slice(0, 8)})`);
const readConfig = fetch(chrome.runtime.getURL("config.json")).then((answer) => answer.json());
readConfig.catch((error) => box.add("error", `config.json in the extension's folder cannot be read (${error.message}): give the folder to this browser's user (chown -R)`));
[config] = await Promise.all([readConfig.catch(() => config), worker.start()]);
await box.load(store).catch(() => {}); // the store has said it
for (let tries = 0; tries < 5 && !known; tries++) {
  try {
    settings = await callWorker("browser.settings", {});
    known = true;
  } catch (error) {
    box.add("error", `the settings could not be read: ${/** @type {Error} */ (error).message}`);
  }
}
if (known) clearAway();
begun = true;
arrange();
planBadge();
setInterval(planBadge, 2000);
