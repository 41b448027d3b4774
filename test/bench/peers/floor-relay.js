/** The floor of this design: a Worker reads the lines and sends them to an object with hibernating sockets, which forwards them. */
import { DurableObject } from 'cloudflare:workers';

export class Room extends DurableObject {
  async fetch(request) {
    const [client, server] = Object.values(new WebSocketPair());
    const source = new URL(request.url).pathname === '/ingest';
    this.ctx.acceptWebSocket(server, [source ? 'source' : 'session']);
    if (!source) server.send('{"type":"ready"}');
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(_, message) {
    for (const socket of this.ctx.getWebSockets('session')) socket.send(message);
  }
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (!/^\/(ws|outbound)\//.test(pathname)) return new Response('not found', { status: 404 });
    const room = env.Room.getByName(pathname.split('/').at(-1));
    if (request.headers.get('upgrade') === 'websocket') return room.fetch(request);
    const { webSocket } = await room.fetch('https://room/ingest', { headers: { upgrade: 'websocket' } });
    webSocket.accept();
    const decoder = new TextDecoder();
    const reader = request.body.getReader({ mode: 'byob' });
    let carry = '';
    let read = await reader.read(new Uint8Array(65_536));
    for (; !read.done; read = await reader.read(new Uint8Array(read.value.buffer))) {
      const whole = carry + decoder.decode(read.value, { stream: true });
      const end = whole.lastIndexOf('\n');
      if (end > 0) webSocket.send(whole.slice(0, end));
      carry = whole.slice(end + 1);
    }
    webSocket.close(1000);
    return new Response('ok');
  },
};
