import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { StarwireError } from '../../../src/adapter/errors.ts';
import { delayMs, retrying } from '../../../src/adapter/retry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const lost = (retry_after?: number) =>
  new StarwireError('unreachable', 'no answer', {
    retryable: true,
    details: retry_after === undefined ? {} : { retry_after },
  });

/** Runs attempts that fail as `failures` say, and gives the times at which they were made. */
async function attempts(
  failures: unknown[],
  { retry_ms = 60_000, lasting_ms = 0, signal = undefined as AbortSignal | undefined } = {},
) {
  const began = Date.now();
  const times: number[] = [];
  const outcome = retrying(
    async () => {
      times.push(Date.now() - began);
      if (lasting_ms > 0) await new Promise((resolve) => setTimeout(resolve, lasting_ms));
      const failure = failures[times.length - 1];
      if (failure) throw failure;
      return 'done';
    },
    { retry_ms, signal },
  ).catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  return { times, outcome: await outcome };
}

describe('the wait before another attempt', () => {
  test('doubles from 0.2 s up to 5 s', () => {
    expect([0, 1, 2, 3, 4, 5, 9].map((n) => delayMs(n, 1))).toEqual([
      200, 400, 800, 1_600, 3_200, 5_000, 5_000,
    ]);
  });

  test('is spread over its second half', () => {
    expect(delayMs(3, 0)).toBe(800);
    expect(delayMs(3, 0.5)).toBe(1_200);
  });
});

describe('attempts', () => {
  test('are made until one succeeds', async () => {
    const { times, outcome } = await attempts([lost(), lost()]);
    expect(outcome).toBe('done');
    expect(times).toHaveLength(3);
  });

  test('are not repeated where the failure is final', async () => {
    const final = new StarwireError('not_found', 'no such turn', { status: 404 });
    expect(await attempts([final])).toEqual({ times: [0], outcome: final });
    const fault = new TypeError('of the program');
    expect(await attempts([fault])).toEqual({ times: [0], outcome: fault });
  });

  test('wait as long as they are told to', async () => {
    const { times } = await attempts([lost(7)]);
    expect(times).toEqual([0, 7_000]);
  });

  test('end with patience: the last failure is thrown', async () => {
    const { times, outcome } = await attempts(
      Array.from({ length: 99 }, () => lost()),
      { retry_ms: 20_000 },
    );
    expect(outcome).toMatchObject({ code: 'unreachable' });
    expect(times.at(-1)).toBeLessThanOrEqual(20_000);
    expect(times.at(-1)).toBeGreaterThan(14_000);
  });

  test('begin anew after a connection that worked', async () => {
    const { times, outcome } = await attempts(
      Array.from({ length: 20 }, () => lost()),
      {
        retry_ms: 1_000,
        lasting_ms: 6_000,
      },
    );
    expect(outcome).toBe('done');
    expect(times).toHaveLength(21);
  });

  test('end at once when they are aborted', async () => {
    const abort = new AbortController();
    const reason = new StarwireError('cancelled', 'the turn was cancelled');
    setTimeout(() => abort.abort(reason), 100);
    const { times, outcome } = await attempts([lost(30)], { signal: abort.signal });
    expect(outcome).toBe(reason);
    expect(times).toEqual([0]);
  });
});
