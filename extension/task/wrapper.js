/**
 * The function that runs around the user's script, in the world the script is in.
 * @module
 */

/**
 * Meets the relay of this document and runs scripts for it. Self-contained: its source text is put into pages.
 *
 * Wrapper and relay share the document and nothing else. They meet once, by an event with a name that only they know, which
 * hands over a node that is in no document: from then on the page neither sees nor stops what they say.
 *
 * The page may have replaced any of the language: nothing is used but syntax and what makeNatives has taken. Where the page's own
 * are altered, the relay is asked for a sandbox: an empty frame, whose name is the ticket, that nobody has touched.
 * @param {{ticket: string, run: any}} setup `run`: run this one only, whose script is `body`; or null
 * @param {((args: any, any: any, console: any) => any)|undefined} body
 * @param {{makeNatives: (from: any) => any, makeValues: (natives: any) => ReturnType<typeof import("./values.js").makeValues>}} parts
 * @returns {string} "ready": the relay will say what to run · "begun" · "refused": the relay would not have it run ·
 *   "unheard": no relay in this document knows the ticket · "altered: …": the page has replaced this, and there is no room
 */
export function wrapper(setup, body, parts) {
  const pages = parts.makeNatives(window);
  const sandbox = pages.altered && /** @type {any} */ (window)[setup.ticket];
  const natives = sandbox ? parts.makeNatives(sandbox) : pages;
  if (natives.altered) return "altered: " + pages.altered;
  const { apply, define, describe, getPrototypeOf, isArray, keys, asText } = natives;
  const { Failure, TypeFailure } = natives;
  const { toText, short } = parts.makeValues(natives);
  const asynchronous = async () => {};

  const channel = apply(natives.makeFragment, document, []);
  /** @type {any} by name */ const running = { __proto__: null };

  /** Tells the relay; false where it objects. @param {any} head @param {string} [text] */
  function say(head, text) {
    const event = apply(natives.makeEvent, document, ["CustomEvent"]);
    apply(natives.initCustom, event, ["up", false, true, toText(head).text + "\n" + (text ?? "")]);
    return !apply(natives.dispatch, channel, [event]);
  }

  /** A promise of the language's own, made by syntax alone. @param {(resolve: (value?: any) => void, reject: (reason: any) => void) => void} begin */
  async function later(begin) {
    return await {
      __proto__: null,
      /** @param {(value?: any) => void} resolve @param {(reason: any) => void} reject */
      then(resolve, reject) {
        begin(resolve, reject);
      },
    };
  }

  /** @param {any} Kind @param {string} name @param {string} message */
  function failed(Kind, name, message) {
    const error = new Kind(message);
    define(error, "name", { __proto__: null, value: name, writable: true, enumerable: false, configurable: true });
    return error;
  }

  /** The value of a JSON text, made of the page's own objects and lists. @param {string} text */
  function read(text) {
    const value = natives.parse(text);
    return sandbox ? copied(value) : value;
  }

  /** @param {any} value @returns {any} */
  function copied(value) {
    if (typeof value !== "object" || value === null) return value;
    const copy = isArray(value) ? [] : {};
    const names = keys(value);
    for (let at = 0; at < names.length; at++) {
      const name = names[at];
      define(copy, name, { __proto__: null, value: copied(value[name]), writable: true, enumerable: true, configurable: true });
    }
    return copy;
  }

  /** @param {string} text @param {number} [most] */
  function wellFormed(text, most = 100000) {
    const whole = text.length > most ? apply(natives.slice, text, [0, most]) + "…" : text;
    return apply(natives.toWellFormed, whole, []);
  }

  /** What `look` gives; undefined where the value does not let itself be looked at. @param {() => any} look */
  function tried(look) {
    try {
      return look();
    } catch {
      return undefined;
    }
  }

  /** What a thrown value says of itself. @param {any} thrown */
  function told(thrown) {
    const error = { __proto__: null, thrown: /** @type {string|null} */ (null), message: "", stack: "" };
    const inner = (typeof thrown === "object" && thrown !== null) || typeof thrown === "function";
    /** @type {any} */ let message;
    try {
      message = inner ? thrown.message : undefined;
    } catch {
      error.message = "a value that cannot be read";
      return error;
    }
    if (typeof message === "string") {
      error.thrown = wellFormed(tried(() => asText(thrown.name || "Error")) ?? "Error", 200);
      error.message = wellFormed(message);
      const stack = withPlainStacks(() => tried(() => thrown.stack));
      if (typeof stack === "string") error.stack = wellFormed(stack);
    } else if (typeof thrown === "string") error.message = wellFormed(thrown);
    else {
      const text = tried(() => toText(thrown, "thrown", 10000).text) ?? tried(() => asText(thrown)) ?? "a value that cannot be read";
      error.message = short(wellFormed(text));
    }
    return error;
  }

  /** The page's own Error, which rules over the stacks of its realm. */
  const PageError = tried(() => {
    try {
      return /** @type {any} */ (null).member;
    } catch (thrown) {
      return getPrototypeOf(getPrototypeOf(thrown)).constructor;
    }
  });

  /**
   * What `act` gives while V8 itself writes the stacks, and not a function of the page's.
   * @template T
   * @param {() => T} act
   * @returns {T}
   */
  function withPlainStacks(act) {
    const before = tried(() => describe(PageError, "prepareStackTrace"));
    const there = tried(() => typeof PageError.prepareStackTrace === "function");
    if (there) tried(() => define(PageError, "prepareStackTrace", { __proto__: null, value: undefined, writable: true, configurable: true }));
    try {
      return act();
    } finally {
      if (there && before) tried(() => define(PageError, "prepareStackTrace", before));
      else if (there) tried(() => delete PageError.prepareStackTrace);
    }
  }

  /** Sees that stacks are written while a script runs. @returns {() => void} sets it back */
  function withStacks() {
    const before = tried(() => describe(PageError, "stackTraceLimit"));
    if (tried(() => PageError.stackTraceLimit >= 10)) return () => {};
    tried(() => define(PageError, "stackTraceLimit", { __proto__: null, value: 10, writable: true, enumerable: true, configurable: true }));
    return () => {
      if (before) tried(() => define(PageError, "stackTraceLimit", before));
      else tried(() => delete PageError.stackTraceLimit);
    };
  }

  /** Where we are, as a stack. */
  function here() {
    const stack = withPlainStacks(() => tried(() => new Failure().stack));
    return typeof stack === "string" ? wellFormed(stack) : "";
  }

  /** The script's own `console`: the page's, and each line is told. @param {string} run */
  function makeConsole(run) {
    const real = tried(() => console);
    /** @type {any} */ const own = { __proto__: real ?? null };
    const levels = ["log", "info", "warn", "error", "debug", "trace", "dir", "table", "assert"];
    for (let at = 0; at < levels.length; at++) {
      const name = levels[at];
      const value = (/** @type {any[]} */ ...values) => {
        tried(() => apply(/** @type {any} */ (real)[name], real, values)); // the page's console is its own affair
        if (name === "assert" && values[0]) return;
        const level = name === "assert" ? "error" : name === "trace" || name === "dir" || name === "table" ? "log" : name;
        let text = name === "assert" ? "Assertion failed:" : "";
        for (let each = name === "assert" ? 1 : 0; each < values.length; each++) text += (text ? " " : "") + shown(values[each]);
        say({ __proto__: null, say: "console", run, level, text: wellFormed(text, 10000), stack: here() });
      };
      define(own, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    }
    return own;
  }

  /** @param {any} value @returns {string} */
  function shown(value) {
    if (typeof value === "string") return value;
    if (typeof value === "object" && value !== null) {
      const stack = withPlainStacks(() => tried(() => typeof value.message === "string" && value.stack));
      if (typeof stack === "string") return stack;
      const { text, refused } = toText(value, "value");
      if (!refused) return text ?? "undefined";
    }
    return tried(() => asText(value)) ?? "(a value that cannot be shown)";
  }

  /** What any.next gives: where to go, out of the page's reach. */
  class Next {
    /** @type {{url: string, state: string}} */ #to;
    /** @param {{url: string, state: string}} to */
    constructor(to) {
      this.#to = to;
    }

    /** @param {any} value */
    static of(value) {
      return typeof value === "object" && value !== null && #to in value ? value.#to : undefined;
    }
  }
  const nextOf = Next.of;

  /** The `any` of one run. @param {any} run */
  function makeAny(run) {
    const controller = new natives.Controller();
    const { signal } = controller;
    /** @type {any} why it is to end */ let stopped;
    /** @type {any} by number */ const asleep = { __proto__: null };
    let lastSleep = 0;

    /** @param {number} ms @returns {Promise<void>} */
    function sleep(ms) {
      return later((resolve, reject) => {
        if (stopped) return reject(stopped);
        if (typeof ms !== "number" || !(ms >= 0)) return reject(new TypeFailure(`any.sleep wants milliseconds, not ${shown(ms)}`));
        const id = ++lastSleep;
        asleep[id] = { __proto__: null, resolve, reject };
        say({ __proto__: null, say: "sleep", run: run.run, id, ms: ms < 2147483647 ? ms : 2147483647 });
      });
    }

    /** @param {string|(() => any)} what @param {{timeout?: number}} [options] in milliseconds; the task's own timeout holds anyway */
    function waitFor(what, options) {
      const timeout = options?.timeout;
      return later((resolve, reject) => {
        if (stopped) return reject(stopped);
        let over = false;
        let looking = false;
        let again = false;
        const watcher = new natives.Observer(() => look());
        const end = (/** @type {(value: any) => void} */ how, /** @type {any} */ value) => {
          if (over) return;
          over = true;
          apply(natives.unobserve, watcher, []);
          how(value);
        };
        async function look() {
          if (over) return;
          if (looking) return void (again = true);
          looking = true;
          try {
            do {
              again = false;
              const found = typeof what === "function" ? await what() : apply(natives.findOne, document, [what]);
              if (found) return end(resolve, found);
            } while (again && !over);
          } catch (thrown) {
            end(reject, thrown);
          } finally {
            looking = false;
          }
        }
        /** @param {() => Promise<void>} act */
        const heeding = async (act) => {
          try {
            await act();
          } catch (thrown) {
            end(reject, thrown);
          }
        };
        const everything = { __proto__: null, subtree: true, childList: true, attributes: true, characterData: true };
        apply(natives.observe, watcher, [document, everything]);
        look();
        heeding(async () => {
          while (!over) {
            await sleep(100);
            await look();
          }
        });
        if (timeout === undefined) return;
        heeding(async () => {
          await sleep(timeout > 0 ? +timeout : 0);
          await look();
          const missed = typeof what === "function" ? "the condition did not become true" : `nothing matched ${shown(what)}`;
          end(reject, failed(Failure, "TimeoutError", `any.waitFor: ${missed} within ${timeout} ms`));
        });
      });
    }

    /** @param {any} value */
    function progress(value) {
      const text = checked(value, "progress");
      if (text === undefined) throw new TypeFailure("any.progress wants a value, not undefined");
      say({ __proto__: null, say: "progress", run: run.run }, text);
    }

    /** @param {any} value @param {string} name */
    function checked(value, name) {
      const { text, refused } = toText(value, name);
      if (refused) throw failed(TypeFailure, refused.name, refused.message);
      return text;
    }

    /** @param {string|URL} url @param {any} [state] */
    function next(url, state) {
      const to = wellFormed(`${url}`);
      if (!say({ __proto__: null, say: "address", run: run.run, url: to })) throw new TypeFailure(`any.next wants an address, not ${shown(url)}`);
      return new Next({ url: to, state: checked(state, "state") ?? "null" });
    }

    return {
      __proto__: null,
      any: { sleep, waitFor, progress, next, signal, state: read(run.state) },
      /** @param {number} id */
      wake(id) {
        const sleeper = asleep[id];
        delete asleep[id];
        sleeper?.resolve();
      },
      /** @param {{name: string, message: string}} why */
      stop(why) {
        stopped = failed(Failure, why.name, why.message);
        apply(natives.abort, controller, [stopped]);
        for (const id in asleep) asleep[id].reject(stopped);
      },
    };
  }

  /** @param {any} run @returns {any} the script as a function; what it throws is no SyntaxError where the page lets no text be evaluated */
  function compiled(run) {
    const Kind = /** @type {any} */ (asynchronous.constructor);
    const made = new Kind("args", "any", "console", `${run.script}\n//# sourceURL=${run.source}`);
    if (typeof made !== "function" || getPrototypeOf(made) !== getPrototypeOf(asynchronous)) throw "the page has replaced AsyncFunction";
    return made;
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
        script = compiled(run);
      } catch (thrown) {
        say({ __proto__: null, say: "uncompiled", run: run.run, error: told(thrown) });
        return "uncompiled";
      }
    }
    const tools = makeAny(run);
    const args = read(run.args);
    if (!say({ __proto__: null, say: "begin", run: run.run })) return "refused";
    running[run.run] = tools;
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
    const restore = withStacks();
    try {
      const value = await script(args, tools.any, makeConsole(run));
      const next = nextOf(value);
      if (next) {
        head = { __proto__: null, say: "end", run, outcome: "next", url: next.url };
        text = next.state;
      } else {
        const made = toText(value);
        text = made.text;
        if (made.refused) {
          const { name, message, path, hint } = made.refused;
          const error = { __proto__: null, name, message: wellFormed(message), path: wellFormed(path), hint };
          head = { __proto__: null, say: "end", run, outcome: "refused", error };
        } else head = { __proto__: null, say: "end", run, outcome: text === undefined ? "undefined" : "value" };
      }
    } catch (thrown) {
      head = { __proto__: null, say: "end", run, outcome: "threw", error: told(thrown) };
    }
    restore();
    delete running[run];
    say(head, text);
  }

  apply(natives.listen, channel, [
    "down",
    (/** @type {Event} */ event) => {
      const message = natives.parse(apply(natives.detailOf, event, []));
      if (message.do === "run") return void start(message, undefined);
      const tools = running[message.run];
      if (message.do === "wake") tools?.wake(message.id);
      else if (message.do === "stop") tools?.stop(message.error);
    },
  ]);
  const meeting = apply(natives.makeEvent, document, ["MouseEvent"]);
  apply(natives.initMouse, meeting, [setup.ticket, false, true, null, 0, 0, 0, 0, 0, false, false, false, false, 0, channel]);
  if (apply(natives.dispatch, document, [meeting])) return "unheard";
  return setup.run ? start(setup.run, body) : "ready";
}
