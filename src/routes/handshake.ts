import { bearer } from '../auth/tokens.ts';
import type { Named } from '../dialects/dialect.ts';
import { SUBPROTOCOL } from '../protocol/client-frames.ts';
import { StarwireError } from '../protocol/errors.ts';
import { type Ctx, cookieOf, isUpgrade, requireOrigin } from './app.ts';

/** What a client says as its socket opens. */
export interface Handshake {
  token: string | undefined;
  /** The subprotocol that is selected. */
  protocol: string | undefined;
}

/**
 * Reads a WebSocket handshake; the token comes in `Authorization`, as a subprotocol, or in a cookie of `dialect`. Throws `forbidden`
 * for a foreign `Origin` (P-WS-1), `bad_request` where it is none or has a token in its address (P-WS-2).
 */
export function handshakeOf(c: Ctx, dialect?: Named): Handshake {
  if (!isUpgrade(c)) {
    throw new StarwireError('bad_request', 'this address takes WebSocket connections only');
  }
  requireOrigin(c);
  if (c.req.query('token') !== undefined) {
    throw new StarwireError('bad_request', 'a token does not belong into the address', { field: 'token' });
  }
  const offered = (c.req.header('sec-websocket-protocol') ?? '').split(',').map((one) => one.trim());
  const token =
    bearer(c.req.header('authorization')) ??
    offered.find((one) => one.startsWith('bearer.'))?.slice('bearer.'.length) ??
    (dialect && cookieOf(c, dialect));
  return { token, protocol: offered.includes(SUBPROTOCOL) ? SUBPROTOCOL : undefined };
}
