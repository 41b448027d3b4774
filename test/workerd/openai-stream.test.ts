import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { chunk, internal, openLines, post, request, someone, tokenOf } from './harness.ts';

/** A `/v1` stream over what may happen to its object while a client reads (P-OA-4, P-OA-6). */
class Stream {
  readonly id: string;
  readonly datas: string[] = [];
  /** The connection has ended, and well. */
  ended = false;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = '';

  constructor(response: Response) {
    this.id = response.headers.get('x-request-id') ?? '';
    if (!response.body) throw new Error('no body');
    this.#reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** A stream of the demo's `silent` scene: what it says is the test's to post. */
  static async open(): Promise<Stream> {
    const response = await request('/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenOf(someone())}` },
      body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'silent' }] }),
    });
    expect(response.status).toBe(200);
    return new Stream(response);
  }

  get stub() {
    return env.REQUEST_STREAM.getByName(this.id);
  }

  get channel(): string {
    return `sse:${this.id}`;
  }

  async #read(): Promise<boolean> {
    const { done, value = '' } = await this.#reader.read();
    const blocks = (this.#rest + value).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) this.datas.push(...(/^data: (.*)$/m.exec(block)?.slice(1) ?? []));
    this.ended = done;
    return !done;
  }

  async until(text: string): Promise<void> {
    while (!this.text.includes(text))
      if (!(await this.#read())) throw new Error(`it ended with "${this.text}"`);
  }

  async toItsEnd(): Promise<void> {
    while (await this.#read());
  }

  get events(): {
    choices?: { delta: { content?: string }; finish_reason: string | null }[];
    error?: object;
  }[] {
    return this.datas.flatMap((data) => (data === '[DONE]' ? [] : [JSON.parse(data)]));
  }

  get text(): string {
    return this.events.map(({ choices }) => choices?.[0]?.delta.content ?? '').join('');
  }

  get finishes(): string[] {
    return this.events.flatMap(({ choices }) => choices?.[0]?.finish_reason ?? []);
  }
}

const lose: [string, (stream: Stream) => Promise<void>][] = [
  ['a crash of its object', () => abortAllDurableObjects()],
  ['its object going to sleep', ({ stub }) => evictDurableObject(stub)],
];

describe('P-OA-6 a stream goes on', () => {
  test.each(lose)('P-OA-6 over %s, in the same response and to its one end', async (_, interrupt) => {
    const stream = await Stream.open();
    const { id, channel } = stream;
    for (const word of ['one ', 'two ', 'three ']) {
      await post('', [{ channel, ...chunk(id, word) }]);
      await stream.until(word);
      await interrupt(stream);
    }
    expect(await internal(`/turns/${id}`)).toMatchObject({ status: 'running' });
    await post('', [{ channel, kind: 'done' }]);
    await stream.toItsEnd();
    expect(stream.text).toBe('one two three ');
    expect(stream.finishes).toEqual(['stop']);
    expect(stream.datas.filter((data) => data === '[DONE]')).toEqual(stream.datas.slice(-1));
  });

  test('P-OA-6 over crashes while text comes that was shown before it was stored', async () => {
    const stream = await Stream.open();
    const { id, channel } = stream;
    const lines = openLines('');
    let text = '';
    for (let i = 0; i < 20; i += 1) {
      const word = `${i} 😀 `;
      text += word;
      await lines.write({ channel, ...chunk(id, word) });
      await stream.until(`${i} `);
      if (i % 5 === 2) await abortAllDurableObjects();
    }
    await lines.write({ channel, kind: 'done' });
    await lines.end();
    await stream.toItsEnd();
    expect(stream.text).toBe(text);
    expect(stream.finishes).toEqual(['stop']);
  });
});

describe('DESIGN 4 what a stream costs', () => {
  test('DESIGN 4 its text is shown at once and stored now and then', async () => {
    const stream = await Stream.open();
    const { id, channel, stub } = stream;
    // Stored when it is answered, and so there is a table to look at.
    await post('', [{ channel, ...chunk(id, 'first ') }]);
    await stream.until('first ');
    const lines = openLines('');
    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec('CREATE TABLE writes (n)');
      storage.sql.exec(
        'CREATE TRIGGER written AFTER INSERT ON texts BEGIN INSERT INTO writes VALUES (1); END',
      );
    });
    for (let i = 0; i < 60; i += 1) {
      await lines.write({ channel, ...chunk(id, `${i} `) });
      await stream.until(` ${i} `);
    }
    const writes = await runInDurableObject(stub, (_, { storage }) =>
      storage.sql.exec('SELECT * FROM writes').toArray(),
    );
    expect(writes.length).toBeLessThan(10);
    await lines.write({ channel, kind: 'done' });
    await lines.end();
    await stream.toItsEnd();
    expect(stream.finishes).toEqual(['stop']);
  });
});

describe('P-OA-4 a stream whose object is gone for good', () => {
  test('P-OA-4 says so and ends cleanly, without a finish reason', async () => {
    const stream = await Stream.open();
    await post('', [{ channel: stream.channel, ...chunk(stream.id, 'so far') }]);
    await stream.until('so far');
    await runInDurableObject(stream.stub, (_, state) => state.storage.deleteAll());
    await abortAllDurableObjects();
    await stream.toItsEnd();
    expect(stream.ended).toBe(true);
    expect(stream.datas.at(-1)).toBe('[DONE]');
    expect(stream.events.at(-1)).toEqual({
      error: {
        message: 'The stream was interrupted.',
        type: 'server_error',
        param: null,
        code: 'internal',
      },
    });
    expect(stream.finishes).toEqual([]);
  });
});
