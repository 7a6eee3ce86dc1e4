/**
 * The shapes that the parts of the extension show each other. Types only; nothing here runs.
 * @module
 */

/** @typedef {null|boolean|number|string|any[]|{[key: string]: any}} Json */

/** @typedef {"debug"|"info"|"warn"|"error"} Level */

/**
 * What a handler (a function in the worker) is given besides its params.
 * @typedef {object} HandlerContext
 * @property {string} link address of the daemon that asked, for example "http://127.0.0.1:8766"
 * @property {string} [text] the message that asked, where it came as one
 * @property {(name: string, data: Json, link?: string) => void} emit tells the offscreen document (see worker_port.js)
 */

/**
 * A function in the worker that the offscreen document may call.
 * It throws an Error, or a plain object `{name, message, …}` whose fields reach the caller as they are.
 * @typedef {(params: any, context: HandlerContext) => any} Handler
 */

/**
 * Calls a handler in the worker, waking it first where it sleeps.
 * Rejects with an Error that has the name, message and further fields of what the handler threw;
 * its name is "WorkerLost" where the worker died before it answered (it may have acted or not).
 * @typedef {(method: string, params?: any) => Promise<any>} CallWorker
 */

/**
 * One line of the log: to the console as `[any] …` and to the black box.
 * @typedef {(level: Level, text: string, about?: {task?: string}) => void} Log
 */

/**
 * What a task host may do with its link.
 * @typedef {object} HostLink
 * @property {string} address the daemon's address
 * @property {(method: string, params: Json) => Promise<any>} request rejects with LinkLost when the link is cut first
 * @property {(method: string, params: Json) => void} notify dropped without a word while the link is down
 * @property {(key: string, params: {[name: string]: any}, valueText?: string) => Promise<void>} finish keeps and sends
 *   `task.finish`; resolves once the daemon has it on disk, however many reconnections later. `valueText` is JSON text that is
 *   put as it is into the message as its last member `value`. The same key twice is one message.
 */

/**
 * A task that the offscreen document knows of, as `hello` tells it.
 * @typedef {{task: string, attempt: number, hop: number, state: "received"|"starting"|"running"|"finished"}} Hold
 */

/**
 * A task for the popup.
 * @typedef {{task: string, tab: {id: number, url: string, title: string}|null, since: number}} Running `since`: Date.now()
 */

/**
 * The tasks of one link; task/host.js.
 * @typedef {object} TaskHostLike
 * @property {(method: string, params: any) => Promise<any>} handle task.start, task.cancel, task.forget
 * @property {() => Hold[]} holds
 * @property {() => Running[]} running
 */

export {};
