import { CLOSE } from '../protocol/errors.ts';

/** First wait; a restart of the server is over within a few of these. */
const FIRST_MS = 500;
/** No longer than a person looks at a page before reloading it. */
const LONGEST_MS = 15_000;
/** After being told to slow down (4008, 4014, 1008) a quick return would be refused again. */
const SLOW_MS = 30_000;

const SLOW_CODES: ReadonlySet<number> = new Set([CLOSE.rate_limited, CLOSE.too_many_sessions, CLOSE.policy]);

/** Whether a close code asks for a longer pause. */
export function isSlow(code: number): boolean {
  return SLOW_CODES.has(code);
}

/**
 * How long to wait before attempt number `attempt` (0 is the first after a loss). Half of it is random, so that the
 * clients of a restarted server do not return as one.
 */
export function backoffMs(attempt: number, code: number, random: () => number): number {
  const full = isSlow(code)
    ? SLOW_MS * 2 ** Math.min(attempt, 2)
    : Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(full / 2 + (full / 2) * random());
}
