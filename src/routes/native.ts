import { Hono } from 'hono';
import { attachHeaders } from '../objects/attach-request.ts';
import { formatPosition, type Position, parsePosition } from '../protocol/cursor.ts';
import { CLOSE, type ErrorBody, StarwireError } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import { type AppEnv, type Ctx, use } from './app.ts';
import { attachOf, relayOf } from './attach.ts';
import { keyHolds, requireToken, requireUser } from './door.ts';
import { entranceOf } from './entrance.ts';
import { handshakeOf } from './handshake.ts';
import { Relay } from './relay.ts';
import { sse } from './sse.ts';

/** The native socket (section 2) and the same frames as SSE. */
export const native = new Hono<AppEnv>();

native.get('/ws', async (c) => {
  const { token, protocol } = handshakeOf(c);
  let who: Identity;
  try {
    who = await requireToken(c, token);
  } catch (error) {
    // 4001 would sign the user out: an outage of ours is no reason to.
    if (!(error instanceof StarwireError) || error.code === 'internal') throw error;
    return refuseSocket(error.body, protocol);
  }
  const attach = attachHeaders({
    ...attachOf(c, who, 'native'),
    batch: c.req.query('batch') === '1',
    protocol,
    cursor: c.req.query('cursor'),
    turns: c.req.query('turns'),
  });
  return entranceOf(c, who).fetch('https://object/attach', { headers: attach });
});

/** P-WS-3: a browser cannot read a refused handshake, so that the socket opens to say why. No object is touched. */
function refuseSocket(error: ErrorBody, protocol: string | undefined): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  // The contract's word for every bad token at the door; `message` tells an expired one.
  const code = error.code === 'rate_limited' ? error.code : 'unauthorized';
  server.send(JSON.stringify({ type: 'error', ...error, code }));
  server.close(CLOSE[code], code === 'rate_limited' ? 'rate limited' : code);
  return new Response(null, {
    status: 101,
    webSocket: client,
    ...(protocol === undefined ? {} : { headers: { 'sec-websocket-protocol': protocol } }),
  });
}

native.get('/api/events', async (c) => {
  const who = await requireUser(c);
  const { limits } = use(c).config;
  const relay = new Relay(() => entranceOf(c, who), relayOf(c, who, 'sse'), positionOf(c));
  return sse(
    {
      heartbeat_ms: limits.sse_heartbeat_ms,
      heartbeat: 'ping',
      allowed: () => keyHolds(c),
      closed: () => relay.close(),
    },
    async (writer) => {
      for await (const { frame, json } of relay.frames()) {
        const { cursor, turns } = relay.position;
        await writer.event({
          event: frame.type,
          ...(cursor ? { id: formatPosition(cursor, turns) } : {}),
          data: json,
        });
      }
    },
  );
});

/** Where an SSE client stands: `Last-Event-ID`, or `?cursor=`; an id of somebody else's ends in `reset`. */
function positionOf(c: Ctx): Position {
  const id = c.req.header('last-event-id') ?? c.req.query('cursor');
  if (id === undefined || id === '') return { turns: new Map() };
  return parsePosition(id) ?? { cursor: { epoch: 'unknown', seq: 0 }, turns: new Map() };
}
