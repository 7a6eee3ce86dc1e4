// A sandbox: a sandboxed page in which a program runs that was written as the service worker of an extension (docs/cdp.md). It has
// origin null, no chrome.* and no network; what it may do goes over one port to sandboxes.js.
(() => {
  /** @type {MessagePort} */
  let port;
  let lastId = 0;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  const asked = new Map();
  const up = (/** @type {any} */ message) => port.postMessage(message);

  /** @param {any} message @param {AbortSignal|null} [signal] @returns {Promise<any>} */
  const ask = (message, signal) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      asked.set(id, { resolve, reject });
      signal?.addEventListener("abort", () => {
        asked.delete(id);
        up({ op: "abort", id });
        reject(signal.reason);
      });
      up({ ...message, id });
    });

  // the pages that the program drives

  /** Commands of our own on the program's sockets; their answers are nobody else's. */
  const OURS = 2_000_000_000;
  let lastOwn = OURS;
  let host = "";
  let extension = "";
  /** What runs in pages as the extension's content scripts. */
  let script = "";
  /** A content script is not put into about: and data: pages; there a script of CDP makes a world of the same kind. */
  const elsewhere = () =>
    `if (!/^(https?|file):/.test(location.protocol)) { globalThis.chrome ??= {}; chrome.dom ??= { openOrClosedShadowRoot: (e) => e.shadowRoot }; ${script}\n}`;
  const once = () => {
    const mark = JSON.stringify(`any-sandbox ${extension}`);
    return `if (!globalThis[Symbol.for(${mark})]) { globalThis[Symbol.for(${mark})] = true; ${script}\n}\n0`;
  };

  /** What one socket tells of pages, and what they are told so that the program finds its content scripts there. */
  class Pages {
    /** @param {(method: string, params: any, sessionId: string) => void} send */
    constructor(send) {
      this.send = send;
      /** @type {Map<string, string>} target of the page by session, also by those of its frames */
      this.targets = new Map();
      /** @type {Set<string>} sessions that know of the script */
      this.told = new Set();
      /** @type {Set<string>} targets in whose present document our world has been asked for */
      this.asked = new Set();
    }

    /** @param {string} text of the program */
    leaving(text) {
      if (!/"(Page\.enable|Runtime\.evaluate|Runtime\.callFunctionOn)"/.test(text)) return;
      const { method, sessionId } = JSON.parse(text);
      if (!sessionId) return;
      if (method === "Page.enable") {
        if (this.told.has(sessionId)) return;
        this.told.add(sessionId);
        this.send("Page.addScriptToEvaluateOnNewDocument", { source: elsewhere(), worldName: "Stagehand Runtime", runImmediately: true }, sessionId);
      } else {
        const target = this.targets.get(sessionId);
        if (!target || this.asked.has(target)) return;
        this.asked.add(target);
        up({ op: "world", target }); // a page that was there before the sandbox
      }
    }

    /** @param {string} text @returns {boolean} whether it answers a command of ours */
    coming(text) {
      if (/^\{"id":2\d{9},/.test(text)) return true;
      if (!/"(Target\.attachedToTarget|Runtime\.executionContextCreated)"/.test(text.slice(0, 200))) return false;
      const { method, params, sessionId } = JSON.parse(text);
      if (method === "Target.attachedToTarget") {
        const page = params.targetInfo.type === "page" ? params.targetInfo.targetId : this.targets.get(sessionId);
        if (page) this.targets.set(params.sessionId, page);
      } else if (method === "Runtime.executionContextCreated") {
        const { id, origin, auxData } = params.context;
        if (auxData?.type === "isolated" && origin === host) this.send("Runtime.evaluate", { contextId: id, expression: once() }, sessionId);
      }
      return false;
    }
  }

  // what a worker finds in its global scope

  /** @type {Map<number, Socket>} */
  const sockets = new Map();

  class Socket extends EventTarget {
    static CONNECTING = 0;
    static OPEN = 1;
    static CLOSING = 2;
    static CLOSED = 3;

    /** @param {string|URL} url */
    constructor(url) {
      super();
      this.url = new URL(url).href;
      this.readyState = Socket.CONNECTING;
      this.binaryType = "blob";
      this.bufferedAmount = 0;
      this.number = ++lastId;
      this.pages = new Pages((method, params, sessionId) => this.pass(JSON.stringify({ id: ++lastOwn, method, params, sessionId })));
      sockets.set(this.number, this);
      up({ op: "dial", socket: this.number, url: this.url });
    }

    /** @param {string} data */
    send(data) {
      if (this.readyState === Socket.CONNECTING) throw new DOMException("Still in CONNECTING state.", "InvalidStateError");
      this.pages.leaving(data);
      this.pass(data);
    }

    /** @param {string} data */
    pass(data) {
      if (this.readyState === Socket.OPEN) up({ op: "send", socket: this.number, data });
    }

    close() {
      if (this.readyState >= Socket.CLOSING) return;
      this.readyState = Socket.CLOSING;
      up({ op: "hang", socket: this.number });
      setTimeout(() => this.closed(1000, ""));
    }

    opened() {
      if (this.readyState !== Socket.CONNECTING) return;
      this.readyState = Socket.OPEN;
      this.tell(new Event("open"));
    }

    /** @param {number} code @param {string} reason */
    closed(code, reason) {
      if (this.readyState === Socket.CLOSED) return;
      const refused = this.readyState === Socket.CONNECTING;
      this.readyState = Socket.CLOSED;
      sockets.delete(this.number);
      if (refused) this.tell(new ErrorEvent("error", { message: reason }));
      this.tell(new CloseEvent("close", { code, reason, wasClean: !refused }));
    }

    /** @param {string} data */
    take(data) {
      if (!this.pages.coming(data)) this.tell(new MessageEvent("message", { data }));
    }

    /** @param {Event} event */
    tell(event) {
      this.dispatchEvent(event);
      /** @type {any} */ (this)[`on${event.type}`]?.(event);
    }
  }

  const inert = { addListener() {}, removeListener() {}, hasListener: () => false };
  const LIMITS = { MAX_NUMBER_OF_SESSION_RULES: 5000, MAX_NUMBER_OF_REGEX_RULES: 1000 };

  /** chrome.<path>: a function that sandboxes.js answers, with its members. @param {string} path @returns {any} */
  const api = (path) =>
    new Proxy(() => {}, {
      get: (_target, key) => {
        const name = String(key);
        if (typeof key === "symbol" || name === "then") return undefined;
        if (/^on[A-Z]/.test(name)) return inert;
        return /** @type {any} */ (LIMITS)[name] ?? api(path ? `${path}.${name}` : name);
      },
      apply: (_target, _self, args) => ask({ op: "chrome", path, args }),
    });

  /** @param {string} hostId */
  const chromeFor = (hostId) => {
    const runtime = {
      id: hostId, // the requests that sandboxes.js makes for it come from there
      getURL: (/** @type {string} */ path) => (path === "blank.html" ? "about:blank" : `sandbox:${path}`),
      getContexts: async () => [],
      onConnect: inert,
      onStartup: inert,
      onInstalled: inert,
      onMessage: inert,
    };
    // A sandbox needs nothing that keeps it awake, which is what an offscreen document would be for.
    return new Proxy({}, { get: (_target, key) => (key === "runtime" ? runtime : key === "offscreen" || typeof key === "symbol" ? undefined : api(key)) });
  };

  /**
   * @param {Record<string, string>} files
   * @returns {(input: any, init?: RequestInit) => Promise<Response>}
   */
  const fetchFor = (files) => async (input, init) => {
    const url = String(input?.url ?? input);
    if (url.startsWith("sandbox:")) {
      const name = url.slice("sandbox:".length);
      return Object.hasOwn(files, name) ? new Response(files[name]) : new Response("", { status: 404 });
    }
    const request = new Request(input, init);
    const body = request.body === null && !(init?.body ?? null) ? undefined : await request.arrayBuffer();
    const { method, headers, signal } = request;
    const answer = await ask({ op: "fetch", url, init: { method, headers: [...headers], body } }, signal);
    const { status, statusText } = answer;
    return new Response([101, 204, 205, 304].includes(status) ? null : answer.body, { status, statusText, headers: answer.headers });
  };

  // what the client asks of it, as CDP's Runtime has it

  let exceptions = 0;

  /** A value as Runtime.RemoteObject. @param {any} value @param {boolean} byValue */
  const remote = (value, byValue) => {
    const type = typeof value;
    if (value === null) return { type, subtype: "null", value };
    if (type === "undefined") return { type };
    if (type === "string" || type === "boolean") return { type, value };
    if (type === "bigint") return { type, unserializableValue: `${value}n`, description: `${value}n` };
    if (type === "number") {
      const description = Object.is(value, -0) ? "-0" : String(value);
      return Number.isFinite(value) && description !== "-0" ? { type, value, description } : { type, unserializableValue: description, description };
    }
    if (byValue && type === "object") {
      const text = JSON.stringify(value);
      return text === undefined ? { type: "undefined" } : { type, value: JSON.parse(text) };
    }
    const subtype = value instanceof Error ? "error" : Array.isArray(value) ? "array" : undefined;
    const description = String(value instanceof Error ? (value.stack ?? value) : type === "object" ? (value.constructor?.name ?? "Object") : value);
    return { type, ...(subtype && { subtype }), ...(type !== "symbol" && { className: value.constructor?.name ?? "Object" }), description };
  };

  /** @param {{expression: string, awaitPromise: boolean, returnByValue: boolean}} params */
  const evaluate = async ({ expression, awaitPromise, returnByValue }) => {
    let text = "Uncaught";
    /** @type {any} */
    let value;
    try {
      // eslint-disable-next-line no-eval -- what a client says with Runtime.evaluate; that is what the sandbox is for
      value = (0, eval)(expression);
      if (awaitPromise) {
        text = "Uncaught (in promise)";
        value = await value;
      }
    } catch (thrown) {
      const exception = remote(thrown, false);
      return { result: exception, exceptionDetails: { exceptionId: ++exceptions, text, lineNumber: 0, columnNumber: 0, exception } };
    }
    return { result: remote(value, returnByValue) };
  };

  // the port

  /** @param {any} message */
  const open = (message) => {
    host = message.host;
    extension = message.extension;
    script = Object.values(message.files).join("\n;\n");
    Object.assign(globalThis, { WebSocket: Socket, fetch: fetchFor(message.files) });
    Object.defineProperty(globalThis, "chrome", { value: chromeFor(message.id), configurable: true, writable: true });
    // A module, from an address of its own: it may say import.meta, which no eval takes.
    const element = document.createElement("script");
    element.type = "module";
    element.src = URL.createObjectURL(new Blob([message.source], { type: "text/javascript" }));
    /** @type {string|null} */
    let problem = null;
    const hear = (/** @type {ErrorEvent} */ event) => (problem ??= `${event.message} (line ${event.lineno})`);
    const told = (/** @type {string|null} */ error) => {
      removeEventListener("error", hear);
      URL.revokeObjectURL(element.src);
      up({ op: "opened", error });
    };
    addEventListener("error", hear);
    element.onload = () => told(problem);
    element.onerror = () => told(problem ?? "the file did not load");
    document.head.append(element);
  };

  /** @param {any} message */
  const hear = (message) => {
    switch (message.op) {
      case "open":
        return open(message);
      case "evaluate":
        return void evaluate(message).then(
          (value) => up({ op: "evaluated", id: message.id, value }),
          () => up({ op: "evaluated", id: message.id, error: "Object couldn't be returned by value" }),
        );
      case "bind":
        /** @type {any} */ (globalThis)[message.name] = (/** @type {any} */ payload) => up({ op: "called", name: message.name, payload: String(payload) });
        return;
      case "told": {
        const call = asked.get(message.id);
        asked.delete(message.id);
        if (message.error === undefined) call?.resolve(message.value);
        else call?.reject(message.network ? new TypeError(message.error) : new Error(message.error));
        return;
      }
      case "socket":
        if (message.state === "open") sockets.get(message.socket)?.opened();
        else sockets.get(message.socket)?.closed(message.code, message.reason);
        return;
      case "message":
        return sockets.get(message.socket)?.take(message.data);
    }
  };

  addEventListener(
    "message",
    (event) => {
      port = event.ports[0];
      port.onmessage = ({ data }) => hear(data);
    },
    { once: true },
  );
})();
