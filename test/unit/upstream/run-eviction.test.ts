import { describe, expect, test } from 'vitest';
import type { TurnStatus } from '../../../src/protocol/server-frames.ts';
import { type RunPorts, type RunRecord, TurnRun } from '../../../src/upstream/run.ts';
import type { Call, ReplyEvent } from '../../../src/upstream/upstream.ts';
import { deliveryOf } from './run-harness.ts';

/**
 * Everything that outlives the turn's object: its storage, the channel (which counts an event once by its name and place, as
 * the real one does), and the upstream. The object itself can be lost at any place where it waits.
 */
class Outside {
  now = 0;
  status: TurnStatus = 'queued';
  readonly applied = new Map<string, ReplyEvent>();
  ends = 0;
  calls = 0;
  #stored: string | undefined;
  #waits = 0;
  /** The wait at which the object is lost; none where it is not reached. */
  readonly #lostAt: number;
  readonly #repeatable: boolean;
  readonly #lost = Promise.withResolvers<void>();

  constructor(lostAt: number, repeatable: boolean) {
    this.#lostAt = lostAt;
    this.#repeatable = repeatable;
  }

  get reached(): boolean {
    return this.#waits >= this.#lostAt;
  }

  /** Resolves when the object was lost. */
  get lost(): Promise<void> {
    return this.#lost.promise;
  }

  /** A place where the object waits: before the effect, or after it and before it is told. */
  async #wait<T>(effect: () => T): Promise<T> {
    await this.#pass();
    const value = effect();
    await this.#pass();
    return value;
  }

  async #pass(): Promise<void> {
    this.#waits += 1;
    if (this.#waits !== this.#lostAt) return;
    this.#lost.resolve();
    await new Promise<never>(() => undefined);
  }

  object(): TurnRun {
    const call: Call = (_, options) => this.#answer(options.accepted);
    const ports: RunPorts = {
      load: () => (this.#stored === undefined ? undefined : JSON.parse(this.#stored)),
      save: (record: RunRecord) => {
        this.#stored = JSON.stringify(record);
      },
      now: () => this.now,
      call,
      history: async () => [],
      attachments: () => [],
      repeatable: this.#repeatable,
      sink: (name) => {
        let place = 0;
        return {
          push: (event) => {
            const key = `${name} ${place++}`;
            return this.#wait(() => this.#apply(key, event));
          },
          end: () => this.#wait(() => undefined),
          status: undefined,
          refused: undefined,
        };
      },
      attempted: () => this.#wait(() => this.status),
    };
    return new TurnRun(ports);
  }

  #apply(key: string, event: ReplyEvent): void {
    if (this.applied.has(key) || this.status === 'completed' || this.status === 'failed') return;
    this.applied.set(key, event);
    if (event.kind === 'done' || event.kind === 'error') this.ends += 1;
    this.status = event.kind === 'done' ? 'completed' : event.kind === 'error' ? 'failed' : 'running';
  }

  /** The upstream gives the same answer to the same delivery. */
  async *#answer(accepted: () => void): AsyncGenerator<ReplyEvent> {
    this.calls += 1;
    await this.#pass();
    accepted();
    for (const text of ['one ', 'two ', 'three']) yield { kind: 'chunk', text };
    yield { kind: 'done' };
  }

  get text(): string {
    return [...this.applied.values()].map((event) => (event.kind === 'chunk' ? event.text : '')).join('');
  }
}

/** Runs the turn; the object is lost at the given wait, and its alarm finds what it left. */
async function play(lostAt: number, repeatable: boolean): Promise<Outside> {
  const outside = new Outside(lostAt, repeatable);
  const first = outside.object();
  first.add(deliveryOf(), 'turn_1');
  await Promise.race([first.run(), outside.lost]);
  const next = outside.object();
  for (let rings = 0; next.due !== undefined && rings < 10; rings += 1) {
    outside.now = Math.max(outside.now, next.due);
    await next.run();
  }
  expect(next.due).toBeUndefined();
  return outside;
}

describe('an object that is lost at any place where it waits', () => {
  for (const repeatable of [true, false]) {
    const name = repeatable
      ? 'webhook: the whole answer, once'
      : 'generation: one end, nothing generated twice';
    test(`P-WS-7 P-UP-3 ${name}`, async () => {
      let places = 0;
      for (let lostAt = 1; ; lostAt += 1) {
        const outside = await play(lostAt, repeatable);
        if (!outside.reached) break;
        places += 1;
        expect(outside.ends, `lost at ${lostAt}`).toBe(1);
        if (repeatable) {
          expect(outside.status, `lost at ${lostAt}`).toBe('completed');
          expect(outside.text, `lost at ${lostAt}`).toBe('one two three');
        } else {
          expect(outside.calls, `lost at ${lostAt}`).toBe(1);
          expect('one two three'.startsWith(outside.text), `lost at ${lostAt}`).toBe(true);
        }
      }
      // The call, four events, the end, and the report that it was accepted, each before and after.
      expect(places).toBeGreaterThan(10);
    });
  }
});
