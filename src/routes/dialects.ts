import { Hono } from 'hono';
import type { Dialect } from '../dialects/dialect.ts';
import { type AppEnv, type Ctx, use } from './app.ts';
import { relayOf } from './attach.ts';
import { requireToken } from './door.ts';
import { entranceOf } from './entrance.ts';
import { handshakeOf } from './handshake.ts';
import { Interpreter } from './interpreter.ts';
import { Relay } from './relay.ts';

/** What the clients of another system connect to: all that a dialect has (section 7). */
export interface Surface {
  /** Its sockets: where they are, and the words that are spoken there. */
  readonly socket?: Dialect<unknown>;
  /** Its routes over HTTP, and what their addresses begin with. */
  readonly http?: { readonly at: string; readonly routes: Hono<AppEnv> };
}

/** The routes of all dialects that are spoken. */
export function dialects(spoken: Readonly<Record<string, Surface>>): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const { socket, http } of Object.values(spoken)) {
    // Before its sockets: an address like `/api/v1/chat/list` is no flow's.
    if (http) app.route(http.at, http.routes);
    if (socket) for (const path of socket.sockets) app.get(path, (c) => interpreted(c, socket));
  }
  return app;
}

/** Opens a socket of a dialect; who it is may be known only with its first frame (P-DI-1). */
function interpreted<S>(c: Ctx, dialect: Dialect<S>): Response {
  const { token, protocol } = handshakeOf(c, dialect);
  const { config } = use(c);
  const { 0: client, 1: server } = new WebSocketPair();
  const interpreter = new Interpreter(server, dialect, {
    door: { path: c.req.param(), query: c.req.query() },
    limits: config.limits,
    token,
    verify: (shown) => requireToken(c, shown),
    relay: (who) => new Relay(() => entranceOf(c, who), relayOf(c, who, dialect.name), { turns: new Map() }),
    newId: () => crypto.randomUUID(),
  });
  server.accept();
  c.executionCtx.waitUntil(interpreter.run());
  return new Response(null, {
    status: 101,
    webSocket: client,
    ...(protocol === undefined ? {} : { headers: { 'sec-websocket-protocol': protocol } }),
  });
}
