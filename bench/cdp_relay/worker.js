// The browser's end of the plain relay: a socket in the worker, chrome.debugger, JSON.parse and JSON.stringify.
/** Target id → the attach that was begun. @type {Map<string, Promise<void>>} */
const attached = new Map();

function attach(targetId) {
  if (!attached.has(targetId)) attached.set(targetId, chrome.debugger.attach({ targetId }, "1.3"));
  return attached.get(targetId);
}

async function connect() {
  const { relay } = await (await fetch("config.json")).json();
  const socket = new WebSocket(`${relay}/extension`);
  socket.onclose = () => setTimeout(connect, 200);
  socket.onmessage = async ({ data }) => {
    const { id, target, method, params } = JSON.parse(data);
    try {
      await attach(target);
      const result = await chrome.debugger.sendCommand({ targetId: target }, method, params);
      socket.send(JSON.stringify({ id, result }));
    } catch (error) {
      socket.send(JSON.stringify({ id, error: { code: -32000, message: error.message } }));
    }
  };
}

connect();
