/**
 * What stays of a task in the page: lives in the isolated world of the document, keeps each result until it is acknowledged.
 * @module
 */

/**
 * Makes the relay of this document, or gives the one that is there a further ticket. Self-contained.
 *
 * Up it says, over its port: hello, engine, started, refused, uncompiled, progress, console, sleep, end, pong, ready.
 * Down it is told: run, stop, void, ack, wake, ping.
 * @param {{ticket: string, world: string, run?: any, sandbox?: boolean}} setup `run`: the only run that the holder of the ticket may
 *   begin · `sandbox`: the holder, who is expected already, needs an empty frame, named as the ticket, whose built-ins no page has touched
 */
export function relay(setup) {
  /** @type {any} */
  const scope = globalThis;
  if (!scope.__anyRelay?.alive()) scope.__anyRelay = make(); // the one of an extension since reloaded is deaf
  scope.__anyRelay.expect(setup);
  return true;

  function make() {
    const PIECE = 4_000_000; // UTF-16 units; a message of the runtime carries 64 MiB
    const EVENTS_KEPT = 2000;
    const RUNS_KEPT = 5000;
    const ROOM_MS = 10_000;
    /** @type {Map<string, EventTarget>} by world */
    const channels = new Map();
    /**
     * Every run this document has seen, so that none begins twice.
     * @type {Map<string, {state: "expected"|"running"|"ended"|"void", note: any, deadline: number|null, channel: EventTarget|null, end: any,
     *   unsaid: any[], sleeps: Map<number, number>, lines: number}>}
     */
    const runs = new Map();
    /** @type {chrome.runtime.Port|null} */
    let port = null;
    let dead = false;
    let wait = 100;
    /** @type {Map<number, string>} */
    const pieces = new Map();
    let lastPiece = 0;
    /** @type {Map<string, Element>} by ticket */
    const sandboxes = new Map();

    function connect() {
      if (port || dead) return;
      try {
        port = chrome.runtime.connect({ name: "any-relay:1" });
      } catch {
        return orphaned();
      }
      const mine = port;
      mine.onMessage.addListener(receive);
      mine.onDisconnect.addListener(() => {
        void chrome.runtime.lastError;
        if (port !== mine) return;
        port = null;
        if (!chrome.runtime?.id) return orphaned();
        if (owes()) setTimeout(connect, (wait = Math.min(wait * 2, 5000)));
      });
      const held = [];
      for (const [run, it] of runs) if (it.state === "running" || it.state === "ended") held.push({ run, state: it.state, note: it.note });
      post({ say: "hello", url: location.href, title: document.title, type: document.contentType, ready: document.readyState, runs: held });
      for (const [run, it] of runs) {
        for (const said of it.unsaid.splice(0)) post(said);
        for (const [id, until] of it.sleeps) post({ say: "sleep", run, id, ms: Math.max(0, until - Date.now()) });
        if (it.end) post(it.end);
      }
    }

    /** The extension was reloaded or removed: nobody will come for the results. */
    function orphaned() {
      dead = true;
      for (const [run, it] of runs) {
        if (it.state === "running") down(it.channel, { do: "stop", run, error: { name: "CancelledError", message: "the extension was reloaded" } });
      }
    }

    /** Whether something here must still reach the extension. */
    function owes() {
      for (const it of runs.values()) if (it.state === "running" || it.end) return true;
      return false;
    }

    /** @param {any} message */
    function post(message) {
      if (!port) return false;
      try {
        if (typeof message.text === "string" && message.text.length > PIECE) {
          const id = ++lastPiece;
          const { text, ...rest } = message;
          for (let from = 0; from < text.length; ) {
            let to = Math.min(from + PIECE, text.length);
            if (to < text.length && text.charCodeAt(to - 1) >= 0xd800 && text.charCodeAt(to - 1) < 0xdc00) to--; // never through a pair
            port.postMessage({ say: "piece", id, text: text.slice(from, to) });
            from = to;
          }
          port.postMessage({ ...rest, pieces: id });
        } else port.postMessage(message);
        return true;
      } catch {
        return false;
      }
    }

    /** Says it now, or when the port is back. @param {any} message */
    function tell(message) {
      if (post(message)) return;
      const it = runs.get(message.run);
      if (it && it.unsaid.length < EVENTS_KEPT) it.unsaid.push(message);
    }

    /** @param {EventTarget|null} channel @param {any} message */
    function down(channel, message) {
      channel?.dispatchEvent(new CustomEvent("down", { detail: JSON.stringify(message) }));
    }

    /** @param {string} run @param {any} note @param {number|null} deadline @param {EventTarget|null} channel */
    function know(run, note, deadline, channel) {
      const it = { state: /** @type {any} */ ("expected"), note, deadline, channel, end: null, unsaid: [], sleeps: new Map(), lines: 0 };
      runs.set(run, it);
      if (runs.size > RUNS_KEPT) {
        for (const [name, old] of runs) {
          if (old.note === null && old.state !== "running") runs.delete(name); // acknowledged long ago
          if (runs.size <= RUNS_KEPT) break;
        }
      }
      return it;
    }

    /** @param {{ticket: string, world: string, run?: any, sandbox?: boolean}} given */
    function expect({ ticket, world, run, sandbox }) {
      if (sandbox) return makeRoom(ticket); // it is expected already
      if (run && !runs.has(run.run)) know(run.run, run.note, run.deadline, null);
      document.addEventListener(
        ticket,
        (event) => {
          const channel = /** @type {MouseEvent} */ (event).relatedTarget;
          if (!channel) return;
          event.preventDefault();
          event.stopImmediatePropagation();
          leaveRoom(ticket);
          channel.addEventListener("up", (said) => hear(channel, /** @type {CustomEvent} */ (said)));
          if (run) /** @type {any} */ (runs.get(run.run)).channel ??= channel;
          else {
            channels.set(world, channel);
            tell({ say: "engine", world });
          }
        },
        { once: true, capture: true },
      );
      connect();
    }

    /** @param {string} name */
    function makeRoom(name) {
      const frame = /** @type {HTMLIFrameElement} */ (document.createElementNS("http://www.w3.org/1999/xhtml", "iframe"));
      frame.name = name;
      frame.hidden = true;
      document.documentElement?.append(frame);
      sandboxes.set(name, frame);
      setTimeout(() => leaveRoom(name), ROOM_MS); // nobody comes where the frame's built-ins are out of reach
    }

    /** @param {string} name */
    function leaveRoom(name) {
      sandboxes.get(name)?.remove();
      sandboxes.delete(name);
    }

    /** @param {EventTarget} channel @param {CustomEvent} event */
    function hear(channel, event) {
      const detail = String(event.detail);
      const cut = detail.indexOf("\n");
      let head;
      try {
        head = JSON.parse(detail.slice(0, cut));
      } catch {
        return;
      }
      const it = runs.get(head.run);
      if (!it || it.channel !== channel) return;
      const text = detail.slice(cut + 1);
      switch (head.say) {
        case "begin":
          if (it.state !== "expected" || (it.deadline !== null && Date.now() > it.deadline)) {
            tell({ say: "refused", run: head.run, state: it.state === "expected" ? "late" : it.state });
            if (it.state === "expected") it.state = "void";
            return;
          }
          it.state = "running";
          tell({ say: "started", run: head.run });
          event.preventDefault();
          return;
        case "uncompiled":
          if (it.state !== "expected") return;
          it.state = "void";
          runs.delete(head.run); // nothing of it ran: it may come by another injection
          tell(head);
          return;
        case "address":
          if (URL.canParse(head.url, document.baseURI)) event.preventDefault();
          return;
        case "end":
          if (it.state !== "running") return;
          it.state = "ended";
          if (head.outcome === "next") head.url = new URL(head.url, document.baseURI).href;
          it.end = { ...head, text: head.outcome === "value" || head.outcome === "next" ? text : undefined, page: location.href, title: document.title };
          it.sleeps.clear();
          post(it.end);
          return;
        case "progress":
          if (it.state === "running") tell({ ...head, text });
          return;
        case "console":
          if (it.state === "running" && ++it.lines <= 1000) tell(head);
          return;
        case "sleep":
          if (it.state !== "running") return;
          it.sleeps.set(head.id, Date.now() + head.ms);
          post(head);
      }
    }

    /** @param {any} message */
    function receive(message) {
      wait = 100;
      const it = runs.get(message.run);
      switch (message.do) {
        case "piece":
          pieces.set(message.id, (pieces.get(message.id) ?? "") + message.text);
          return;
        case "run":
          for (const name of ["script", "args", "state"]) {
            if (typeof message[name] === "string") continue;
            const id = message[name].pieces;
            message[name] = pieces.get(id) ?? "";
            pieces.delete(id);
          }
          return begin(message);
        case "stop":
          if (it?.state === "running") down(it.channel, { do: "stop", run: message.run, error: message.error });
          else if (it?.state === "expected") it.state = "void";
          else if (!it) know(message.run, null, null, null).state = "void";
          post({ say: "pong", run: message.run });
          return;
        case "ping":
          post({ say: "pong", run: message.run });
          return;
        case "ack":
          if (it) Object.assign(it, { end: null, unsaid: [], note: null, channel: it.state === "running" ? it.channel : null });
          return;
        case "wake":
          if (it?.sleeps.delete(message.id)) down(it.channel, { do: "wake", run: message.run, id: message.id });
      }
    }

    /** @param {any} message */
    function begin(message) {
      const { run, note, deadline, world, ...rest } = message;
      if (runs.has(run)) return void tell({ say: "refused", run, state: runs.get(run)?.state });
      const channel = channels.get(world) ?? null;
      const it = know(run, note, deadline, channel);
      if (!channel) {
        it.state = "void";
        return void tell({ say: "refused", run, state: "deaf" });
      }
      down(channel, { ...rest, do: "run", run });
      if (it.state === "expected") {
        // the wrapper would not begin, or cannot: it hears nothing once the page may run no script
        it.state = "void";
        tell({ say: "refused", run, state: "deaf" });
      }
    }

    chrome.runtime.onMessage.addListener((message, _sender, respond) => {
      if (message?.any !== "relay") return;
      connect();
      respond({ owes: owes() });
    });
    addEventListener("pageshow", (event) => {
      if (!event.persisted || !event.isTrusted) return;
      port = null; // Chrome has closed it when the page went into the back/forward cache, and does not always say so
      connect();
    });
    addEventListener("pagehide", () => {
      for (const it of runs.values()) if (it.state === "expected") it.state = "void"; // it is given up, also where this page returns
    });
    document.addEventListener("readystatechange", () => void post({ say: "ready", ready: document.readyState }));
    return { expect, alive: () => !dead && Boolean(chrome.runtime?.id) };
  }
}
