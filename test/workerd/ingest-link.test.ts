import { describe, expect, test } from 'vitest';
import { IngestLink } from '../../src/objects/ingest-link.ts';
import type { Batch } from '../../src/objects/ingest-wire.ts';
import type { OutboundResult } from '../../src/protocol/outbound.ts';

/** The other end of a link: it answers when the test says so, and may break off. */
class FakeTarget {
  readonly requests: Batch[] = [];
  closed = 0;
  #arrived = Promise.withResolvers<void>();
  #listeners = new Map<string, (event: { data?: string }) => void>();

  fetch = async (): Promise<Response> => {
    const socket = {
      accept: () => undefined,
      addEventListener: (type: string, listener: (event: { data?: string }) => void) =>
        this.#listeners.set(type, listener),
      send: (text: string) => {
        this.requests.push(JSON.parse(text));
        this.#arrived.resolve();
        this.#arrived = Promise.withResolvers();
      },
      close: () => {
        this.closed += 1;
      },
    };
    return { status: 101, webSocket: socket } as unknown as Response;
  };

  async request(n: number): Promise<Batch> {
    for (;;) {
      const request = this.requests[n];
      if (request) return request;
      await this.#arrived.promise;
    }
  }

  answer(n: number, stored: boolean, result: OutboundResult = { delivered: true }): void {
    const { events = [], expect: expected } = this.requests[n] ?? {};
    const results = events.map(({ n: event }) => ({ n: event, result }));
    const answer = { answer: { value: { results } }, stored, aside: expected !== undefined };
    this.#listeners.get('message')?.({ data: JSON.stringify(answer) });
  }

  lose(): void {
    this.#listeners.get('close')?.({});
  }
}

const chunk = (text: string) => ({ kind: 'chunk' as const, turn: 't', text });
const textsOf = ({ events }: Batch) =>
  events.flatMap(({ event, more = [] }) => (event.kind === 'chunk' ? [event.text, ...more] : event.kind));

const linkTo = (
  target: FakeTarget,
  onResult: (n: number, result: OutboundResult) => void = () => undefined,
) => new IngestLink(() => target, { key: '~lines 1' }, onResult);

describe('a link into a channel', () => {
  test('P-UP-6 ends when its end was answered, also with events that waited behind a batch', async () => {
    const target = new FakeTarget();
    const link = linkTo(target);
    let ended = false;
    link.push(0, chunk('a'));
    link.flush();
    await target.request(0);
    link.push(1, { kind: 'done', turn: 't', text: 'b' });
    link.flush();
    const end = link.end().then(() => {
      ended = true;
    });
    target.answer(0, false);
    expect(textsOf(await target.request(1))).toEqual(['done']);
    target.answer(1, true);
    expect((await target.request(2)).end).toBe(true);
    expect(target.requests.slice(0, 2).map((one) => one.end)).toEqual([false, false]);
    expect(ended).toBe(false);
    target.answer(2, true);
    await end;
    expect(target.closed).toBe(1);
  });

  test('P-UP-7 an end whose answer is lost says nothing twice: the channel has forgotten the request', async () => {
    const target = new FakeTarget();
    const link = linkTo(target);
    link.push(0, chunk('a'));
    link.flush();
    await target.request(0);
    const end = link.end();
    target.answer(0, false);
    const store = await target.request(1);
    expect([store.store, store.end, store.events]).toEqual([true, false, []]);
    target.answer(1, true);
    expect((await target.request(2)).end).toBe(true);
    target.lose();
    const again = await target.request(3);
    expect([again.end, again.events]).toEqual([true, []]);
    target.answer(3, true);
    await end;
  });

  /** A link whose first chunk was answered. */
  async function begun() {
    const target = new FakeTarget();
    const told: [number, OutboundResult][] = [];
    const link = linkTo(target, (n, result) => told.push([n, result]));
    link.push(0, chunk('a'));
    link.flush();
    await target.request(0);
    target.answer(0, false, { id: 'm', delivered: true });
    return { target, link, told };
  }

  test('P-WS-6 a little text goes at once, and is not waited for; what became of it is told with the next answer', async () => {
    const { target, link, told } = await begun();
    link.push(1, chunk('b'));
    link.flush();
    expect((await target.request(1)).expect).toEqual({ id: 'm', delivered: true });
    link.push(2, chunk('c'));
    link.flush();
    await target.request(2);
    expect(told.map(([n]) => n)).toEqual([0]);
    const end = link.end();
    expect([(await target.request(3)).store, target.requests[3]?.expect]).toEqual([true, undefined]);
    target.answer(3, true);
    await target.request(4);
    target.answer(4, true);
    await end;
    expect(told).toEqual([0, 1, 2].map((n) => [n, { id: 'm', delivered: true }]));
  });

  test('P-UP-8 an unexpected result is told for its own events, not for those before or after them', async () => {
    const { target, link, told } = await begun();
    for (const n of [1, 2, 3]) {
      link.push(n, chunk('b'));
      link.flush();
      await target.request(n);
    }
    const error = { code: 'turn_finished', message: 'over', retryable: false } as const;
    target.answer(2, false, { delivered: false, error });
    expect(told).toEqual([
      [0, { id: 'm', delivered: true }],
      [1, { id: 'm', delivered: true }],
      [2, { delivered: false, error }],
    ]);
    link.push(4, { kind: 'done', turn: 't' });
    link.flush();
    await target.request(4);
    target.answer(4, true, { id: 'm', delivered: true });
    expect(told.slice(3).map(([n]) => n)).toEqual([3, 4]);
  });

  test('P-WS-6 much text is waited for, and what comes meanwhile goes together', async () => {
    const { target, link } = await begun();
    link.push(1, chunk('x'.repeat(5_000)));
    link.flush();
    expect((await target.request(1)).expect).toBeUndefined();
    link.push(2, chunk('b'));
    link.push(3, chunk('c'));
    link.flush();
    target.answer(1, false);
    expect(textsOf(await target.request(2))).toEqual(['b', 'c']);
  });

  test('P-UP-7 only what may have arrived is told to come again', async () => {
    const target = new FakeTarget();
    const { fetch } = target;
    target.fetch = async () => {
      target.fetch = fetch;
      throw new Error('no connection');
    };
    const link = linkTo(target);
    link.push(0, chunk('a'));
    link.flush();
    expect((await target.request(0)).again).toBeUndefined();
    target.lose();
    expect((await target.request(1)).again).toBe(true);
  });

  test('P-UP-7 what nobody answered goes again when the socket is lost', async () => {
    const { target, link, told } = await begun();
    link.push(1, chunk('b'));
    link.flush();
    await target.request(1);
    target.lose();
    const again = await target.request(2);
    expect([textsOf(again), again.expect]).toEqual([['a', 'b'], undefined]);
    target.answer(2, true, { delivered: false, duplicate: true });
    expect(told.slice(1)).toEqual([0, 1].map((n) => [n, { delivered: false, duplicate: undefined }]));
  });
});
