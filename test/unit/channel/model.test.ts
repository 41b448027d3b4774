import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeWorld } from './model/fake-world.ts';
import { Run } from './model/run.ts';
import { type Step, schedules } from './model/schedule.ts';

const RUNS = 10_000;

/** Schedules that once failed. A new failure prints its own: put it here to replay it. */
const FOUND: { what: string; steps: Step[] }[] = [
  { what: 'nothing happens', steps: [] },
  {
    what: 'P-WS-9 the ack and the message of a send went into a dead socket',
    steps: [
      { do: 'send', tab: 0, conversation: 0, lost: true },
      { do: 'attach', tab: 1, from: 'nothing', how: 'plain' },
    ],
  },
  {
    what: 'P-WS-8 a reply was given whole, with more reasoning than the client had',
    steps: [
      { do: 'open' },
      { do: 'chunks', turn: 0, kinds: ['reasoning', 'text'], place: 'none' },
      { do: 'drop', tab: 0 },
      { do: 'chunks', turn: 0, kinds: ['reasoning', 'text', 'reasoning'], place: 'none' },
      { do: 'reply', turn: 0 },
    ],
  },
  {
    what: 'P-WS-6 half a character was acknowledged before a crash',
    steps: [
      { do: 'open' },
      { do: 'chunks', turn: 0, kinds: ['text', 'text'], place: 'none' },
      { do: 'chunks', turn: 0, kinds: ['text'], place: 'none' },
      { do: 'crash' },
      { do: 'chunks', turn: 0, kinds: ['text', 'text', 'text', 'text'], place: 'exact' },
      { do: 'evict' },
      { do: 'chunks', turn: 0, kinds: ['text', 'text', 'text', 'text'], place: 'overlap' },
      { do: 'done', turn: 0, whole: false },
    ],
  },
];

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
    await fc.assert(fc.asyncProperty(schedules({ steps: 40, fake: true }), play), { numRuns: RUNS });
  });

  test.each(FOUND)('$what', async ({ steps }) => {
    await expect(play(steps)).resolves.toBeUndefined();
  });
});
