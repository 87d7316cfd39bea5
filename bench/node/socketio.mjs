// The same hub on socket.io, with its rooms; with its connection state recovery where clients come back.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { listen, setup, states } from './states.mjs';

const server = createServer();
const io = new Server(server, {
  transports: ['websocket'],
  maxHttpBufferSize: 16 << 20,
  ...(setup.history ? { connectionStateRecovery: {} } : {}),
});

io.on('connection', (socket) => {
  socket.on('join', (identifier) => {
    socket.join(identifier);
    socket.emit('state', states.get(identifier));
  });
  socket.on('update', (identifier, update) => {
    states.set(identifier, { ...states.get(identifier), ...update });
    socket.to(identifier).emit('update', update);
  });
});
listen(server);
