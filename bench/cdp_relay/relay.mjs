// The plain relay itself: node relay.mjs PORT. Clients at /devtools/page/TARGET, the extension at /extension.
import WebSocket from "ws";

let extension = null;
let last = 0;
/** Our id → the client's socket and its own id. */
const waiting = new Map();

new WebSocket.Server({ host: "127.0.0.1", port: Number(process.argv[2]), maxPayload: 1 << 28, perMessageDeflate: false }).on("connection", (socket, request) => {
  if (request.url === "/extension") {
    extension = socket;
    console.log("linked");
    socket.on("message", (data) => {
      const { id, ...answer } = JSON.parse(data);
      const { client, its } = waiting.get(id);
      waiting.delete(id);
      client.send(JSON.stringify({ id: its, ...answer }));
    });
    return;
  }
  if (request.url === "/echo") return socket.on("message", (data) => socket.send(data));
  const target = request.url.split("/").pop();
  socket.on("message", (data) => {
    const { id, method, params } = JSON.parse(data);
    waiting.set(++last, { client: socket, its: id });
    extension.send(JSON.stringify({ id: last, target, method, params }));
  });
});
