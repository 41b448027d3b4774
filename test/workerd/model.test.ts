import fc from 'fast-check';
import { describe, test } from 'vitest';
import { Run } from '../unit/channel/model/run.ts';
import { schedules } from '../unit/channel/model/schedule.ts';
import { RealWorld } from './real-world.ts';

const RUNS = 200;

describe('the model against real objects', () => {
  test(`P-WS-4 … P-WS-11, P-UP-6 … P-UP-8 ${RUNS} random schedules: every session sees the journal, no gap, nothing twice, one end per turn`, {
    timeout: 300_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(schedules({ steps: 14, fake: false }), async (steps) => {
        const world = new RealWorld();
        await new Run(world).play(steps);
        world.close();
      }),
      // A failing schedule is shrunk for so long at most.
      { numRuns: RUNS, interruptAfterTimeLimit: 240_000 },
    );
  });
});
