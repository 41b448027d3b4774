import { beforeAll, describe, expect, test } from 'vitest';
import { useUpstream } from './fake-upstream.ts';
import {
  all,
  apiKey,
  complete,
  type DataEvent,
  events,
  requestIdOf,
  resume,
  send,
  statusOf,
  told,
} from './v1.ts';

/** Streams that are read again, or further: P-OA-7 and P-OA-8. */

const { world, upstream } = useUpstream();
let key: string;

beforeAll(async () => {
  key = await apiKey(world(), 'ada');
});

const STREAM = { stream: true, stream_options: { include_usage: true } };
const TEXTS = ['A text ', 'of several pieces, 😀 and one that is long: ', '漢字\n'.repeat(9_000)];

/** A reply with everything in it whose place a client must not lose. */
function replyTo(id: string): object[] {
  const buttons = [{ label: 'B'.repeat(200), custom_id: 'b' }];
  return [
    { kind: 'chunk', reasoning: true, text: 'First I think.' },
    ...TEXTS.map((text) => ({ kind: 'chunk', text })),
    { kind: 'message', text: `${TEXTS.join('')} And its end.`, buttons },
    { kind: 'done', usage: { input_tokens: 1, output_tokens: 2 } },
  ].map((event) => ({ channel: `sse:${id}`, ...event }));
}

/** A stream that was read to its end. */
async function recorded(): Promise<{ id: string; list: DataEvent[] }> {
  const response = await complete(world(), key, STREAM);
  const id = requestIdOf(response);
  for (const event of replyTo(id)) await send(world(), event);
  return { id, list: await all(response) };
}

/** What a client is told, with texts as short as a failing test can show. */
function briefly(list: readonly DataEvent[]) {
  const brief = (text: string): string => `${text.length}: ${text.slice(0, 40)} … ${text.slice(-40)}`;
  const { content, reasoning, ...others } = told(list);
  return { ...others, content: brief(content), reasoning: brief(reasoning) };
}

/** What is left of a stream after its event number `n`; it always has an end. */
function rest(list: readonly DataEvent[], n: number) {
  return { ...briefly(list.slice(n + 1)), ends: 1, errors: [] };
}

const guessFrom = (id: string): string => `${id.slice(0, -1)}${id.endsWith('A') ? 'B' : 'A'}`;

describe('P-OA-8 GET /v1/streams/{request_id}', () => {
  test('P-OA-8 after every event of a finished stream gives exactly the rest', async () => {
    const { id, list } = await recorded();
    expect(told(list)).toMatchObject({ finishes: ['stop'], ends: 1, errors: [] });
    expect(list.length).toBeGreaterThan(9);
    for (const [n, event] of list.entries()) {
      const again = await all(await resume(world(), key, id, event.id));
      expect(briefly(again), `after event ${n}, ${event.id}`).toEqual(rest(list, n));
    }
    for (const last of [undefined, ''])
      expect(briefly(await all(await resume(world(), key, id, last)))).toEqual(rest(list, -1));
  });

  test('P-OA-8 after every event of a stream under way gives the rest as it comes', async () => {
    const response = await complete(world(), key, STREAM);
    const id = requestIdOf(response);
    const reading = events(response);
    const list: DataEvent[] = [];
    await send(world(), ...replyTo(id).slice(0, 4));
    while (told(list).content !== TEXTS.join('')) list.push((await reading.next()).value);
    const readers = await Promise.all(list.map((event) => resume(world(), key, id, event.id)));
    await send(world(), ...replyTo(id).slice(4));
    for await (const event of reading) list.push(event);
    for (const [n, reader] of readers.entries())
      expect(briefly(await all(reader)), `after event ${n}, ${list[n]?.id}`).toEqual(rest(list, n));
  });

  test('P-OA-8 an event id of a resumed stream resumes as well', async () => {
    const { id, list } = await recorded();
    const again = await all(await resume(world(), key, id, list[Math.floor(list.length / 2)]?.id));
    for (const [n, event] of again.entries())
      expect(briefly(await all(await resume(world(), key, id, event.id)))).toEqual(rest(again, n));
  });

  test('P-OA-8 a stream is there for its own user and for nobody else', async () => {
    const { id, list } = await recorded();
    const last = list[2]?.id;
    for (const token of [
      await apiKey(world(), 'eve'),
      await world().token({ sub: 'ada', tenant: 'other' }),
    ]) {
      const response = await resume(world(), token, id, last);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: 'not_found' } });
    }
    const token = await world().token({ sub: 'ada' });
    expect(briefly(await all(await resume(world(), token, id, last)))).toEqual(rest(list, 2));
  });

  test('P-OA-8 a guessed id is not found, and so is one of another kind', async () => {
    const { id } = await recorded();
    for (const guess of [guessFrom(id), 'req_', 'x', id.replace('req_', 'turn_'), `${id}A`])
      expect((await resume(world(), key, guess)).status).toBe(404);
  });

  test('P-OA-8 an event id that is none is refused, and one of another stream is told in the stream', async () => {
    const [one, other] = await Promise.all([recorded(), recorded()]);
    for (const wrong of ['nonsense', '1.2.3', '../..', `${one.list[1]?.id}!1`]) {
      const response = await resume(world(), key, one.id, wrong);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { param: 'Last-Event-ID', code: 'bad_request' } });
    }
    const foreign = told(await all(await resume(world(), key, one.id, other.list[1]?.id)));
    expect(foreign).toMatchObject({ content: '', finishes: [], errors: [{ code: 'not_found' }], ends: 1 });
  });
});

describe('P-OA-7 Idempotency-Key', () => {
  const body = (content: string) => ({ ...STREAM, messages: [{ role: 'user', content }] });
  const named = (name: string) => ({ headers: { 'idempotency-key': name } });
  const calls = (content: string) => upstream().deliveries.filter(({ body }) => body.text === content);

  test('P-OA-7 the same key and body give the same stream from its start, and one generation', async () => {
    const first = await complete(world(), key, body('once'), named('a'));
    const id = requestIdOf(first);
    await send(world(), ...replyTo(id).slice(0, 3));
    const meanwhile = await complete(world(), key, body('once'), named('a'));
    await send(world(), ...replyTo(id).slice(3));
    const afterwards = await complete(world(), key, body('once'), named('a'));
    expect([requestIdOf(meanwhile), requestIdOf(afterwards)]).toEqual([id, id]);
    const whole = await all(first);
    expect(told(whole)).toMatchObject({ finishes: ['stop'], ends: 1 });
    for (const again of [meanwhile, afterwards]) {
      const list = await all(again);
      expect(briefly(list)).toEqual(briefly(whole));
      expect(list[0]?.data?.created).toBe(whole[0]?.data?.created);
      expect(list[0]?.data?.choices?.[0]?.delta.role).toBe('assistant');
    }
    expect(calls('once')).toHaveLength(1);
  });

  test('P-OA-7 holds for requests that come together', async () => {
    const request = () => complete(world(), key, body('together'), named('b'));
    const together = await Promise.all(Array.from({ length: 8 }, request));
    const [id = '', ...others] = new Set(together.map(requestIdOf));
    expect(others).toEqual([]);
    await send(world(), ...replyTo(id));
    const lists = await Promise.all(together.map(all));
    for (const list of lists) expect(briefly(list)).toEqual(briefly(lists[0] ?? []));
    expect(calls('together')).toHaveLength(1);
  });

  test('P-OA-7 holds with stream: false as well', async () => {
    const request = { ...body('whole'), stream: false };
    const both = [complete(world(), key, request, named('c')), complete(world(), key, request, named('c'))];
    const { body: delivered } = await upstream().first(({ text }) => text === 'whole');
    await send(world(), { channel: delivered.channel_id, kind: 'done', text: 'The answer' });
    const [one, other] = await Promise.all(both.map(async (response) => (await response).json()));
    expect(one).toEqual(other);
    expect(one).toMatchObject({ choices: [{ message: { content: 'The answer' } }] });
    expect(calls('whole')).toHaveLength(1);
  });

  test('P-OA-7 another body under the same key is 422 in the OpenAI shape', async () => {
    const first = await complete(world(), key, body('this'), named('d'));
    const other = await complete(world(), key, body('that'), named('d'));
    expect(other.status).toBe(422);
    expect(await other.json()).toEqual({
      error: {
        message: expect.any(String),
        type: 'invalid_request_error',
        param: null,
        code: 'idempotency_mismatch',
      },
    });
    await first.body?.cancel();
  });

  test('P-OA-7 the same key of somebody else, or in another tenant, is another key', async () => {
    const tokens = [key, await apiKey(world(), 'eve'), await world().token({ sub: 'ada', tenant: 'other' })];
    const responses = await Promise.all(
      tokens.map((token) => complete(world(), token, body('mine'), named('e'))),
    );
    expect(new Set(responses.map(requestIdOf)).size).toBe(3);
    await Promise.all(responses.map((response) => response.body?.cancel()));
  });

  test('P-OA-7 a key of the wrong length is refused', async () => {
    for (const name of ['', 'k'.repeat(256)])
      expect((await complete(world(), key, body('never'), named(name))).status).toBe(400);
    expect(calls('never')).toHaveLength(0);
  });

  test('P-OA-6 the turn goes on though its client has gone, and is there when it comes back', async () => {
    const abort = new AbortController();
    const first = await complete(world(), key, STREAM, { ...named('kept'), signal: abort.signal });
    const id = requestIdOf(first);
    abort.abort();
    await send(world(), ...replyTo(id));
    expect(await statusOf(world(), id)).toBe('completed');
    const again = await complete(world(), key, STREAM, named('kept'));
    expect(told(await all(again))).toMatchObject({ finishes: ['stop'], ends: 1 });
  });
});
