/**
 * The function that runs around the user's script, in the world the script is in.
 * @module
 */

/**
 * Meets the relay of this document and runs scripts for it. Self-contained: its source text is put into pages.
 *
 * Wrapper and relay share the document and nothing else. They meet once, by an event with a name that only they know, which
 * hands over an EventTarget that belongs to no document: from then on the page neither sees nor stops what they say.
 * @param {{ticket: string, run?: any}} setup `run`: run this one only, whose script is `body`
 * @param {((args: any, any: any, console: any) => any)|undefined} body
 * @param {{makeValues: () => {toText: (value: any, name?: string) => {text: string|undefined}, short: (text: string) => string}}} parts
 * @returns {string} "ready": the relay will say what to run · "begun" · "refused": the relay would not have it run ·
 *   "unheard": no relay in this document knows the ticket
 */
export function wrapper(setup, body, parts) {
  const { apply } = Reflect;
  const parse = JSON.parse;
  const { freeze } = Object;
  const Target = EventTarget;
  const Message = CustomEvent;
  const Later = Promise;
  const Observer = MutationObserver;
  const Controller = AbortController;
  const Failure = /** @type {any} */ (Error);
  const TypeFailure = TypeError;
  const Address = URL;
  const Weak = WeakMap;
  const weakGet = Weak.prototype.get;
  const weakSet = Weak.prototype.set;
  const mapGet = Map.prototype.get;
  const mapSet = Map.prototype.set;
  const mapDelete = Map.prototype.delete;
  const mapEach = Map.prototype.forEach;
  const AllMap = Map;
  const dispatch = Target.prototype.dispatchEvent;
  const listen = Target.prototype.addEventListener;
  const detailOf = /** @type {any} */ (Reflect.getOwnPropertyDescriptor(Message.prototype, "detail")).get;
  const findOne = Document.prototype.querySelector;
  const observe = Observer.prototype.observe;
  const unobserve = Observer.prototype.disconnect;
  const abort = Controller.prototype.abort;
  const now = performance.now.bind(performance);
  const asText = String;
  const AsyncFunction = /** @type {any} */ ((async () => {}).constructor);
  const pageConsole = console;
  const { toText, short } = parts.makeValues();
  const heads = parts.makeValues(); // of its own: the script's toJSON may say something in the middle of a walk

  const channel = new Target();
  /** @type {Map<string, any>} */
  const running = new AllMap();

  /** Tells the relay; false where it objects. @param {any} head @param {string} [text] */
  function say(head, text) {
    const detail = heads.toText(head).text + "\n" + (text ?? "");
    return !apply(dispatch, channel, [new Message("up", { detail, cancelable: true })]);
  }

  /** What a thrown value says of itself. @param {any} thrown */
  function told(thrown) {
    const error = { thrown: /** @type {string|null} */ (null), message: "", stack: "" };
    try {
      if ((typeof thrown === "object" || typeof thrown === "function") && thrown && typeof thrown.message === "string") {
        error.thrown = asText(thrown.name || "Error");
        error.message = wellFormed(thrown.message);
        if (typeof thrown.stack === "string") error.stack = wellFormed(thrown.stack);
      } else if (typeof thrown === "string") error.message = wellFormed(thrown);
      else {
        try {
          error.message = short(toText(thrown, "thrown").text ?? "undefined");
        } catch {
          error.message = short(wellFormed(asText(thrown)));
        }
      }
    } catch {
      error.message = "a value that cannot be read";
    }
    return error;
  }

  const repair = String.prototype.toWellFormed;
  /** @param {string} text */
  function wellFormed(text) {
    return apply(repair, text, []);
  }

  /** Where we are, as a stack. */
  function here() {
    const before = Failure.stackTraceLimit;
    try {
      Failure.stackTraceLimit = 8;
      return wellFormed(asText(new Failure().stack));
    } catch {
      return "";
    } finally {
      Failure.stackTraceLimit = before;
    }
  }

  /** The script's own `console`: the page's, and each line is told. @param {string} run */
  function makeConsole(run) {
    const own = Object.create(pageConsole);
    const levels = ["log", "info", "warn", "error", "debug", "trace", "dir", "table", "assert"];
    for (let at = 0; at < levels.length; at++) {
      const name = levels[at];
      const real = /** @type {any} */ (pageConsole)[name];
      own[name] = (/** @type {any[]} */ ...values) => {
        try {
          if (typeof real === "function") apply(real, pageConsole, values);
        } catch {
          // the page's console is its own affair
        }
        if (name === "assert" && values[0]) return;
        const level = name === "assert" ? "error" : name === "trace" || name === "dir" || name === "table" ? "log" : name;
        let text = name === "assert" ? "Assertion failed:" : "";
        for (let each = name === "assert" ? 1 : 0; each < values.length; each++) text += (text ? " " : "") + shown(values[each]);
        if (text.length > 10000) text = text.slice(0, 10000) + "…";
        say({ say: "console", run, level, text: wellFormed(text), stack: here() });
      };
    }
    return own;
  }

  /** @param {any} value */
  function shown(value) {
    try {
      if (typeof value === "string") return value;
      if (typeof value === "object" && value !== null) {
        if (typeof value.stack === "string" && typeof value.message === "string") return value.stack;
        try {
          return toText(value, "value").text ?? "undefined";
        } catch {
          return asText(value);
        }
      }
      return asText(value);
    } catch {
      return "(a value that cannot be shown)";
    }
  }

  /** The `any` of one run. @param {any} run */
  function makeAny(run) {
    const controller = new Controller();
    const { signal } = controller;
    /** @type {Map<number, {resolve: (value?: any) => void, reject: (reason: any) => void}>} */
    const asleep = new AllMap();
    let lastSleep = 0;

    /** @param {number} ms @returns {Promise<void>} */
    function sleep(ms) {
      return new Later((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        if (typeof ms !== "number" || !(ms >= 0)) return reject(new TypeFailure(`any.sleep wants milliseconds, not ${shown(ms)}`));
        const id = ++lastSleep;
        apply(mapSet, asleep, [id, { resolve, reject }]);
        say({ say: "sleep", run: run.run, id, ms: ms < 2147483647 ? ms : 2147483647 });
      });
    }

    /** @param {string|(() => any)} what @param {{timeout?: number}} [options] in milliseconds; the task's own timeout holds anyway */
    function waitFor(what, options) {
      const timeout = options?.timeout;
      const from = now();
      return new Later((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        let over = false;
        let looking = false;
        let again = false;
        const watcher = new Observer(() => look());
        const end = (/** @type {(value: any) => void} */ how, /** @type {any} */ value) => {
          if (over) return;
          over = true;
          apply(unobserve, watcher, []);
          how(value);
        };
        async function look() {
          if (over) return;
          if (looking) return void (again = true);
          looking = true;
          try {
            do {
              again = false;
              const found = typeof what === "function" ? await what() : apply(findOne, document, [what]);
              if (found) return end(resolve, found);
            } while (again && !over);
          } catch (thrown) {
            end(reject, thrown);
          } finally {
            looking = false;
          }
        }
        async function tick() {
          while (!over) {
            const left = timeout === undefined ? 100 : timeout - (now() - from);
            if (left <= 0) {
              const missed = typeof what === "function" ? "the condition did not become true" : `nothing matched ${shown(what)}`;
              const error = new Failure(`any.waitFor: ${missed} within ${timeout} ms`);
              error.name = "TimeoutError";
              return end(reject, error);
            }
            await sleep(left < 100 ? left : 100);
            await look();
          }
        }
        apply(observe, watcher, [document, { subtree: true, childList: true, attributes: true, characterData: true }]);
        look();
        tick().catch((reason) => end(reject, reason));
      });
    }

    /** @param {any} value */
    function progress(value) {
      const { text } = checked(value, "progress");
      if (text === undefined) throw new TypeFailure("any.progress wants a value, not undefined");
      say({ say: "progress", run: run.run }, text);
    }

    /** @param {any} value @param {string} name */
    function checked(value, name) {
      try {
        return toText(value, name);
      } catch (refused) {
        const { name: kind, message } = /** @type {any} */ (refused);
        const error = new TypeFailure(message);
        error.name = kind;
        throw error;
      }
    }

    const nexts = new Weak();
    /** @param {string|URL} url @param {any} [state] */
    function next(url, state) {
      const to = new Address(url, document.baseURI).href;
      const sign = freeze({});
      apply(weakSet, nexts, [sign, { url: to, state: checked(state, "state").text ?? "null" }]);
      return sign;
    }

    return {
      any: { sleep, waitFor, progress, next, signal, state: parse(run.state) },
      /** @param {any} value */
      nextOf: (value) => (typeof value === "object" && value !== null ? apply(weakGet, nexts, [value]) : undefined),
      /** @param {number} id */
      wake(id) {
        const sleeper = apply(mapGet, asleep, [id]);
        apply(mapDelete, asleep, [id]);
        sleeper?.resolve();
      },
      /** @param {{name: string, message: string}} why */
      stop(why) {
        const error = new Failure(why.message);
        error.name = why.name;
        apply(abort, controller, [error]);
        apply(mapEach, asleep, [(/** @type {any} */ sleeper) => sleeper.reject(error)]);
      },
    };
  }

  /**
   * Runs one script; its end is told to the relay.
   * @param {any} run
   * @param {((args: any, any: any, console: any) => any)|undefined} script
   * @returns {string}
   */
  function start(run, script) {
    if (!script) {
      try {
        script = new AsyncFunction("args", "any", "console", `${run.script}\n//# sourceURL=${run.source}`);
      } catch (thrown) {
        say({ say: "uncompiled", run: run.run, error: told(thrown) });
        return "uncompiled";
      }
    }
    const tools = makeAny(run);
    const args = parse(run.args);
    if (!say({ say: "begin", run: run.run })) return "refused";
    apply(mapSet, running, [run.run, tools]);
    carry(run.run, tools, /** @type {any} */ (script), args);
    return "begun";
  }

  /**
   * @param {string} run
   * @param {ReturnType<typeof makeAny>} tools
   * @param {(args: any, any: any, console: any) => any} script
   * @param {any} args
   */
  async function carry(run, tools, script, args) {
    /** @type {any} */ let head;
    /** @type {string|undefined} */ let text;
    try {
      const value = await script(args, tools.any, makeConsole(run));
      const next = tools.nextOf(value);
      if (next) {
        head = { outcome: "next", url: next.url };
        text = next.state;
      } else {
        text = toText(value).text;
        head = { outcome: text === undefined ? "undefined" : "value" };
      }
    } catch (thrown) {
      const refused = /** @type {any} */ (thrown);
      let own = false;
      try {
        own = refused?.refused === true;
      } catch {
        // a thrown proxy that throws
      }
      if (own) {
        const { name, message, path, hint } = refused;
        head = { outcome: "refused", error: { name, message: wellFormed(asText(message)), path: wellFormed(asText(path)), hint } };
      } else head = { outcome: "threw", error: told(thrown) };
    }
    apply(mapDelete, running, [run]);
    say({ say: "end", run, ...head }, text);
  }

  apply(listen, channel, [
    "down",
    (/** @type {Event} */ event) => {
      const message = parse(apply(detailOf, event, []));
      if (message.do === "run") return void start(message, undefined);
      const tools = apply(mapGet, running, [message.run]);
      if (message.do === "wake") tools?.wake(message.id);
      else if (message.do === "stop") tools?.stop(message.error);
    },
  ]);
  const meeting = new MouseEvent(setup.ticket, { cancelable: true, relatedTarget: channel });
  if (apply(dispatch, document, [meeting])) return "unheard";
  return setup.run ? start(setup.run, body) : "ready";
}
