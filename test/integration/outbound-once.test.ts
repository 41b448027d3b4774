import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { HistoryPage } from '../../src/protocol/history.ts';
import { type Person, refused, useWorld } from './world.ts';

const world = useWorld();

const key = () => ({ 'idempotency-key': randomUUID() });
const say = ({ channel }: Person, text: string) => ({ channel, kind: 'message', text });
const textsOf = async (person: Person) => {
  const { body } = await world().as<HistoryPage>(person, '/api/conversations/default/messages');
  return body.messages.map((row) => (row.type === 'message' ? row.text : row.filename)).reverse();
};

describe('P-UP-7 chunks with an offset', () => {
  test('text below the stored length is a duplicate, beginning above it conflict with expected', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    const give = (offset: number, text: string) =>
      world().outbound({ channel: person.channel, turn, kind: 'chunk', offset, text });
    expect((await give(0, 'Hello')).body.results).toEqual([{ id: expect.any(String), delivered: false }]);
    expect((await give(0, 'Hello')).body.results).toMatchObject([{ duplicate: true }]);
    expect((await give(3, 'lo, you')).body.results[0]).not.toHaveProperty('duplicate');
    const gap = await give(11, 'x');
    expect(gap).toMatchObject(refused(409, 'conflict', 'offset'));
    expect(gap.body.error).toMatchObject({ expected: 10 });
    expect((await world().internal(`/turns/${turn}`)).body).toMatchObject({ text_length: 10 });
    await world().outbound({ channel: person.channel, turn, kind: 'done' });
    expect(await textsOf(person)).toEqual(['silent', 'Hello, you']);
  });

  test('reasoning has lengths of its own', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    const chunk = { channel: person.channel, turn, kind: 'chunk' };
    await world().outbound({ ...chunk, text: 'abc' });
    expect(await world().outbound({ ...chunk, reasoning: true, offset: 3, text: 'x' })).toMatchObject(
      refused(409, 'conflict', 'offset'),
    );
    await world().outbound({ ...chunk, reasoning: true, offset: 0, text: 'hm' });
    expect((await world().internal(`/turns/${turn}`)).body).toEqual({
      turn,
      channel: person.channel,
      conversation: 'default',
      status: 'running',
      text_length: 3,
      reasoning_length: 2,
    });
  });
});

describe('P-UP-7 Idempotency-Key', () => {
  test('the same body again gives the same ids, marked duplicate, and counts once', async () => {
    const [person, other] = [await world().person(), await world().person()];
    const headers = key();
    const body = [
      say(person, 'one'),
      { channel: person.channel, kind: 'message' },
      say(other, 'two'),
      { channel: person.channel, kind: 'file', filename: 'f.txt', data: btoa('x') },
      say(person, 'three'),
    ];
    const first = await world().outbound(body, headers);
    const second = await world().outbound(body, headers);
    expect(second.status).toBe(200);
    expect(second.body.results).toEqual(
      first.body.results.map((result) =>
        result.error ? result : { ...result, delivered: false, duplicate: true },
      ),
    );
    expect(await textsOf(person)).toEqual(['one', 'f.txt', 'three']);
    expect(await textsOf(other)).toEqual(['two']);
  });

  test('one event: as with many', async () => {
    const person = await world().person();
    const headers = key();
    const first = await world().outbound(say(person, 'once'), headers);
    const second = await world().outbound(say(person, 'once'), headers);
    expect(second.body.results).toEqual([{ ...first.body.results[0], delivered: false, duplicate: true }]);
    expect(await textsOf(person)).toEqual(['once']);
  });

  test('another body is idempotency_mismatch, and nothing of it is applied', async () => {
    const person = await world().person();
    const headers = key();
    await world().outbound([say(person, 'one')], headers);
    expect(await world().outbound([say(person, 'other')], headers)).toMatchObject(
      refused(422, 'idempotency_mismatch'),
    );
    expect(await world().outbound([say(person, 'one'), say(person, 'two')], headers)).toMatchObject(
      refused(422, 'idempotency_mismatch'),
    );
    expect(await textsOf(person)).toEqual(['one']);
  });

  test('the same request many times at once counts once', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const headers = key();
    const body = [say(person, 'a'), say(person, 'b')];
    const replies = await Promise.all(Array.from({ length: 6 }, () => world().outbound(body, headers)));
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
    expect(new Set(replies.map(({ body: { results } }) => results.map(({ id }) => id).join())).size).toBe(1);
    expect(replies.filter(({ body: { results } }) => !results[0]?.duplicate)).toHaveLength(1);
    await client.settled();
    expect(client.all('message').map(({ text }) => text)).toEqual(['a', 'b']);
  });

  test('a key is remembered per channel', async () => {
    const [one, other] = [await world().person(), await world().person()];
    const headers = key();
    await world().outbound(say(one, 'x'), headers);
    expect((await world().outbound(say(other, 'x'), headers)).body.results[0]).not.toHaveProperty(
      'duplicate',
    );
    expect(await textsOf(other)).toEqual(['x']);
  });

  test('chunks without an offset count once as well', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    const headers = key();
    const body = ['a', 'b', 'c'].map((text) => ({ channel: person.channel, turn, kind: 'chunk', text }));
    await world().outbound(body, headers);
    expect((await world().outbound(body, headers)).body.results).toMatchObject(
      body.map(() => ({ duplicate: true })),
    );
    expect((await world().internal(`/turns/${turn}`)).body).toMatchObject({ text_length: 3 });
  });

  test('what was refused may be tried again under the same key', async () => {
    const person = await world().person();
    const headers = key();
    const body = { channel: person.channel, kind: 'edit', id: 'late', text: 'edited' };
    expect((await world().outbound(body, headers)).status).toBe(404);
    await world().outbound({ ...say(person, 'now there'), id: 'late' });
    expect((await world().outbound(body, headers)).body.results).toMatchObject([{ id: 'late' }]);
    expect(await textsOf(person)).toEqual(['edited']);
  });

  test('NDJSON counts by line: a request that goes on from the start adds only what is new', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    const headers = key();
    const chunk = (text: string) => ({ channel: person.channel, turn, kind: 'chunk', text });
    const lines = [chunk('a'), 'bad line', chunk('b'), say(person, 'between')];
    const first = await world().ndjson(lines, headers);
    const second = await world().ndjson([...lines, chunk('c')], headers);
    expect(second.body.results).toMatchObject([
      { count: 1, duplicate: true },
      { error: { line: 2 } },
      { count: 1, duplicate: true },
      { id: first.body.results[3]?.id, duplicate: true },
      { count: 1 },
    ]);
    expect(second.body.results[4]).not.toHaveProperty('duplicate');
    expect((await world().internal(`/turns/${turn}`)).body).toMatchObject({ text_length: 3 });
    expect(await textsOf(person)).toEqual(['silent', 'between']);
  });

  test('NDJSON under a key that named a JSON body is a mismatch for that channel alone', async () => {
    const [one, other] = [await world().person(), await world().person()];
    const headers = key();
    await world().outbound(say(one, 'json'), headers);
    expect(await world().ndjson([say(one, 'line')], headers)).toMatchObject(
      refused(422, 'idempotency_mismatch'),
    );
    const { status, body } = await world().ndjson([say(one, 'line'), say(other, 'line')], headers);
    expect(status).toBe(200);
    expect(body.results).toMatchObject([{ error: { code: 'idempotency_mismatch', line: 1 } }, { seq: 1 }]);
    expect([await textsOf(one), await textsOf(other)]).toEqual([['json'], ['line']]);
  });

  test.each(['', 'k'.repeat(256)])('a key of no or too many characters is bad_request', async (bad) => {
    const headers = { 'idempotency-key': bad };
    const reply = await world().outbound(say(await world().person(), 'x'), headers);
    expect(reply).toMatchObject(refused(400, 'bad_request', 'Idempotency-Key'));
  });
});

describe('P-UP-7 Producer headers', () => {
  const producer = (id: string, epoch: number, seq: number) => ({
    'producer-id': id,
    'producer-epoch': String(epoch),
    'producer-seq': String(seq),
  });

  test('each request counts once, in order; a repetition is answered and not applied', async () => {
    const person = await world().person();
    const id = randomUUID();
    const first = await world().outbound([say(person, 'a')], producer(id, 0, 0));
    expect(first.status).toBe(200);
    expect(first.headers.get('producer-epoch')).toBe('0');
    expect(first.headers.get('producer-seq')).toBe('0');
    const again = await world().outbound([say(person, 'a')], producer(id, 0, 0));
    expect(again).toMatchObject({
      status: 200,
      body: { results: [{ id: first.body.results[0]?.id, duplicate: true }] },
    });
    expect((await world().outbound([say(person, 'b')], producer(id, 0, 1))).status).toBe(200);
    expect((await world().outbound([say(person, 'a')], producer(id, 0, 0))).body.results).toMatchObject([
      { duplicate: true },
    ]);
    expect(await textsOf(person)).toEqual(['a', 'b']);
  });

  test('a gap is 409 and says what is expected', async () => {
    const person = await world().person();
    const id = randomUUID();
    await world().outbound(say(person, 'a'), producer(id, 0, 0));
    const gap = await world().outbound(say(person, 'c'), producer(id, 0, 2));
    expect(gap).toMatchObject(refused(409, 'conflict'));
    expect(gap.headers.get('producer-expected-seq')).toBe('1');
    expect(gap.headers.get('producer-received-seq')).toBe('2');
    expect(await textsOf(person)).toEqual(['a']);
  });

  test('an older epoch is fenced off with 403, a newer one begins at 0', async () => {
    const person = await world().person();
    const id = randomUUID();
    await world().outbound(say(person, 'old'), producer(id, 1, 0));
    expect(await world().outbound(say(person, 'x'), producer(id, 2, 1))).toMatchObject(
      refused(400, 'bad_request'),
    );
    await world().outbound(say(person, 'new'), producer(id, 2, 0));
    const fenced = await world().outbound(say(person, 'zombie'), producer(id, 1, 1));
    expect(fenced).toMatchObject(refused(403, 'forbidden'));
    expect(fenced.headers.get('producer-epoch')).toBe('2');
    expect(await textsOf(person)).toEqual(['old', 'new']);
  });

  test('two producers of one channel do not disturb each other', async () => {
    const person = await world().person();
    for (const id of [randomUUID(), randomUUID()])
      for (const seq of [0, 1])
        expect((await world().outbound(say(person, `${seq}`), producer(id, 0, seq))).status).toBe(200);
    expect(await textsOf(person)).toEqual(['0', '1', '0', '1']);
  });

  test('NDJSON is a request like any other', async () => {
    const person = await world().person();
    const id = randomUUID();
    const lines = [say(person, 'a'), 'bad line', say(person, 'b')];
    const first = await world().ndjson(lines, producer(id, 0, 0));
    expect(first.status).toBe(200);
    expect(first.headers.get('producer-seq')).toBe('0');
    expect(first.body.results).toMatchObject([{ seq: 1 }, { error: { line: 2 } }, { seq: 2 }]);
    expect((await world().ndjson(lines, producer(id, 0, 0))).body.results).toMatchObject([
      { duplicate: true },
      { error: { line: 2 } },
      { duplicate: true },
    ]);
    const gap = await world().ndjson(lines, producer(id, 0, 5));
    expect(gap).toMatchObject(refused(409, 'conflict'));
    expect(gap.headers.get('producer-expected-seq')).toBe('1');
    expect(await textsOf(person)).toEqual(['a', 'b']);
  });

  test('events of two channels in one request are bad_request', async () => {
    const [one, other] = [await world().person(), await world().person()];
    const body = [say(one, 'x'), say(other, 'y')];
    expect(await world().outbound(body, producer('p', 0, 0))).toMatchObject(
      refused(400, 'bad_request', 'Producer-Id'),
    );
    expect(await textsOf(one)).toEqual([]);
    expect(await world().ndjson(body, producer('p', 0, 0))).toMatchObject(
      refused(400, 'bad_request', 'Producer-Id'),
    );
    expect(await textsOf(other)).toEqual([]);
  });

  test.each([
    { 'producer-id': 'p' },
    { 'producer-id': 'p', 'producer-epoch': '0' },
    { 'producer-epoch': '0', 'producer-seq': '0' },
    { 'producer-id': 'p', 'producer-epoch': '-1', 'producer-seq': '0' },
    { 'producer-id': 'p', 'producer-epoch': '0', 'producer-seq': '1.5' },
    { 'producer-id': 'p', 'producer-epoch': 'x', 'producer-seq': '0' },
    { 'producer-id': '', 'producer-epoch': '0', 'producer-seq': '0' },
  ])('%j is bad_request', async (headers) => {
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    expect(await world().outbound(say(await world().person(), 'x'), given)).toMatchObject(
      refused(400, 'bad_request', 'Producer-Id'),
    );
  });
});
