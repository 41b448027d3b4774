import { StarwireError } from './errors.ts';

const FIRST_MS = 200;
const LONGEST_MS = 5_000;

/** The wait before attempt `n + 1`: doubling, and spread, so that many bots do not come back at one moment. */
export function delayMs(n: number, random: number = Math.random()): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** n) * (0.5 + random / 2);
}

/** How long to try, and what ends it early. */
export interface Patience {
  /** From the first failure in a row to giving up. */
  retry_ms: number;
  signal?: AbortSignal | undefined;
}

/** An attempt that lasted as long was a connection that worked: what fails after it is a failure anew. */
const WORKED_MS = 5_000;

/**
 * Makes attempts until one succeeds, fails for good, or patience is at its end: then its last error is thrown. Only for what
 * may be repeated.
 */
export async function retrying<T>(attempt: () => Promise<T>, { retry_ms, signal }: Patience): Promise<T> {
  let failures = 0;
  let failing_since = Date.now();
  for (;;) {
    const began = Date.now();
    try {
      return await attempt();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (!(error instanceof StarwireError) || !error.retryable) throw error;
      const now = Date.now();
      if (failures === 0 || now - began > WORKED_MS) {
        failures = 0;
        failing_since = now;
      }
      const wait = Math.max(delayMs(failures), (error.details.retry_after ?? 0) * 1000);
      if (now + wait - failing_since > retry_ms) throw error;
      failures += 1;
      await pause(wait, signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  });
}
