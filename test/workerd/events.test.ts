import { abortAllDurableObjects, evictDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { parsePosition } from '../../src/protocol/cursor.ts';
import type { ServerFrame } from '../../src/protocol/server-frames.ts';
import { chunk, hubOf, openTurn, post, request, someone, tokenOf } from './harness.ts';

/** Reads `GET /api/events`. */
class Events {
  readonly frames: ServerFrame[] = [];
  readonly ids: string[] = [];
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = '';

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async open(user: string, headers: Record<string, string> = {}): Promise<Events> {
    const response = await request('/api/events', {
      headers: { authorization: `Bearer ${await tokenOf(user)}`, ...headers },
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    if (!response.body) throw new Error('no body');
    return new Events(response.body);
  }

  async until(fits: (frame: ServerFrame) => boolean): Promise<void> {
    while (!this.frames.some(fits)) {
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`the stream ended: ${JSON.stringify(this.frames)}`);
      const blocks = (this.#rest + value).split('\n\n');
      this.#rest = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    const id = /^id: (.*)$/m.exec(block)?.[1];
    if (id !== undefined) this.ids.push(id);
    if (data !== undefined) this.frames.push(JSON.parse(data));
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }

  get entries(): number[] {
    return this.frames.flatMap((frame) =>
      'seq' in frame && !['welcome', 'ready', 'reset'].includes(frame.type) && !('snapshot' in frame)
        ? [frame.seq]
        : [],
    );
  }

  get text(): string {
    return this.frames.reduce((text, frame) => {
      if (frame.type !== 'chunk') return text;
      expect([0, text.length]).toContain(frame.offset);
      return text.slice(0, frame.offset) + frame.text;
    }, '');
  }
}

describe('SSE relays', () => {
  test.each([
    ['was reset', () => abortAllDurableObjects()],
    ['hibernated', (user: string) => evictDurableObject(hubOf(user))],
  ])('DESIGN 2 go on inside the same response when the object %s', async (_, upset) => {
    const user = someone();
    const events = await Events.open(user);
    await events.until(({ type }) => type === 'ready');
    const turn = await openTurn(user);
    let text = '';
    for (let i = 0; i < 5; i += 1) {
      await post(user, [chunk(turn, `${i} `), { kind: 'message', text: `m${i}` }]);
      text += `${i} `;
      await events.until((frame) => frame.type === 'message' && frame.text === `m${i}`);
      await upset(user);
    }
    await post(user, [{ kind: 'done', turn }]);
    await events.until((frame) => frame.type === 'turn' && frame.status === 'completed');
    await events.close();
    expect(events.entries).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(events.text).toBe(text);
    expect(events.frames.filter(({ type }) => type === 'welcome' || type === 'ready')).toHaveLength(2);
  });

  test('P-WS-8 Last-Event-ID resumes exactly, text of open turns included', async () => {
    const user = someone();
    const first = await Events.open(user);
    await first.until(({ type }) => type === 'ready');
    const turn = await openTurn(user);
    await post(user, [chunk(turn, 'Hello ')]);
    await first.until(({ type }) => type === 'chunk');
    const last = first.ids.at(-1) ?? '';
    expect(parsePosition(last)?.turns.get(turn)).toEqual({ text: 6, reasoning: 0 });
    await first.close();
    await post(user, [chunk(turn, 'world'), { kind: 'message', text: 'between' }]);
    const second = await Events.open(user, { 'last-event-id': last });
    await second.until(({ type }) => type === 'ready');
    expect(second.frames.filter(({ type }) => type === 'chunk')).toMatchObject([
      { offset: 6, text: 'world' },
    ]);
    expect([...first.entries, ...second.entries]).toEqual([1, 2, 3]);
    await second.close();
  });

  test('DESIGN 2 a client that does not read does not stop the others, and gets everything when it does', async () => {
    const user = someone();
    const slow = await Events.open(user);
    const quick = await Events.open(user);
    await quick.until(({ type }) => type === 'ready');
    for (let i = 0; i < 12; i += 1) {
      await post(user, [{ kind: 'message', text: `${i}`.padEnd(100_000, 'x') }]);
      await quick.until((frame) => frame.type === 'message' && frame.text.startsWith(`${i}x`));
    }
    await slow.until((frame) => frame.type === 'message' && frame.text.startsWith('11x'));
    expect(slow.entries).toEqual(quick.entries);
    expect(slow.entries).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await slow.close();
    await quick.close();
  });
});
