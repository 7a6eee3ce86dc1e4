/**
 * JSON-RPC 2.0 both ways over one WebSocket.
 * @module
 */
import { errorText, notificationText, readHead, resultText } from "./messages.js";

/** @param {string} name @param {string} message @param {object} [more] */
export function failure(name, message, more = {}) {
  return Object.assign(new Error(message), { name }, more);
}

/** Without any message for so long the link is lost. */
const LOST_MS = 40_000;

export class Rpc {
  /**
   * @param {WebSocket} socket open
   * @param {{onRequest: (method: string, params: any) => any, onNotification: (method: string, params: any) => void, onBroken: (why: string) => void,
   *   passOn: (id: string, method: string, text: string) => boolean}} handlers
   *   `onRequest` throws or rejects with an Error that has name, message and further fields; `passOn` is offered each request
   *   of the daemon's own form before it is parsed, and returns true where it takes it
   */
  constructor(socket, handlers) {
    this.socket = socket;
    this.handlers = handlers;
    this.lastId = 0;
    /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
    this.pending = new Map();
    /** When the last message came, by both clocks: one goes on while the machine sleeps, the other cannot be set back. */
    this.heard = { wall: Date.now(), steady: performance.now() };
    socket.onmessage = (event) => this.receive(event.data);
  }

  /** Ends a link on which nothing has come for too long. @returns {boolean} whether it was so */
  endedBySilence() {
    const silence = Math.max(Date.now() - this.heard.wall, performance.now() - this.heard.steady);
    if (silence <= LOST_MS) return false;
    this.handlers.onBroken(`no message for ${Math.round(silence / 1000)} s`);
    return true;
  }

  /** @param {string} text */
  receive(text) {
    if (this.endedBySilence()) return; // after a sleep: the other side has given this link up
    this.heard = { wall: Date.now(), steady: performance.now() };
    const head = readHead(text);
    if (head && this.handlers.passOn(head.id, head.method, text)) return;
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      this.handlers.onBroken("the daemon sent a message that is not JSON");
      return;
    }
    if (typeof message.method === "string") {
      if (message.id === undefined) this.handlers.onNotification(message.method, message.params ?? {});
      else this.answer(message.id, message.method, message.params ?? {});
      return;
    }
    const call = this.pending.get(message.id);
    if (!call) return;
    this.pending.delete(message.id);
    if (message.error) {
      const { code, message: words, data } = message.error;
      call.reject(failure(data?.name ?? "ProtocolError", data?.message ?? words, { ...data, code }));
    } else call.resolve(message.result);
  }

  /**
   * @param {any} id
   * @param {string} method
   * @param {any} params
   */
  async answer(id, method, params) {
    let text;
    try {
      let result = this.handlers.onRequest(method, params);
      if (typeof result?.then === "function") result = await result;
      text = resultText(JSON.stringify(id), result);
    } catch (thrown) {
      text = errorText(JSON.stringify(id), thrown);
    }
    this.sendText(text);
  }

  /**
   * @param {string} method
   * @param {string} paramsText JSON
   * @returns {Promise<any>}
   */
  requestText(method, paramsText) {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.sendText(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${paramsText}}`);
    });
  }

  /** @param {string} method @param {any} params @returns {Promise<any>} */
  request(method, params) {
    return this.requestText(method, JSON.stringify(params));
  }

  /** @param {string} method @param {any} params */
  notify(method, params) {
    this.sendText(notificationText(method, JSON.stringify(params)));
  }

  /** @param {string} text */
  sendText(text) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  /** @param {string} why */
  end(why) {
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { reject } of waiting) reject(failure("LinkLost", why));
  }
}
