import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeWorld } from './model/fake-world.ts';
import { Run } from './model/run.ts';
import { type Step, schedules } from './model/schedule.ts';

const RUNS = 10_000;

async function play(steps: readonly Step[]): Promise<void> {
  const world = new FakeWorld();
  try {
    await new Run(world).play(steps);
  } finally {
    world.close();
  }
}

describe('the model', () => {
  test(`P-WS-4 … P-WS-11, P-UP-6 … P-UP-8 ${RUNS} random schedules: every session sees the journal, no gap, nothing twice, one end per turn`, {
    timeout: 300_000,
  }, async () => {
    await fc.assert(fc.asyncProperty(schedules({ steps: 30, fake: true }), play), { numRuns: RUNS });
  });

  test('the empty schedule converges', async () => {
    await expect(play([])).resolves.toBeUndefined();
  });
});
