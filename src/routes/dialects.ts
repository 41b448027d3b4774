import { Hono } from 'hono';
import type { Dialect } from '../dialects/dialect.ts';
import { DIALECTS } from '../dialects/index.ts';
import { type AppEnv, type Ctx, use } from './app.ts';
import { relayOf } from './attach.ts';
import { bisheng } from './bisheng.ts';
import { requireToken } from './door.ts';
import { entranceOf } from './entrance.ts';
import { handshakeOf } from './handshake.ts';
import { hermes } from './hermes/index.ts';
import { Interpreter } from './interpreter.ts';
import { konstruct } from './konstruct.ts';
import { Relay } from './relay.ts';

/** What the clients of other systems connect to (section 7). */
export const dialects = new Hono<AppEnv>();

// Before the sockets: an address like `/api/v1/chat/list` is no flow's.
dialects.route('/api/v1', bisheng);
dialects.route('/api/portal/chat', konstruct);
dialects.route('/api', hermes);

for (const dialect of DIALECTS)
  for (const path of dialect.sockets) dialects.get(path, (c) => interpreted(c, dialect));

/** Opens a socket of a dialect; who it is may be known only with its first frame (P-DI-1). */
function interpreted<S>(c: Ctx, dialect: Dialect<S>): Response {
  const { name, cookies = [] } = dialect;
  const { token, protocol } = handshakeOf(c, [name, ...cookies]);
  const { config } = use(c);
  const { 0: client, 1: server } = new WebSocketPair();
  const interpreter = new Interpreter(server, dialect, {
    door: { path: c.req.param(), query: c.req.query() },
    limits: config.limits,
    token,
    verify: (shown) => requireToken(c, shown),
    relay: (who) => new Relay(() => entranceOf(c, who), relayOf(c, who, name), { turns: new Map() }),
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
