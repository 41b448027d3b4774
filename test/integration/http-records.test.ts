import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HistoryPage, HistoryRow } from '../../src/protocol/history.ts';
import { type Person, type Reply, refused, useWorld } from './world.ts';

const world = useWorld({ env: { LIMITS: JSON.stringify({ messages_burst: 500 }) } });

interface Found {
  results: { message: HistoryRow; conversation: { id: string; title: string }; snippet: string }[];
  next: number | null;
}

const search = (person: Person, q: string, more = ''): Promise<Reply<Found>> =>
  world().as<Found>(person, `/api/search?q=${encodeURIComponent(q)}${more}`);

const say = (person: Person, text: string, conversation?: string) =>
  world().outbound({ channel: person.channel, kind: 'message', text, conversation });

const textsOf = ({ body }: Reply<Found>): string[] =>
  body.results.map(({ message }) => (message.type === 'message' ? message.text : message.filename));

describe('GET /api/search', () => {
  test('finds what was just said, with its conversation and a snippet', async () => {
    const person = await world().person();
    await world().turnByHttp(person, { text: 'silent about Cats', conversation: 'a' });
    await say(person, `${'before '.repeat(60)}the needle here${' after'.repeat(60)}`, 'a');
    const found = await search(person, 'NEEDLE');
    expect(found).toMatchObject({
      status: 200,
      body: {
        results: [
          {
            message: { type: 'message', role: 'assistant', conversation: 'a' },
            conversation: { id: 'a', title: 'silent about Cats' },
          },
        ],
        next: null,
      },
    });
    const snippet = found.body.results[0]?.snippet ?? '';
    expect(snippet).toMatch(/^….*the needle here.*…$/);
    expect(snippet.length).toBeLessThan(200);
  });

  test('newest first, page by page', async () => {
    const person = await world().person();
    for (let n = 0; n < 7; n++) await say(person, `word ${n}`, `c${n % 2}`);
    const seen: string[] = [];
    let before: number | null = null;
    do {
      const page: Reply<Found> = await search(
        person,
        'word',
        `&limit=3${before === null ? '' : `&before=${before}`}`,
      );
      seen.push(...textsOf(page));
      before = page.body.next;
    } while (before !== null);
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `word ${n}`));
  });

  test.each([
    ['all of the words, in any order', 'beta alpha'],
    ['a part of a word', 'lph'],
    ['two characters', 'al'],
    ['one character', 'b'],
    ['short and long words together', 'a beta'],
    ['letters beyond ASCII in another case', 'ÄRGER'],
    ['short ones, too', 'äR'],
    ['a symbol of two code units', '🎉'],
    ['signs of the query language', '"quoted" AND (x* - y:z)'],
    ['signs of LIKE', '%_'],
  ])('%s: %s', async (_, q) => {
    const person = await world().person();
    await say(person, 'alpha beta Ärger 🎉 "quoted" AND (x* - y:z) %_');
    await say(person, 'nothing to see');
    expect(textsOf(await search(person, q))).toEqual(['alpha beta Ärger 🎉 "quoted" AND (x* - y:z) %_']);
  });

  test('finds the new text of an edited message and not the old, and files by name', async () => {
    const person = await world().person();
    const { body } = await say(person, 'formerly');
    await search(person, 'formerly');
    await world().outbound({
      channel: person.channel,
      kind: 'edit',
      id: body.results[0]?.id,
      text: 'nowadays',
    });
    const file = { kind: 'file', filename: 'annual-report.txt', mimetype: 'text/plain', data: btoa('x') };
    await world().outbound({ channel: person.channel, ...file });
    expect(textsOf(await search(person, 'formerly'))).toEqual([]);
    expect(textsOf(await search(person, 'nowadays'))).toEqual(['nowadays']);
    expect(textsOf(await search(person, 'report'))).toEqual(['annual-report.txt']);
  });

  test('shows nobody anything of somebody else, of the same tenant or another', async () => {
    const person = await world().person();
    const others = [await world().person(), await world().person({ sub: person.id, tenant: 'other' })];
    for (const one of [person, ...others]) await world().turnByHttp(one, { text: 'silent shared words' });
    for (const one of [person, ...others])
      for (const q of ['shared', 'sh'])
        expect((await search(one, q)).body.results.map(({ message }) => message.sender)).toEqual([one.id]);
  });

  test('without q, or with a wrong page, is bad_request', async () => {
    const person = await world().person();
    expect(await world().as(person, '/api/search')).toMatchObject(refused(400, 'bad_request', 'q'));
    expect(await search(person, 'x', '&limit=51')).toMatchObject(refused(400, 'bad_request', 'limit'));
    expect(await search(person, 'x', '&before=0')).toMatchObject(refused(400, 'bad_request', 'before'));
  });

  test('any text is a query', async () => {
    const person = await world().person();
    await say(person, 'hello "there" \u0000 end');
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('', ' ', '"', '""', "'", '\u0000', '* OR', 'NEAR(a b)', 'x'.repeat(3000)),
    );
    await fc.assert(
      fc.asyncProperty(text, async (q) => {
        const found = await search(person, q);
        expect(found.status).toBe(200);
      }),
      { numRuns: 60 },
    );
    expect(textsOf(await search(person, 'there end'))).toHaveLength(1);
  });
});

describe('POST /api/turns/{turn}/regenerate', () => {
  const again = (person: Person, turn: string): Promise<Reply<{ turn: string }>> =>
    world().as<{ turn: string }>(person, `/api/turns/${turn}/regenerate`, { method: 'POST' });

  test('opens a new turn for the same message, whose reply says what it replaces', async () => {
    const person = await world().person();
    const tab = await world().connect(person);
    const turn = await world().turn(tab, { conversation: 'a' });
    const { channel } = person;
    await world().outbound({ channel, kind: 'done', turn, text: 'first' });
    const first = await tab.frame('message', ({ text }) => text === 'first');
    const { status, body } = await again(person, turn);
    expect(status).toBe(202);
    expect(body.turn).not.toBe(turn);
    expect(await tab.frame('turn', (frame) => frame.turn === body.turn)).toMatchObject({
      status: 'queued',
      conversation: 'a',
      replaces: first.id,
    });
    // Asked for twice at once it is one.
    expect((await again(person, turn)).body).toEqual(body);
    await world().outbound({ channel, kind: 'done', turn: body.turn, text: 'second' });
    expect(await tab.frame('message', ({ text }) => text === 'second')).toMatchObject({
      turn: body.turn,
      replaces: first.id,
    });
    const third = await again(person, body.turn);
    await world().outbound({ channel, kind: 'done', turn: third.body.turn, text: 'third' });
    const second = tab.all('message').find(({ text }) => text === 'second');
    expect(await tab.frame('message', ({ text }) => text === 'third')).toMatchObject({
      replaces: second?.id,
    });
    expect(tab.all('message').filter(({ role }) => role === 'user')).toHaveLength(1);
  });

  test('one that runs is a conflict; an unknown one, or somebody else’s, is not_found', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    expect(await again(person, turn)).toMatchObject(refused(409, 'conflict'));
    await world().as(person, `/api/turns/${turn}/cancel`, { method: 'POST' });
    expect(await again(await world().person(), turn)).toMatchObject(refused(404, 'not_found'));
    expect(await again(person, 'turn_x')).toMatchObject(refused(404, 'not_found'));
    expect((await again(person, turn)).status).toBe(202);
  });
});

describe('GET /api/export', () => {
  test('is everything of the user, one record a line', async () => {
    const person = await world().person({ name: 'Ann' });
    await world().turnByHttp(person, { text: 'silent hello', conversation: 'a' });
    const file = {
      kind: 'file',
      filename: 'a.txt',
      mimetype: 'text/plain',
      data: btoa('hi'),
      conversation: 'b',
    };
    await world().outbound({ channel: person.channel, ...file });
    for (let n = 0; n < 250; n++) await say(person, `m${n}`);
    const { status, headers, body } = await world().as<string>(person, '/api/export');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    const lines = body
      .trimEnd()
      .split('\n')
      .map((line): { kind: string; [name: string]: unknown } => JSON.parse(line));
    expect(lines[0]).toMatchObject({ kind: 'user', id: person.id, name: 'Ann', tenant: 'default' });
    const of = (kind: string) => lines.filter((line) => line.kind === kind);
    expect(
      of('conversation')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['a', 'b', 'default']);
    expect(of('message').map(({ text }) => text)).toEqual([
      'silent hello',
      ...Array.from({ length: 250 }, (_, n) => `m${n}`),
    ]);
    expect(of('file')).toMatchObject([{ filename: 'a.txt', conversation: 'b' }]);
    expect(await (await fetch(String(of('file')[0]?.['url']))).text()).toBe('hi');
    expect(lines).toHaveLength(1 + 3 + 251 + 1);
  });
});

describe('DELETE /api/me', () => {
  test('erases journal, records, files and keys; sessions close 4001; what comes next is a new life', async () => {
    const person = await world().person();
    const { channel } = person;
    const other = await world().person();
    await say(other, 'stays');
    const tab = await world().connect(person);
    const turn = await world().turn(tab, { text: 'silent gone' });
    const file = { kind: 'file', filename: 'gone.txt', mimetype: 'text/plain', data: btoa('gone') };
    await world().outbound({ channel, ...file });
    const { url } = await tab.frame('file');
    const { body: key } = await world().internal<{ api_key: string }>('/api-keys', {
      body: { user: person.id },
    });
    await search(person, 'gone');
    const { epoch } = await tab.frame('welcome');
    expect((await world().as(person, '/api/me', { method: 'DELETE' })).status).toBe(204);
    expect((await tab.closed).code).toBe(4001);
    expect((await fetch(url)).status).toBe(404);
    expect((await world().as({ token: key.api_key }, '/v1/models')).status).toBe(401);
    expect(
      (await world().as<HistoryPage>(person, '/api/conversations/default/messages')).body.messages,
    ).toEqual([]);
    expect((await world().as(person, '/api/conversations')).body).toEqual({ conversations: [], next: null });
    expect((await search(person, 'gone')).body.results).toEqual([]);
    expect(await world().internal(`/users/${person.id}`)).toMatchObject({ body: { online: false } });
    expect((await world().outbound({ channel, kind: 'done', turn })).body.error).toMatchObject({
      code: 'not_found',
    });

    const back = await world().connect(person);
    expect((await back.frame('welcome')).epoch).not.toBe(epoch);
    await say(person, 'begins');
    expect(await back.frame('message')).toMatchObject({ seq: 1, text: 'begins' });
    const stale = await world().open({ token: person.token, query: { cursor: `${epoch}.3` } });
    expect(await stale.frame('reset')).toMatchObject({ reason: 'unknown' });
    expect(textsOf(await search(person, 'begins'))).toEqual(['begins']);
    expect(textsOf(await search(other, 'stays'))).toEqual(['stays']);
  });

  test('needs a token', async () => {
    expect(await world().http('/api/me', { method: 'DELETE' })).toMatchObject(refused(401, 'unauthorized'));
  });
});

describe('history', () => {
  test('a turn that broke off without a word is told, with why', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    await world().outbound({
      channel: person.channel,
      kind: 'error',
      turn,
      label: 'Busy',
      type: 'upstream_http',
      message: 'no',
    });
    const { body } = await world().as<HistoryPage>(person, '/api/conversations/default/messages');
    expect(body.messages).toMatchObject([
      { role: 'assistant', text: '', turn, partial: true, status: 'failed', error: { label: 'Busy' } },
      { role: 'user' },
    ]);
    const { body: seen } = await world().internal<{ messages: unknown[] }>(
      `/history?channel=${person.channel}`,
    );
    expect(seen.messages).toHaveLength(1);
  });

  test('an upstream is told what the user is called', async () => {
    const person = await world().person({ name: 'Ann Example' });
    await world().turnByHttp(person);
    const { body } = await world().internal(`/history?channel=${person.channel}`);
    expect(body).toMatchObject({ messages: [{ user_id: person.id, user_name: 'Ann Example' }] });
  });
});

describe('no input is a fault of ours', () => {
  test('ids, bodies and queries of every route', async () => {
    const person = await world().person();
    await say(person, 'hello', 'a');
    const word = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 140 }),
      fc.constantFrom('a', 'default', '..', '%2F', '\u0000'),
    );
    const call = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE'),
      path: fc.oneof(
        fc.constant('/api/conversations'),
        word.map((id) => `/api/conversations/x${encodeURIComponent(id.toWellFormed())}`),
        word.map((id) => `/api/conversations/x${encodeURIComponent(id.toWellFormed())}/messages`),
        word.map((id) => `/api/turns/${encodeURIComponent(id.toWellFormed())}/regenerate`),
        word.map((before) => `/api/conversations?before=${encodeURIComponent(before.toWellFormed())}`),
      ),
      body: fc.oneof(
        fc.json(),
        fc.string({ maxLength: 40 }),
        word.map((title) => JSON.stringify({ title })),
      ),
    });
    await fc.assert(
      fc.asyncProperty(call, async ({ method, path, body }) => {
        const reply = await world().as(person, path, method === 'GET' ? {} : { method, body });
        expect(reply.status).toBeLessThan(500);
        expect(JSON.stringify(reply.body)).not.toMatch(/\\n\s+at /);
      }),
      { numRuns: 150 },
    );
    const { body } = await world().as<HistoryPage>(person, '/api/conversations/a/messages');
    expect(body.messages).toMatchObject([{ text: 'hello' }]);
  });
});
