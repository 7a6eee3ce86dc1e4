/**
 * A script's way into a frame by chrome.debugger; runs in the worker. It switches nothing on and tells no child apart, so that
 * programs that drive the same tab by CDP notice nothing of it.
 * @module
 */
import { sendTo, withDebugger } from "../worker/attachments.js";
import { failure } from "./errors.js";

/** The isolated world from which the document's own is found. */
const WORLD = "any";

/** @typedef {{tab: number, frame: number, world: string, source: string, limit_ms: number}} Injection */

/**
 * Runs the source, which the relay of one document alone listens to, in that document.
 * @param {Injection} injection
 * @returns {Promise<string>} what the wrapper says: "begun", "refused" or "altered: …"
 */
export async function viaDebugger(injection) {
  /** @type {any} */
  let refusal = null;
  let altered = "";
  /** @type {Set<string>} */
  const cut = new Set();
  for (const key of await targetsOf(injection)) {
    try {
      const said = await withDebugger(key, (target, stands) => evaluateIn(target, injection, stands, cut));
      if (said.startsWith("altered:")) altered = said;
      else if (said !== "unheard") return said;
    } catch (error) {
      refusal ??= error;
    }
  }
  if (cut.size > 0) return "begun"; // nobody listens any more: what was cut off has begun
  if (altered) return altered;
  const why = refusal ? `the debugger cannot reach this page: ${refusal.message}` : "the debugger found no way into this frame";
  throw failure("WorldUnavailableError", why);
}

/**
 * The targets in which the frame can be, the likeliest first: the tab, where it has a process in common with the top, else a
 * target of its own, or one of the frames that it lies in.
 * @param {Injection} injection
 * @returns {Promise<import("../worker/attachments.js").Key[]>}
 */
async function targetsOf({ tab, frame }) {
  if (frame === 0) return [tab];
  const frames = (await chrome.webNavigation.getAllFrames({ tabId: tab })) ?? [];
  const urls = [];
  for (let at = frames.find((each) => each.frameId === frame); at && at.frameId !== 0; ) {
    urls.push(at.url);
    const { parentFrameId } = at;
    at = frames.find((each) => each.frameId === parentFrameId);
  }
  const targets = (await chrome.debugger.getTargets()).filter(({ type }) => type === "other");
  return [tab, ...urls.flatMap((url) => targets.filter((target) => target.url === url).map(({ id }) => id))];
}

/**
 * Evaluates in each frame of a target until it was the right one: in all others the source does nothing.
 * @param {chrome.debugger.Debuggee} target
 * @param {Injection} injection
 * @param {() => boolean} stands the attachment is the one that it began with
 * @param {Set<string>} cut the frames ("": the top) whose evaluation was cut off: it may have been carried out
 * @returns {Promise<string>} what the wrapper says
 */
async function evaluateIn(target, { frame, world, source, limit_ms }, stands, cut) {
  // after the time given V8 ends the synchronous part
  const asked = { expression: source, returnByValue: true, allowUnsafeEvalBlockedByCSP: true, timeout: Math.max(1, limit_ms) };
  /** @param {string} name @param {any} [where] */
  const evaluate = async (name, where) => {
    try {
      const said = (await sendTo(target, "Runtime.evaluate", { ...asked, ...where })).result?.value ?? "unheard";
      if (said !== "unheard") cut.delete(name);
      return said;
    } catch (error) {
      if (!stands()) cut.add(name);
      throw error;
    }
  };
  if (frame === 0 && world === "main") return evaluate("");
  const { frameTree } = await sendTo(target, "Page.getFrameTree");
  let altered = "";
  for (const frameId of frame === 0 ? [frameTree.frame.id] : frameIds(frameTree)) {
    const contextId = await contextOf(target, frameId, world).catch((error) => {
      if (frame === 0 || !stands()) throw error;
      return null; // the frame has gone
    });
    const said = contextId === null ? "unheard" : await evaluate(frameId, { contextId });
    if (said.startsWith("altered:")) altered = said; // such a page does not know whether it is meant
    else if (said !== "unheard") return said;
  }
  return altered || "unheard";
}

/**
 * @param {chrome.debugger.Debuggee} target
 * @param {string} frameId
 * @param {string} world
 * @returns {Promise<number>} the execution context
 */
async function contextOf(target, frameId, world) {
  const { executionContextId } = await sendTo(target, "Page.createIsolatedWorld", { frameId, worldName: WORLD });
  if (world !== "main") return executionContextId;
  // Runtime.enable would tell the main world's context, but to a program in the same tab as well. A node is resolved into its
  // main world, and an object's id is "isolate.context.number".
  const { result } = await sendTo(target, "Runtime.evaluate", { contextId: executionContextId, expression: "document" });
  const { node } = await sendTo(target, "DOM.describeNode", { objectId: result.objectId });
  const { object } = await sendTo(target, "DOM.resolveNode", { backendNodeId: node.backendNodeId });
  return Number(object.objectId.split(".")[1]);
}

/** @param {any} tree @returns {string[]} */
function frameIds(tree) {
  return [tree.frame.id, ...(tree.childFrames ?? []).flatMap(frameIds)];
}
