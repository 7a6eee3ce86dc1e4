/**
 * The sandboxes of all links: sandboxed pages in which programs run that clients have brought (docs/cdp.md, Stagehand 4). What such a
 * program may do besides computing is what passes here. A sandbox ends with its link.
 * @module
 */
import { failure } from "../link/rpc.js";
import { Rules } from "./rules.js";

/** The functions of chrome.* that a program may call. */
const ALLOWED = new Set(["tabs.query", "tabs.update", "windows.update", "debugger.getTargets", "declarativeNetRequest.isRegexSupported"]);
/** Characters; JSON.stringify ends the process at some 256 million. */
const LONGEST = 64 * 1024 * 1024;

/**
 * @typedef {object} SandboxesContext
 * @property {(method: string, params: any, link: string) => Promise<any>} callWorker
 * @property {() => boolean} paused
 * @property {(link: string, path: string, said: any) => void} tell an event of a sandbox, to the daemon
 */

/** @param {string} message what CDP's client shall read */
const refusal = (message) => failure("BadRequestError", message, { cdp: { code: -32000, message } });

class Sandbox {
  /** @param {string} link @param {number} number @param {SandboxesContext} context */
  constructor(link, number, context) {
    this.link = link;
    this.number = number;
    this.context = context;
    this.rules = new Rules((path, args) => this.call(path, args));
    this.frame = document.createElement("iframe");
    this.lastId = 0;
    /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} evaluations; 0: the opening */
    this.asked = new Map();
    /** @type {Map<number, AbortController>} */
    this.requests = new Map();
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.port.onmessage = ({ data }) => this.hear(data);
    this.frame.src = "sandbox/page.html";
    this.frame.addEventListener("load", () => this.frame.contentWindow?.postMessage({}, "*", [port2]), { once: true });
  }

  /**
   * @param {number} id
   * @param {any} message
   * @returns {Promise<any>}
   */
  ask(id, message) {
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.port.postMessage({ ...message, id });
    });
  }

  /** @param {{extension: string, files: Record<string, string>, source: string}} program */
  async open({ extension, files, source }) {
    document.documentElement.append(this.frame);
    this.port.postMessage({ op: "open", host: location.origin, id: chrome.runtime.id, extension, files, source });
    const error = await new Promise((resolve, reject) => this.asked.set(0, { resolve, reject }));
    if (error) throw refusal(`Service worker registration failed. Status code: 15. ${error}`);
  }

  /** @param {any} params of sandbox.evaluate */
  evaluate({ expression, awaitPromise, returnByValue }) {
    return this.ask(++this.lastId, { op: "evaluate", expression, awaitPromise, returnByValue });
  }

  end() {
    this.frame.remove();
    this.port.close();
    for (const request of this.requests.values()) request.abort();
    for (const { reject } of this.asked.values()) reject(refusal("Inspected target navigated or closed"));
    this.asked.clear();
    this.rules.end().catch(() => {});
  }

  // what the program asks

  /** @param {any} message */
  hear(message) {
    const { op, socket } = message;
    const tell = (/** @type {string} */ path, /** @type {any} */ said) => this.context.tell(this.link, path, { sandbox: this.number, ...said });
    switch (op) {
      case "opened":
        return this.settle(0, (call) => call.resolve(message.error));
      case "evaluated":
        return this.settle(message.id, (call) => (message.error === undefined ? call.resolve(message.value) : call.reject(refusal(message.error))));
      case "called":
        return tell("sandbox.called", { name: message.name, payload: message.payload });
      case "dial":
        return tell("sandbox.dialled", { socket, url: message.url });
      case "send":
        if (message.data.length <= LONGEST) return tell("sandbox.sent", { socket, data: message.data });
        this.port.postMessage({ op: "socket", socket, state: "closed", code: 1009, reason: "a message of more than 64 Mi characters" });
        return tell("sandbox.hungup", { socket });
      case "hang":
        return tell("sandbox.hungup", { socket });
      case "world":
        return void this.context.callWorker("sandbox.world", { target: message.target }, this.link).catch(() => {});
      case "abort":
        return this.requests.get(message.id)?.abort();
      case "chrome":
        return void this.answer(message.id, this.chrome(message.path, message.args));
      case "fetch":
        return void this.answer(message.id, this.fetch(message), true);
    }
  }

  /** @param {number} id @param {(call: {resolve: (value: any) => void, reject: (error: Error) => void}) => void} how */
  settle(id, how) {
    const call = this.asked.get(id);
    this.asked.delete(id);
    if (call) how(call);
  }

  /** @param {number} id @param {Promise<any>} work @param {boolean} [network] */
  async answer(id, work, network) {
    try {
      this.port.postMessage({ op: "told", id, value: await work });
    } catch (error) {
      this.port.postMessage({ op: "told", id, network, error: String(/** @type {Error} */ (error).message) });
    }
  }

  /** @param {string} path @param {any[]} args */
  async call(path, args) {
    return (await this.context.callWorker("chrome.call", { path, args }, this.link)).value;
  }

  /** @param {string} path @param {any[]} args */
  async chrome(path, args) {
    if (path === "declarativeNetRequest.getSessionRules") return this.rules.get();
    if (path === "declarativeNetRequest.updateSessionRules") return this.rules.update(args[0] ?? {});
    if (!ALLOWED.has(path)) throw new Error(`chrome.${path} is not there for an extension that was loaded over CDP into a browser that any drives`);
    return this.call(path, args);
  }

  /** As an extension's own request: no page's rules bind it, and it carries none of the person's cookies. @param {any} message */
  async fetch({ id, url, init }) {
    const controller = new AbortController();
    this.requests.set(id, controller);
    try {
      const answer = await fetch(url, { ...init, credentials: "omit", signal: controller.signal });
      const body = await answer.arrayBuffer();
      return { status: answer.status, statusText: answer.statusText, headers: [...answer.headers], body };
    } finally {
      this.requests.delete(id);
    }
  }
}

export class Sandboxes {
  /** @param {SandboxesContext} context */
  constructor(context) {
    this.context = context;
    /** @type {Map<string, Sandbox>} */
    this.sandboxes = new Map();
  }

  /** Removes what the sandboxes of an earlier document have left in the browser. */
  async sweep() {
    const call = async (/** @type {string} */ path, /** @type {any[]} */ args) => (await this.context.callWorker("chrome.call", { path, args }, "")).value;
    await Promise.all([this.context.callWorker("sandbox.worlds", { on: false }, ""), Rules.sweep(call)]);
  }

  /**
   * A request of the daemon (docs/protocol.md, "Sandboxes").
   * @param {string} link
   * @param {string} method
   * @param {any} params
   * @returns {any}
   */
  handle(link, method, params) {
    if (method === "sandbox.open") return this.open(link, params);
    const sandbox = this.sandboxes.get(`${params.sandbox} ${link}`);
    if (method === "sandbox.close") return this.close(`${params.sandbox} ${link}`);
    if (!sandbox) throw refusal("Inspected target navigated or closed");
    switch (method) {
      case "sandbox.evaluate":
        return sandbox.evaluate(params).then((value) => ({ value }));
      case "sandbox.bind":
        sandbox.port.postMessage({ op: "bind", name: params.name });
        return {};
      case "sandbox.socket":
        sandbox.port.postMessage({ op: "socket", socket: params.socket, state: params.state, code: params.code, reason: params.reason });
        return {};
      case "sandbox.message":
        sandbox.port.postMessage({ op: "message", socket: params.socket, data: params.data });
        return {};
    }
    throw failure("ProtocolError", `the extension knows no ${method}`, { code: -32601 });
  }

  /** @param {string} link @param {any} params */
  async open(link, params) {
    if (this.context.paused()) throw failure("PausedError", "the person has paused this browser: resume it in the extension's popup");
    const key = `${params.sandbox} ${link}`;
    this.close(key);
    const sandbox = new Sandbox(link, params.sandbox, this.context);
    this.sandboxes.set(key, sandbox);
    try {
      if (this.sandboxes.size === 1) await this.context.callWorker("sandbox.worlds", { on: true }, link);
      if (this.sandboxes.get(key) !== sandbox) throw refusal("Inspected target navigated or closed");
      await sandbox.open(params);
    } catch (error) {
      this.close(key);
      throw error;
    }
    return {};
  }

  /** @param {string} key */
  close(key) {
    const sandbox = this.sandboxes.get(key);
    if (!sandbox) return {};
    this.sandboxes.delete(key);
    sandbox.end();
    if (this.sandboxes.size === 0) this.context.callWorker("sandbox.worlds", { on: false }, sandbox.link).catch(() => {});
    return {};
  }

  /** The link has ended, and its sandboxes with it. @param {string} link */
  drop(link) {
    for (const [key, sandbox] of this.sandboxes) if (sandbox.link === link) this.close(key);
  }
}
