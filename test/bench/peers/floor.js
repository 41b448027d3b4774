/** The floor of workerd: an object with hibernating sockets that forwards whole lines as they come, and keeps nothing. */
import { DurableObject } from 'cloudflare:workers';

export class Room extends DurableObject {
  async fetch(request) {
    if (request.headers.get('upgrade') === 'websocket') {
      const [client, server] = Object.values(new WebSocketPair());
      this.ctx.acceptWebSocket(server);
      server.send('{"type":"ready"}');
      return new Response(null, { status: 101, webSocket: client });
    }
    const decoder = new TextDecoder();
    const reader = request.body.getReader();
    let carry = '';
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const whole = carry + decoder.decode(read.value, { stream: true });
      const end = whole.lastIndexOf('\n');
      if (end > 0) for (const socket of this.ctx.getWebSockets()) socket.send(whole.slice(0, end));
      carry = whole.slice(end + 1);
    }
    return new Response('ok');
  }

  webSocketMessage() {}
}

export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (!/^\/(ws|outbound|v1)\//.test(pathname)) return new Response('not found', { status: 404 });
    if (pathname === '/v1/chat/completions')
      return fetch(env.UPSTREAM_URL, { method: 'POST', body: request.body });
    return env.Room.getByName(pathname.split('/').at(-1)).fetch(request);
  },
};
