import { CLOSE, type ErrorCode, type StarwireError } from '../protocol/errors.ts';
import type { Core } from './core.ts';
import { refuse } from './roster.ts';
import type { Session } from './session.ts';

/** Refusals that are the frame's own fault; the rest may happen to anybody. */
const WRONG = new Set<ErrorCode>(['bad_request', 'too_large', 'unauthorized', 'unsupported']);

/** Tells a session of a refusal; too many frames that are wrong, or too fast, end it (P-WS-13, close 4008). */
export function offended(
  { now, ports: { limits } }: Core,
  session: Session,
  error: StarwireError,
  client_id?: string,
): void {
  refuse(session, error, client_id);
  if (error.code === 'rate_limited') {
    if (session.mark('refused', limits.refusals_per_minute, now))
      session.close(CLOSE.rate_limited, 'rate limited');
  } else if (WRONG.has(error.code)) {
    if (session.mark('bad', limits.bad_frames_per_minute, now))
      session.close(CLOSE.policy, 'too many bad frames');
  }
}
