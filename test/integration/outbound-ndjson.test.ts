import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { type Outbound, type Person, refused, useWorld } from './world.ts';

const world = useWorld();

interface Slow {
  write(...lines: object[]): void;
  end(): Promise<Outbound>;
  request: ClientRequest;
}

/** A request whose body is written piece by piece. */
function slow(headers: Record<string, string> = {}): Slow {
  const sent = request(`${world().origin}/internal/outbound`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${world().server.secrets.INTERNAL_TOKEN}`,
      'content-type': 'application/x-ndjson',
      ...headers,
    },
  });
  const answer = once(sent, 'response').then(async ([response]: IncomingMessage[]): Promise<Outbound> => {
    let body = '';
    for await (const chunk of response ?? []) body += String(chunk);
    return JSON.parse(body);
  });
  answer.catch(() => undefined);
  return {
    request: sent,
    write: (...lines) => {
      sent.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    },
    end: () => {
      sent.end();
      return answer;
    },
  };
}

async function talking(): Promise<{ person: Person; client: Client; turn: string; chunk: Chunk }> {
  const person = await world().person();
  const client = await world().connect(person);
  const turn = await world().turn(client);
  const { channel } = person;
  return { person, client, turn, chunk: (text) => ({ channel, turn, kind: 'chunk', text }) };
}
type Chunk = (text: string) => { channel: string; turn: string; kind: string; text: string };

const textOf = (client: Client, turn: string) => client.texts.get(turn)?.text ?? '';

describe('P-UP-4 NDJSON', () => {
  test('is applied as it arrives: each piece is seen before the next one is written', async () => {
    const { client, turn, chunk } = await talking();
    const body = slow();
    let expected = '';
    for (const word of ['one ', 'two ', 'three ', 'four ']) {
      body.write(chunk(word));
      expected += word;
      await client.until(() => textOf(client, turn) === expected || undefined, expected);
    }
    const { results } = await body.end();
    expect(results).toEqual([{ id: client.all('chunk')[0]?.message, delivered: true, count: 4 }]);
    expect((await world().internal(`/turns/${turn}`)).body).toMatchObject({ text_length: expected.length });
  });

  test('a line cut in the middle waits for its end, and no more', async () => {
    const { client, turn, chunk } = await talking();
    const body = slow();
    const line = JSON.stringify(chunk('whole'));
    body.request.write(`${JSON.stringify(chunk('first '))}\n${line.slice(0, 20)}`);
    await client.until(() => textOf(client, turn) === 'first ' || undefined, 'first');
    body.request.write(line.slice(20));
    const { results } = await body.end();
    expect(results).toMatchObject([{ count: 2 }]);
    await client.until(() => textOf(client, turn) === 'first whole' || undefined, 'the whole line');
  });

  test('20,000 chunks in one request: nothing lost, nothing twice, one result', async () => {
    const { client, turn, chunk, person } = await talking();
    const words = Array.from({ length: 20_000 }, (_, n) => `${n} `);
    const lines: object[] = words.map(chunk);
    lines.push({ channel: person.channel, turn, kind: 'done' });
    const { status, body } = await world().ndjson(lines);
    expect(status).toBe(200);
    expect(body.results).toMatchObject([{ count: 20_000, delivered: true }, { delivered: true }]);
    expect(body.results[1]).not.toHaveProperty('count');
    const { text } = await client.frame('message', ({ role }) => role === 'assistant');
    expect(text).toBe(words.join(''));
    expect(textOf(client, turn)).toBe(text);
    await client.frame('turn', ({ status }) => status === 'completed');
    expect(client.durable().map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test('lines for many channels keep the order of each', async () => {
    const people = await Promise.all([0, 1, 2].map(() => talking()));
    const lines = Array.from({ length: 300 }, (_, n) => people[n % 3]?.chunk(`${n} `) ?? '');
    const { body } = await world().ndjson(lines);
    expect(body.results.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(300);
    for (const [at, { client, turn }] of people.entries()) {
      const expected = Array.from({ length: 100 }, (_, n) => `${n * 3 + at} `).join('');
      await client.until(() => textOf(client, turn) === expected || undefined, 'its lines');
    }
  });

  test('P-UP-6 results come in order; only consecutive chunks of one turn share one', async () => {
    const { person, turn, chunk } = await talking();
    const { channel } = person;
    const message = { channel, kind: 'message', text: 'between' };
    const { body } = await world().ndjson([
      chunk('a'),
      chunk('b'),
      message,
      chunk('c'),
      { channel, kind: 'typing', active: true },
      { ...message, text: 'last' },
      { channel, turn, kind: 'done' },
    ]);
    const id = expect.any(String);
    expect(body.results).toEqual([
      { id, delivered: true, count: 2 },
      { id, seq: 4, delivered: true },
      { id, delivered: true, count: 1 },
      { delivered: true },
      { id, seq: 5, delivered: true },
      { id, seq: 7, delivered: true },
    ]);
  });

  test('P-UP-8 bad lines get their error and number; earlier and later lines are applied', async () => {
    const { person, client, turn, chunk } = await talking();
    const { channel } = person;
    const { status, body } = await world().ndjson([
      chunk('a'),
      'not json',
      chunk('b'),
      '',
      '   ',
      { channel, kind: 'chunk', turn: 'turn_none', text: 'x' },
      { channel: 'nowhere', kind: 'message', text: 'x' },
      '[]',
      chunk('c'),
      { channel, kind: 'message' },
      { channel, kind: 'message', text: 'end' },
    ]);
    expect(status).toBe(200);
    expect(body.results).toMatchObject([
      { count: 1 },
      { error: { code: 'bad_request', line: 2 } },
      { count: 1 },
      { error: { code: 'not_found', line: 6 } },
      { error: { code: 'bad_request', line: 7, field: 'channel' } },
      { error: { code: 'bad_request', line: 8 } },
      { count: 1 },
      { error: { code: 'bad_request', line: 10, field: 'text' } },
      { delivered: true },
    ]);
    expect(body.results).toHaveLength(9);
    await client.frame('message', ({ text }) => text === 'end');
    expect(textOf(client, turn)).toBe('abc');
  });

  test('P-UP-8 a refused chunk in a run of good ones is told with its line', async () => {
    const { client, turn, chunk } = await talking();
    const { body } = await world().ndjson([
      { ...chunk('ab'), offset: 0 },
      { ...chunk('zz'), offset: 9 },
      { ...chunk('cd'), offset: 2 },
    ]);
    expect(body.results).toMatchObject([
      { count: 2, delivered: true },
      { delivered: false, error: { code: 'conflict', expected: 2, line: 2 } },
    ]);
    await client.until(() => textOf(client, turn) === 'abcd' || undefined, 'abcd');
  });

  test('an empty body is nothing to do', async () => {
    expect(await world().ndjson([''])).toMatchObject({ status: 200, body: { results: [] } });
    expect(await world().ndjson(['', '', ''])).toMatchObject({ status: 200, body: { results: [] } });
  });

  test('other names of the type are known, with parameters and in any case', async () => {
    const { person } = await talking();
    const line = { channel: person.channel, kind: 'message', text: 'x' };
    for (const type of ['application/x-ndjson; charset=utf-8', 'Application/X-NDJSON', 'application/jsonl'])
      expect(await world().ndjson([line, line], { 'content-type': type })).toMatchObject({
        status: 200,
        body: { results: [{}, {}] },
      });
  });

  test('a turn that ends in the middle refuses what comes behind it, line by line', async () => {
    const { client, turn, chunk } = await talking();
    const body = slow();
    body.write(chunk('so far'));
    await client.until(() => textOf(client, turn) === 'so far' || undefined, 'so far');
    client.send({ type: 'cancel', turn });
    await client.frame('turn', ({ status }) => status === 'cancelled');
    body.write(chunk(' late'), chunk(' later'));
    const { results } = await body.end();
    expect(results).toMatchObject([
      { count: 1 },
      { error: { code: 'turn_finished', line: 2 } },
      { error: { code: 'turn_finished', line: 3 } },
    ]);
  });

  test('an upstream that breaks off: what came is kept, and the rest can be sent behind it', async () => {
    const { client, turn, chunk } = await talking();
    const body = slow();
    body.request.on('error', () => {});
    body.write(chunk('kept '));
    await client.until(() => textOf(client, turn) === 'kept ' || undefined, 'kept');
    body.request.destroy();
    await expect
      .poll(async () => (await world().internal(`/turns/${turn}`)).body)
      .toMatchObject({ text_length: 5, status: 'running' });
    const { body: rest } = await world().ndjson([
      { ...chunk('kept '), offset: 0 },
      { ...chunk('and more'), offset: 5 },
    ]);
    expect(rest.results).toMatchObject([{ count: 2 }]);
    await client.until(() => textOf(client, turn) === 'kept and more' || undefined, 'all of it');
  });

  test('a file in a line is stored and delivered', async () => {
    const { person, client } = await talking();
    const { channel } = person;
    const data = Buffer.alloc(300_000, 7).toString('base64');
    const { body } = await world().ndjson([{ channel, kind: 'file', filename: 'big.bin', data }]);
    expect(body.results).toMatchObject([
      { delivered: true, url: expect.stringContaining('webchat://file/') },
    ]);
    const { url } = await client.frame('file');
    expect((await (await fetch(url)).arrayBuffer()).byteLength).toBe(300_000);
  });

  test('a compressed body is unsupported, not garbage applied line by line', async () => {
    const reply = await world().ndjson([{ channel: 'webchat:x', kind: 'message', text: 'x' }], {
      'content-encoding': 'gzip',
    });
    expect(reply).toMatchObject(refused(415, 'unsupported'));
  });
});
