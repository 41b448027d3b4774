import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { StorePolicy } from '../../../src/objects/store-policy.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A source whose channel answers that nothing is stored until it is asked to. */
function streaming() {
  const asked: number[] = [];
  const began = Date.now();
  const policy = new StorePolicy(() => asked.push(Date.now() - began));
  return { policy, asked };
}

describe('the storing of streamed text', () => {
  test('is asked for at widening intervals of at most 2 s', () => {
    const { policy, asked } = streaming();
    for (let ms = 0; ms < 10_000; ms += 20) {
      policy.told(policy.due);
      vi.advanceTimersByTime(20);
    }
    const waits = asked.map((at, i) => at - (asked[i - 1] ?? 0));
    expect(waits[0]).toBeGreaterThanOrEqual(250);
    expect(waits[0]).toBeLessThanOrEqual(500);
    expect(waits[1]).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(2_100);
    expect(asked.length).toBeLessThan(8);
  });

  test('is not asked for where everything is stored, nor after the end', () => {
    const { policy, asked } = streaming();
    policy.told(true);
    policy.told(false);
    policy.told(true);
    policy.told(false);
    policy.stop();
    vi.advanceTimersByTime(10_000);
    expect(asked).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
