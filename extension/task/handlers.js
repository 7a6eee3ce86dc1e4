/**
 * The handlers of tasks: what the worker does for a task host. It may die at any moment; each of these may be called again.
 * @module
 */
import { aim, go, open, rest, settle } from "./arrivals.js";
import { fate, gather, picture, replace, silence } from "./fates.js";
import { direct, place, injections } from "./injections.js";
import { close, look, ordinary } from "./tabs.js";

/** @type {Record<string, import("../types.js").Handler>} */
export const taskHandlers = {
  "task.aim": aim,
  "task.open": open,
  "task.look": look,
  "task.go": go,
  "task.settle": settle,
  "task.rest": rest,
  "task.place": place,
  "task.injections": injections,
  "task.direct": direct,
  "task.fate": fate,
  "task.silence": silence,
  "task.replace": replace,
  "task.picture": picture,
  "task.gather": gather,
  "task.close": close,
  "task.ordinary": ordinary,
};
