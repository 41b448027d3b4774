import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OpenFiles } from '../../../src/objects/open-files.ts';

const PATIENCE_MS = 15_000;
/** How long a process of ours keeps an object's files after it was woken for a connection. */
const AWAKE_MS = 12_000;

/** Clients that come at these times and stay; `most`: the most files that were open at any moment. */
function crowd(limit: number, times: readonly number[]) {
  const files = new OpenFiles(limit);
  const comings: { came: number; woken: number }[] = [];
  let refused = 0;
  const entering: { at: number; object: string }[] = [];
  for (const [n, now] of [...times].sort((a, b) => a - b).entries()) {
    for (const { object } of entering.filter(({ at }) => at <= now)) {
      files.hold(object, 1);
      files.entered();
    }
    entering.splice(0, entering.length, ...entering.filter(({ at }) => at > now));
    const wait_ms = files.enter(`user ${n}`, now, PATIENCE_MS);
    if (wait_ms === undefined) refused += 1;
    else {
      comings.push({ came: now, woken: now + wait_ms });
      entering.push({ at: now + wait_ms, object: `user ${n}` });
    }
  }
  const moments = comings.flatMap(({ came, woken }) => [came, woken]);
  const openAt = (now: number): number =>
    comings.reduce(
      (sum, { came, woken }) =>
        sum + (came <= now ? 2 : 0) + (woken <= now && woken > now - AWAKE_MS ? 3 : 0),
      0,
    );
  return {
    refused,
    longest: Math.max(0, ...comings.map(({ came, woken }) => woken - came)),
    most: Math.max(0, ...moments.map(openAt)),
  };
}

const AT_ONCE = Array.from({ length: 5_000 }, () => 0);

describe('the files of one machine', () => {
  test('whoever comes in while there is room does not wait', () => {
    expect(crowd(20_000, AT_ONCE.slice(0, 2_500))).toMatchObject({ refused: 0, longest: 0 });
  });

  test('5,000 users at once fit into 20,000 files, which they would need 25,000 of', () => {
    const { refused, longest, most } = crowd(20_000, AT_ONCE);
    expect(refused).toBe(0);
    expect(longest).toBeLessThanOrEqual(PATIENCE_MS);
    expect(most).toBeLessThan(20_000);
  });

  test('whoever comes when, there are never more files open than there may be', async () => {
    await fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 3_000 }),
        fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 600 }),
        (limit, times) => {
          expect(crowd(limit, times).most).toBeLessThan(limit - 100);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('tabs of one user wake one object', () => {
    const files = new OpenFiles(400);
    for (let tab = 0; tab < 60; tab += 1) expect(files.enter('somebody', 0, PATIENCE_MS)).toBe(0);
  });

  test('clients that left make room', () => {
    const files = new OpenFiles(400);
    const come = (now: number): number => {
      for (let n = 0; ; n += 1) if (files.enter('somebody', now, PATIENCE_MS) === undefined) return n;
    };
    const many = come(0);
    files.hold('one', many);
    for (let n = 0; n < many; n += 1) files.entered();
    expect(files.enter('somebody', 0, PATIENCE_MS)).toBeUndefined();
    files.hold('one', 0);
    expect(come(0)).toBe(many);
  });

  test('where nothing names a limit, nobody waits and nothing is counted', () => {
    expect(crowd(Number.POSITIVE_INFINITY, AT_ONCE)).toMatchObject({ refused: 0, longest: 0 });
    expect(new OpenFiles().limited).toBe(false);
  });
});
