// A hub on ws, as version 1 of this package was written: states in a Map, a shallow merge, and the properties of the
// update, whole, to everybody else.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { listen, states } from './states.mjs';

const rooms = new Map([...states.keys()].map((identifier) => [identifier, new Set()]));
const server = createServer();
const sockets = new WebSocketServer({ server, maxPayload: 16 << 20 });

sockets.on('connection', (socket) => {
  let identifier;
  socket.on('message', (frame) => {
    const message = JSON.parse(frame.toString());
    if (message.join !== undefined) {
      identifier = message.join;
      rooms.get(identifier).add(socket);
      socket.send(JSON.stringify({ state: states.get(identifier) }));
      return;
    }
    states.set(identifier, { ...states.get(identifier), ...message.update });
    const text = JSON.stringify({ update: message.update });
    for (const other of rooms.get(identifier)) {
      if (other !== socket && other.readyState === 1) other.send(text);
    }
  });
  socket.on('close', () => rooms.get(identifier)?.delete(socket));
  socket.on('error', () => socket.terminate());
});
listen(server);
