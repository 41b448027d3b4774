/** Socket.IO with connection state recovery: a room per user, a `chunk` event per line that comes in. */
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Server } from 'socket.io';
import { listen } from './listen.ts';

const http = createServer(async (request, response) => {
  const user = /^\/outbound\/(.+)$/.exec(request.url ?? '')?.[1];
  if (user === undefined) return void response.end('ok');
  for await (const line of createInterface({ input: request })) {
    const { event, ...payload } = JSON.parse(line);
    io.to(user).emit(event, payload);
  }
  response.end('ok');
});

const io = new Server(http, {
  connectionStateRecovery: { maxDisconnectionDuration: 120_000 },
  transports: ['websocket'],
});
io.on('connection', (socket) => socket.join(String(socket.handshake.query['user'])));
await listen(http);
