import { describe, expect, test } from 'vitest';
import { accepts, deliveryOf, fails, failure, Harness, hangs, replies } from './run-harness.ts';

const chunk = { kind: 'chunk', text: 'Hello' } as const;
const done = { kind: 'done' } as const;

/** Has a message delivered under the turn's id. */
function begun(fields: ConstructorParameters<typeof Harness>[0]): Harness {
  const harness = new Harness(fields);
  harness.run.add(deliveryOf(), 'turn_1');
  return harness;
}

/** Lets everything happen that needs no further time. */
const soon = () => new Promise((resolve) => setImmediate(resolve));

describe('P-UP-3 the schedule', () => {
  test('P-UP-3 attempts come after 1, 5, 15 and 60 s under one id, then the turn has failed', async () => {
    const harness = begun({ steps: [fails(failure(true))] });
    await harness.settle();
    expect(harness.made.map(({ at }) => at)).toEqual([0, 1_000, 6_000, 21_000, 81_000]);
    expect(new Set(harness.made.map(({ id }) => id))).toEqual(new Set(['turn_1']));
    expect(harness.events).toMatchObject([{ kind: 'error', type: 'upstream_unreachable' }]);
    expect(harness.run.due).toBeUndefined();
    expect(harness.sinks.every(({ ended }) => ended)).toBe(true);
  });

  test('P-UP-3 a service that is down for a minute, and flaps before, answers each of its messages once', async () => {
    const down = [
      fails(failure(true)),
      fails(failure(true, 2_000)),
      fails(failure(true)),
      fails(failure(true)),
    ];
    const harness = begun({ steps: [...down, replies(chunk, done)] });
    await harness.settle();
    expect(harness.made.map(({ at }) => at)).toEqual([0, 1_000, 6_000, 21_000, 81_000]);
    expect(harness.events).toEqual([chunk, done]);
  });

  test('P-UP-3 Retry-After puts an attempt off, up to two minutes, and never brings it forward', async () => {
    const steps = [30_000, 0, 3_600_000].map((ms) => fails(failure(true, ms)));
    const harness = begun({ steps: [...steps, accepts] });
    await harness.settle();
    expect(harness.made.map(({ at }) => at)).toEqual([0, 30_000, 35_000, 155_000]);
    expect(harness.events).toEqual([]);
  });

  test('P-UP-3 a refusal fails the turn at once', async () => {
    const harness = begun({ steps: [fails(failure(false))] });
    await harness.settle();
    expect(harness.made).toHaveLength(1);
    expect(harness.events).toMatchObject([{ kind: 'error', type: 'upstream_rejected' }]);
  });

  test('P-UP-3 an event of the turn during an attempt that fails ends the retries, and the turn goes on', async () => {
    const harness = begun({ steps: [fails(failure(true))], status: 'running' });
    await harness.settle();
    expect(harness.made).toHaveLength(1);
    expect(harness.events).toEqual([]);
  });

  test('P-UP-3 an event of the turn between attempts ends the retries', async () => {
    const harness = begun({ steps: [fails(failure(true))] });
    await harness.run.run();
    harness.status = 'running';
    await harness.settle();
    expect(harness.made).toHaveLength(1);
    expect(harness.events).toEqual([]);
  });

  test('P-UP-3 a refusal fails the turn also where it is running', async () => {
    const harness = begun({ steps: [fails(failure(false))], status: 'running' });
    await harness.settle();
    expect(harness.events).toMatchObject([{ kind: 'error', type: 'upstream_rejected' }]);
  });

  test.each(['completed', 'failed', 'cancelled', 'expired', undefined] as const)(
    'P-UP-3 a turn that is %s has no further attempts',
    async (status) => {
      const harness = begun({ steps: [fails(failure(true))] });
      await harness.run.run();
      harness.status = status;
      await harness.settle();
      expect(harness.made).toHaveLength(1);
      expect(harness.events).toEqual([]);
    },
  );

  test('P-UP-3 an answer within a running turn is retried, for the turn runs because of its message', async () => {
    const harness = new Harness({ steps: [fails(failure(true)), accepts], status: 'running' });
    harness.run.add(deliveryOf('answer'), 'turn_1.answer');
    await harness.settle();
    expect(harness.made.map(({ at }) => at)).toEqual([0, 1_000]);
    expect(harness.events).toEqual([]);
  });

  test('P-WS-11 a cancellation is retried too, and given up without a word', async () => {
    const harness = new Harness({ steps: [fails(failure(true))], status: 'cancelled' });
    harness.run.add(deliveryOf('cancel'), 'turn_1.cancel');
    await harness.settle();
    expect(harness.made).toHaveLength(5);
    expect(harness.events).toEqual([]);
  });
});

describe('a reply', () => {
  test('P-UP-3 its events go on in order, and the channel learns that it was accepted', async () => {
    const harness = begun({ steps: [replies(chunk, chunk, done)] });
    await harness.settle();
    expect(harness.events).toEqual([chunk, chunk, done]);
    expect(harness.attempted).toEqual([true]);
    expect(harness.sinks).toEqual([{ name: 'turn_1', ended: true }]);
    expect(harness.run.due).toBeUndefined();
  });

  test('P-WS-7 nothing is read behind the end of the turn', async () => {
    const harness = begun({ steps: [replies(chunk, done, chunk, chunk)] });
    await harness.settle();
    expect(harness.events).toEqual([chunk, done]);
  });

  test('P-UP-1 a delivery is made once per id', async () => {
    const harness = begun({ steps: [accepts] });
    harness.run.add(deliveryOf(), 'turn_1');
    await harness.settle();
    expect(harness.made).toHaveLength(1);
  });

  test('P-UP-2 deliveries of a turn go out one after the other', async () => {
    const harness = begun({ steps: [accepts] });
    harness.run.add(deliveryOf('answer'), 'turn_1.answer');
    await harness.settle();
    expect(harness.made.map(({ type }) => type)).toEqual(['message', 'answer']);
  });

  test('P-WS-11 a stopped turn breaks its attempt off, and its cancellation goes out', async () => {
    const harness = begun({ steps: [hangs(chunk), accepts] });
    const running = harness.run.run();
    await soon();
    expect(harness.run.active).toBe(true);
    harness.status = 'cancelled';
    harness.run.stop();
    harness.run.add(deliveryOf('cancel'), 'turn_1.cancel');
    await running;
    await harness.settle();
    expect(harness.made.map(({ type }) => type)).toEqual(['message', 'cancel']);
    expect(harness.events).toEqual([chunk]);
  });

  test('P-UP-3 a channel that fails for a moment gets the same reply again, under the same name', async () => {
    const harness = begun({ steps: [replies(chunk, done)] });
    harness.broken = new Error('the hub was reset');
    await expect(harness.run.run()).rejects.toThrow('the hub was reset');
    harness.broken = undefined;
    await harness.settle();
    expect(harness.made.map(({ at, id }) => [at, id])).toEqual([
      [0, 'turn_1'],
      [1_000, 'turn_1'],
    ]);
    expect(harness.sinks.map(({ name }) => name)).toEqual(['turn_1', 'turn_1']);
    expect(harness.events).toEqual([chunk, done]);
  });
});

describe('P-RUN-2 an object that dies', () => {
  test('before the attempt makes it afterwards', async () => {
    const harness = begun({ steps: [accepts] });
    harness.crash();
    await harness.settle();
    expect(harness.made).toEqual([{ at: 0, id: 'turn_1', type: 'message' }]);
  });

  test('while calling a webhook calls it again under the same id, and the same reply counts once', async () => {
    const harness = begun({ steps: [hangs(chunk), replies(chunk, done)] });
    void harness.run.run();
    await soon();
    harness.crash();
    await harness.settle();
    expect(harness.made.map(({ id }) => id)).toEqual(['turn_1', 'turn_1']);
    // The sink of the same name counts the first event once.
    expect(harness.sinks.map(({ name }) => name)).toEqual(['turn_1', 'turn_1']);
  });

  test('while generating has its turn fail with upstream_stream, and generates nothing twice', async () => {
    const harness = begun({ steps: [hangs(chunk)], repeatable: false });
    void harness.run.run();
    await soon();
    harness.crash();
    await harness.settle();
    expect(harness.made).toHaveLength(1);
    expect(harness.events).toMatchObject([chunk, { kind: 'error', type: 'upstream_stream' }]);
    // A name of its own: under that of the reply it would count as the first event, which has come.
    expect(new Set(harness.sinks.map(({ name }) => name)).size).toBe(2);
  });

  test('between attempts makes the next one when it is due, and not before', async () => {
    const harness = begun({ steps: [fails(failure(true)), accepts] });
    await harness.run.run();
    harness.crash();
    expect(harness.run.due).toBe(1_000);
    await harness.run.run();
    expect(harness.made).toHaveLength(1);
    await harness.settle();
    expect(harness.made.map(({ at }) => at)).toEqual([0, 1_000]);
  });

  test('after the end has nothing left to do', async () => {
    const harness = begun({ steps: [replies(done)] });
    await harness.settle();
    harness.crash();
    expect(harness.run.due).toBeUndefined();
    await harness.settle();
    expect(harness.made).toHaveLength(1);
  });

  test('is looked after while an attempt is under way', async () => {
    const harness = begun({ steps: [hangs()] });
    void harness.run.run();
    await soon();
    expect(harness.run.due).toBe(30_000);
    harness.run.stop();
  });
});

describe('P-UP-8 what the channel refuses', () => {
  const refused = { code: 'too_large', message: '"text" is too long', retryable: false } as const;

  test('P-BR-4 a generation of which something is refused has failed, and says why', async () => {
    const harness = begun({ steps: [replies(chunk, done)], repeatable: false });
    harness.refused = refused;
    await harness.settle();
    expect(harness.events).toMatchObject([
      { kind: 'error', type: 'upstream_stream', message: expect.stringContaining(refused.message) },
    ]);
    expect(harness.run.due).toBeUndefined();
  });

  test('P-UP-8 of the answer to a webhook it spoils nothing else', async () => {
    const harness = begun({ steps: [replies(chunk, done)] });
    harness.refused = refused;
    await harness.settle();
    expect(harness.events).toEqual([]);
    expect(harness.made).toHaveLength(1);
  });
});
