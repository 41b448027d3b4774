import { describe, expect, test } from 'vitest';
import type { IngestRequest } from '../../src/channel/ingest.ts';
import { IngestLink } from '../../src/objects/ingest-link.ts';

/** The other end of a link: it answers when the test says so, and may break off. */
class FakeTarget {
  readonly requests: IngestRequest[] = [];
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

  async request(n: number): Promise<IngestRequest> {
    for (;;) {
      const request = this.requests[n];
      if (request) return request;
      await this.#arrived.promise;
    }
  }

  answer(n: number, stored: boolean): void {
    const results = (this.requests[n]?.events ?? []).map(({ n: event }) => ({
      n: event,
      result: { delivered: true },
    }));
    this.#listeners.get('message')?.({ data: JSON.stringify({ answer: { value: { results } }, stored }) });
  }

  lose(): void {
    this.#listeners.get('close')?.({});
  }
}

const chunk = (text: string) => ({ kind: 'chunk' as const, turn: 't', text });
const textsOf = ({ events }: IngestRequest) =>
  events.map(({ event }) => (event.kind === 'chunk' ? event.text : event.kind));

describe('a link into a channel', () => {
  test('P-UP-6 ends when its end was answered, also with events that waited behind a batch', async () => {
    const target = new FakeTarget();
    const link = new IngestLink(
      () => target,
      { key: '~lines 1' },
      () => undefined,
    );
    let ended = false;
    await link.push(0, chunk('a'));
    await target.request(0);
    await link.push(1, chunk('b'));
    const end = link.end().then(() => {
      ended = true;
    });
    target.answer(0, false);
    expect(textsOf(await target.request(1))).toEqual(['b']);
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
    const link = new IngestLink(
      () => target,
      { key: '~lines 1' },
      () => undefined,
    );
    await link.push(0, chunk('a'));
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
});
