import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Watch } from '../../../src/upstream/bridge/watch.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Work that the watch can break off, as a fetch or a read of a body. */
const never = ({ signal }: Watch) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
const within = async (watch: Watch, ms: number) => {
  const work = watch.within(ms, never(watch));
  work.catch(() => undefined);
  return work;
};

test('each wait has its own time, however long others took before', async () => {
  const watch = new Watch(new AbortController().signal);
  for (let n = 0; n < 10; n += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait = watch.within(100, promise);
    await vi.advanceTimersByTimeAsync(99);
    resolve();
    await wait;
  }
  const late = within(watch, 100);
  const refused = expect(late).rejects.toThrow('aborted');
  await vi.advanceTimersByTimeAsync(99);
  expect(watch.timedOut).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(watch.timedOut).toBe(true);
  await refused;
});

test('a shorter wait after a longer one ends in its own time', async () => {
  const watch = new Watch(new AbortController().signal);
  await watch.within(60_000, Promise.resolve());
  const refused = expect(within(watch, 10)).rejects.toThrow('aborted');
  await vi.advanceTimersByTimeAsync(10);
  await refused;
});

test('between waits, and once the call is over, no time runs', async () => {
  const watch = new Watch(new AbortController().signal);
  await watch.within(10, Promise.resolve());
  await vi.advanceTimersByTimeAsync(1_000);
  expect(watch.timedOut).toBe(false);
  await watch.within(10, Promise.resolve());
  watch.end();
  expect(vi.getTimerCount()).toBe(0);
});
