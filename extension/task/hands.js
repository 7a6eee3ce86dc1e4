/**
 * The hands of tasks: what the worker does for a task host. It may die at any moment; each of these may be called again.
 * @module
 */
import { fate, gather, picture, replace } from "./fates.js";
import { direct, place, roads } from "./roads.js";
import { aim, close, go, look, open, ordinary, settle } from "./tabs.js";

/** @type {Record<string, import("../types.js").Hand>} */
export const taskHands = {
  "task.aim": aim,
  "task.open": open,
  "task.look": look,
  "task.go": go,
  "task.settle": settle,
  "task.place": place,
  "task.roads": roads,
  "task.direct": direct,
  "task.fate": fate,
  "task.replace": replace,
  "task.picture": picture,
  "task.gather": gather,
  "task.close": close,
  "task.ordinary": ordinary,
};
