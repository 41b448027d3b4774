import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ConversationPage, ConversationView } from '../../src/protocol/conversations.ts';
import type { HistoryPage } from '../../src/protocol/history.ts';
import { type Person, type Reply, refused, useWorld } from './world.ts';

const world = useWorld({ env: { LIMITS: JSON.stringify({ messages_burst: 200 }) } });

const list = (person: Person, query = ''): Promise<Reply<ConversationPage>> =>
  world().as<ConversationPage>(person, `/api/conversations${query}`);

const create = (person: Person, body?: object): Promise<Reply<ConversationView>> =>
  world().as<ConversationView>(person, '/api/conversations', { method: 'POST', body });

const at = (id: string): string => `/api/conversations/${encodeURIComponent(id)}`;

const messages = (person: Person, id: string): Promise<Reply<HistoryPage>> =>
  world().as<HistoryPage>(person, `${at(id)}/messages`);

const say = (person: Person, text: string, conversation?: string) =>
  world().outbound({ channel: person.channel, kind: 'message', text, conversation });

async function ask(person: Person, text: string, conversation?: string): Promise<string> {
  const turn = await world().turnByHttp(person, { text: `${text} silent`, conversation });
  return turn;
}

describe('GET /api/conversations', () => {
  test('who has none has an empty list', async () => {
    expect((await list(await world().person())).body).toEqual({ conversations: [], next: null });
  });

  test('newest first, with the title of the first message and the last message, at once', async () => {
    const person = await world().person();
    await ask(person, 'one', 'a');
    await ask(person, 'two', 'b');
    await say(person, 'last words', 'a');
    const { status, body } = await list(person);
    expect(status).toBe(200);
    expect(body).toEqual({
      conversations: [
        {
          id: 'a',
          title: 'one silent',
          created_at: expect.any(Number),
          updated_at: expect.any(Number),
          last_message: {
            type: 'message',
            id: expect.any(String),
            role: 'assistant',
            sender: 'star',
            text: 'last words',
            timestamp: expect.any(Number),
          },
        },
        expect.objectContaining({ id: 'b', title: 'two silent' }),
      ],
      next: null,
    });
    const [a] = body.conversations;
    expect(a?.updated_at).toBe(a?.last_message?.timestamp);
    expect(a?.updated_at).toBeGreaterThanOrEqual(a?.created_at ?? Number.NaN);
  });

  test('pages follow each other without gap or overlap', async () => {
    const person = await world().person();
    const ids = Array.from({ length: 7 }, (_, n) => `c${n}`);
    for (const id of ids) await say(person, 'hello', id);
    const seen: string[] = [];
    let before: number | null = null;
    do {
      const page: Reply<ConversationPage> = await list(
        person,
        `?limit=3${before === null ? '' : `&before=${before}`}`,
      );
      seen.push(...page.body.conversations.map(({ id }) => id));
      before = page.body.next;
    } while (before !== null);
    expect(seen).toEqual(ids.toReversed());
  });

  test('a long first message gives a title cut at a word', async () => {
    const person = await world().person();
    await ask(person, `${'word '.repeat(30)}\n\nmore`, 'a');
    const title = (await list(person)).body.conversations[0]?.title ?? '';
    expect(title.length).toBeLessThanOrEqual(60);
    expect(title).toMatch(/^(word )+word…$/);
  });

  test.each(['before=0', 'before=x', 'limit=0', 'limit=201'])('?%s is bad_request', async (query) => {
    expect(await list(await world().person(), `?${query}`)).toMatchObject(
      refused(400, 'bad_request', query.split('=')[0]),
    );
  });
});

describe('POST /api/conversations', () => {
  test('makes one and tells every session', async () => {
    const person = await world().person();
    const tabs = [await world().connect(person), await world().connect(person)];
    const { status, body } = await create(person, { title: '  Plans \n for  May ' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^conv_/),
      title: 'Plans for May',
      created_at: expect.any(Number),
      updated_at: body.created_at,
      last_message: null,
    });
    for (const tab of tabs)
      expect(await tab.frame('conversation')).toEqual({
        type: 'conversation',
        seq: 1,
        id: body.id,
        status: 'created',
        title: 'Plans for May',
      });
    expect((await list(person)).body.conversations).toEqual([body]);
    expect((await messages(person, body.id)).body).toEqual({ messages: [], next: null });
  });

  test('without a title or a body, its first message gives the title', async () => {
    const person = await world().person();
    const { body, status } = await create(person);
    expect([status, body.title]).toEqual([201, '']);
    await ask(person, 'about cats', body.id);
    expect((await list(person)).body.conversations).toMatchObject([
      { id: body.id, title: 'about cats silent' },
    ]);
  });

  test.each([[{ title: 1 }], [{ title: 'x'.repeat(201) }], ['[]'], ['{']])(
    '%j is bad_request',
    async (body) => {
      const person = await world().person();
      expect(await world().as(person, '/api/conversations', { body })).toMatchObject(
        refused(400, 'bad_request'),
      );
      expect((await list(person)).body.conversations).toEqual([]);
    },
  );
});

describe('PATCH /api/conversations/{id}', () => {
  test('renames it for every session, and later messages do not', async () => {
    const person = await world().person();
    await ask(person, 'first', 'a');
    const tab = await world().connect(person);
    const { status, body } = await world().as<ConversationView>(person, at('a'), {
      method: 'PATCH',
      body: { title: 'My own' },
    });
    expect([status, body]).toMatchObject([200, { id: 'a', title: 'My own', last_message: { role: 'user' } }]);
    expect(await tab.frame('conversation')).toMatchObject({ id: 'a', status: 'renamed', title: 'My own' });
    await ask(person, 'second', 'a');
    expect((await list(person)).body.conversations).toMatchObject([{ id: 'a', title: 'My own' }]);
  });

  test('moves nothing in the list', async () => {
    const person = await world().person();
    await say(person, 'x', 'a');
    await say(person, 'x', 'b');
    await world().as(person, at('a'), { method: 'PATCH', body: { title: 'older' } });
    expect((await list(person)).body.conversations.map(({ id }) => id)).toEqual(['b', 'a']);
  });

  test('an empty title is bad_request; what is not there is not_found', async () => {
    const person = await world().person();
    await say(person, 'x', 'a');
    const patch = (id: string, body: object) => world().as(person, at(id), { method: 'PATCH', body });
    expect(await patch('a', { title: ' ' })).toMatchObject(refused(400, 'bad_request', 'title'));
    expect(await patch('a', {})).toMatchObject(refused(400, 'bad_request', 'title'));
    expect(await patch('b', { title: 'x' })).toMatchObject(refused(404, 'not_found'));
  });
});

describe('DELETE /api/conversations/{id}', () => {
  const remove = (person: Person, id: string) => world().as(person, at(id), { method: 'DELETE' });

  test('takes it out of the list, of history and of search, and tells every session', async () => {
    const person = await world().person();
    await ask(person, 'secret plan', 'a');
    await say(person, 'other', 'b');
    const tab = await world().connect(person);
    await list(person);
    expect((await remove(person, 'a')).status).toBe(204);
    expect(await tab.frame('conversation')).toMatchObject({ id: 'a', status: 'deleted' });
    expect((await list(person)).body.conversations.map(({ id }) => id)).toEqual(['b']);
    expect(await messages(person, 'a')).toMatchObject(refused(404, 'not_found'));
    expect((await world().as(person, '/api/search?q=secret')).body).toEqual({ results: [], next: null });
    expect(await remove(person, 'a')).toMatchObject(refused(404, 'not_found'));
    expect(await world().as(person, at('a'), { method: 'PATCH', body: { title: 'x' } })).toMatchObject(
      refused(404, 'not_found'),
    );
  });

  test('P-WS-8 a cursor from before it resumes without a gap, and is given no word of it', async () => {
    const person = await world().person();
    const first = await world().connect(person);
    const prompt = { channel: person.channel, kind: 'prompt', question: 'secret?', conversation: 'a' };
    await ask(person, 'secret', 'a');
    await world().outbound([prompt, { ...prompt, conversation: 'b', question: 'stays' }]);
    await say(person, 'kept', 'b');
    await first.frame('message', ({ text }) => text === 'kept');
    const welcome = await first.frame('welcome');
    await remove(person, 'a');
    const end = await first.frame('conversation');
    const late = await world().open({ token: person.token, query: { cursor: `${welcome.epoch}.0` } });
    await late.frame('ready');
    expect(late.durable().map(({ seq }) => seq)).toEqual(Array.from({ length: end.seq }, (_, n) => n + 1));
    expect(late.raw.join('\n')).not.toContain('secret');
    expect(late.all('message').map(({ text }) => text)).toEqual(['kept']);
    // Whoever had seen the turn and the prompt learns that they are over.
    expect(late.all('turn').map(({ status }) => status)).toEqual(['queued', 'cancelled']);
    expect(
      late
        .all('prompt')
        .filter(({ snapshot }) => snapshot)
        .map(({ question }) => question),
    ).toEqual(['stays']);
    expect(late.all('conversation').at(-1)).toEqual(end);
  });

  test('ends what is open in it, and its files are gone', async () => {
    const person = await world().person();
    const turn = await ask(person, 'go on', 'a');
    const file = { kind: 'file', filename: 'a.txt', mimetype: 'text/plain', data: btoa('hello') };
    await world().outbound({ channel: person.channel, ...file, conversation: 'a' });
    const [row] = (await messages(person, 'a')).body.messages;
    const url = row?.type === 'file' ? row.url : expect.fail('no file');
    expect((await fetch(url)).status).toBe(200);
    await remove(person, 'a');
    expect((await world().internal<{ status: string }>(`/turns/${turn}`)).body.status).toBe('cancelled');
    expect((await fetch(url)).status).toBe(404);
  });

  test('a message that names it afterwards begins it anew', async () => {
    const person = await world().person();
    await ask(person, 'old', 'a');
    await list(person);
    await remove(person, 'a');
    await ask(person, 'new', 'a');
    expect((await messages(person, 'a')).body.messages).toMatchObject([{ text: 'new silent' }]);
    expect((await list(person)).body.conversations).toMatchObject([{ id: 'a', title: 'new silent' }]);
  });

  test('P-WS-5 a send that is repeated after it is still one send', async () => {
    const person = await world().person();
    const body = { client_id: randomUUID(), text: 'silent once', conversation: 'a' };
    const first = await world().as(person, '/api/messages', { body });
    await remove(person, 'a');
    const again = await world().as(person, '/api/messages', { body });
    expect(again.body).toEqual({ ...(first.body as object), duplicate: true });
    expect(await messages(person, 'a')).toMatchObject(refused(404, 'not_found'));
  });

  test('somebody else cannot, nor rename or read it', async () => {
    const person = await world().person();
    await ask(person, 'mine', 'a');
    for (const other of [await world().person(), await world().person({ sub: person.id, tenant: 'other' })]) {
      expect(await remove(other, 'a')).toMatchObject(refused(404, 'not_found'));
      expect(await messages(other, 'a')).toMatchObject(refused(404, 'not_found'));
      const rename = await world().as(other, at('a'), { method: 'PATCH', body: { title: 'x' } });
      expect(rename).toMatchObject(refused(404, 'not_found'));
      expect((await list(other)).body.conversations).toEqual([]);
    }
    expect((await list(person)).body.conversations).toMatchObject([{ id: 'a', title: 'mine silent' }]);
  });

  test.each(['a:b', 'a/b', 'a%2Fb', '..', 'ａ', 'x'.repeat(128), "'; --"])(
    '%s is an id like any other',
    async (id) => {
      const person = await world().person();
      await ask(person, 'one', id);
      await ask(person, 'two', 'a');
      if (id === '..') return;
      expect((await messages(person, id)).body.messages).toMatchObject([{ text: 'one silent' }]);
      expect((await remove(person, id)).status).toBe(204);
      expect((await list(person)).body.conversations).toMatchObject([{ id: 'a' }]);
    },
  );
});
