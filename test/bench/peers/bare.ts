/** The practical ceiling: whole lines go to the sockets as they came, without a look at them; nothing is kept. */
import { request as ask, createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { listen } from './listen.ts';

const users = new Map<string, Set<WebSocket>>();

function forward(user: string, bytes: Buffer): void {
  for (const socket of users.get(user) ?? [])
    if (socket.readyState === WebSocket.OPEN) socket.send(bytes, { binary: false });
}

const http = createServer((request, response) => {
  if (request.url === '/v1/chat/completions') {
    const upstream = ask(process.env['UPSTREAM_URL'] ?? '', { method: 'POST' }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(upstream);
    return;
  }
  const user = /^\/outbound\/(.+)$/.exec(request.url ?? '')?.[1] ?? '';
  let carry: Buffer = Buffer.alloc(0);
  request.on('data', (piece: Buffer) => {
    const bytes = carry.length > 0 ? Buffer.concat([carry, piece]) : piece;
    const end = bytes.lastIndexOf('\n');
    if (end > 0) forward(user, bytes.subarray(0, end));
    carry = bytes.subarray(end + 1);
  });
  request.on('end', () => response.end('ok'));
});

const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
sockets.on('connection', (socket, request) => {
  const user = request.url?.slice('/ws/'.length) ?? '';
  const tabs = users.get(user) ?? new Set();
  users.set(user, tabs.add(socket));
  socket.on('close', () => tabs.delete(socket));
  socket.send('{"type":"ready"}');
});
await listen(http);
