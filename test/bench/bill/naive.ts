import { NOTHING, type Usage } from '../usage.ts';
import type { Pace } from './service.ts';

/**
 * The same turn in the design that comes to mind first, by arithmetic: the service posts each chunk by a request of its own,
 * which goes on to the user's object; the object stays in memory for the length of the reply, because its sockets are plain
 * ones; each chunk is a row. Beside them the message, the reply and the turn's state, once in the object and once in D1.
 */
export function naiveTurn({ tokens, every_ms }: Pace): Usage {
  const own = 3;
  return {
    ...NOTHING,
    worker_requests: tokens + 1,
    object_requests: tokens + 1,
    active_ms: tokens * every_ms,
    wakes: 1,
    rows_read: tokens,
    rows_written: tokens + own,
    d1_rows_written: own,
  };
}

/** And its idle sockets: a plain socket keeps its object in memory all day. */
export function naiveIdle(sockets: number, ms: number): Usage {
  return { ...NOTHING, active_ms: sockets * ms };
}
