import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FLOW, type HistoryRow, Page } from './bisheng-page.ts';
import { newChat, useBisheng, words } from './bisheng-world.ts';
import type { Person } from './world.ts';

/** Bisheng's `/api/v1/…` over HTTP, in its envelope. */

const here = useBisheng();

interface Chat {
  chat_id: string;
  name: string;
  flow_id: string;
  flow_type: number;
  latest_message: { message: string; is_bot: number };
}

const success = (data: unknown) => ({
  status: 200,
  body: { status_code: 200, status_message: 'SUCCESS', data },
});
const refused = (status: number, code: string) => ({
  status,
  body: {
    ...{ status_code: status, status_message: expect.any(String) },
    data: { code, exception: expect.any(String) },
  },
});

/** A chat in which these were said and answered. */
async function talk(
  person: Person,
  texts: readonly string[],
  kind?: 'assistant' | 'workflow',
): Promise<Page> {
  const page = await Page.open(here().world, person, newChat(), kind);
  for (const text of texts) {
    page.say(text);
    const question = await here().asked(text);
    await here().says(question, { kind: 'done', text: `re: ${text}` });
    await page.until(() => page.shown.at(-1)?.endsWith(`re: ${text}`) || undefined, 'the reply');
  }
  await page.socket.close();
  return page;
}

describe('history', () => {
  test('rows with all columns, newest first, in pages by the oldest row’s id', async () => {
    const person = await here().world.person();
    const texts = [words(), words(), words()];
    const page = await talk(person, texts);
    const all = await page.history();
    expect(all.map(({ message }) => message)).toEqual(texts.flatMap((text) => [text, `re: ${text}`]));
    expect(all[1]).toEqual({
      ...{ id: expect.stringMatching(/^msg_/), is_bot: 1, source: 0, mark_status: 1, mark_user: null },
      ...{ mark_user_name: null, message: `re: ${texts[0]}`, extra: expect.stringContaining('"turn"') },
      ...{ type: 'end', category: 'answer', flow_id: FLOW, chat_id: page.chat, user_id: person.id, liked: 0 },
      ...{
        solved: 0,
        copied: 0,
        sensitive_status: 1,
        sender: 'star',
        receiver: null,
        intermediate_steps: '',
      },
      ...{ files: '[]', remark: '', create_time: expect.stringMatching(/Z$/) },
      update_time: expect.stringMatching(/Z$/),
    });
    expect(all[0]).toMatchObject({ is_bot: 0, category: 'question', type: 'human', sender: person.id });
    const newest = await page.history('&page_size=2');
    expect(newest).toEqual(all.slice(4));
    expect(await page.history(`&page_size=3&id=${newest[0]?.id}`)).toEqual(all.slice(1, 4));
    expect(await page.history(`&id=${all[0]?.id}`)).toEqual([]);
    const whole = await page.http<HistoryRow[]>(`/session/chat/messages/${page.chat}`);
    expect(whole.body.data).toEqual(all);
  });

  test('tools, files, reasoning and failures have their places', async () => {
    const page = await Page.open(here().world, await here().world.person(), newChat());
    const [one, two] = [words(), words()];
    page.say(one);
    await here().says(
      await here().asked(one),
      { kind: 'tool', tool: 'a', name: 'search', status: 'completed' },
      { kind: 'file', filename: 'a.txt', mimetype: 'text/plain', data: 'aGk=', conversation: page.chat },
      { kind: 'chunk', text: 'Hm', reasoning: true },
      { kind: 'done', text: 'Yes' },
    );
    await page.came('processing/close');
    page.say(two);
    await here().says(await here().asked(two), { kind: 'error', message: 'It broke.' });
    await page.came('error/end');
    const rows = await page.history();
    const of = (message: string) => rows.find((row) => row.message === message);
    expect(of('Yes')).toMatchObject({ intermediate_steps: 'search: completed' });
    expect(of('Yes')?.extra).toContain('"reasoning":"Hm"');
    const file = rows.find(({ message }) => message.includes('a.txt'));
    expect(JSON.parse(String(file?.files))).toMatchObject([{ file_name: 'a.txt', file_size: 2 }]);
    expect(rows.at(-1)).toMatchObject({ category: 'error', type: 'end' });
    expect(JSON.parse(rows.at(-1)?.message ?? '')).toMatchObject({ status_message: 'It broke.' });
    await page.socket.close();
  });

  test('a workflow’s rows are its output', async () => {
    const text = words();
    const page = await talk(await here().world.person(), [text], 'workflow');
    const rows = await page.history();
    expect(rows[1]).toMatchObject({ category: 'output_msg', type: 'over' });
    expect(JSON.parse(rows[1]?.message ?? '')).toMatchObject({ msg: `re: ${text}`, unique_id: rows[1]?.id });
  });
});

describe('the list of chats', () => {
  test('newest first, in pages, each with its app and its last message', async () => {
    const person = await here().world.person();
    const [one, two, three] = [words(), words(), words()];
    const pages = [
      await talk(person, [one]),
      await talk(person, [two], 'workflow'),
      await talk(person, [three]),
    ];
    const [first, second, third] = pages.map(({ chat }) => chat);
    const list = async (query = '') => (await pages[0]?.http<Chat[]>(`/chat/list${query}`))?.body.data ?? [];
    expect(await list()).toMatchObject([
      { chat_id: third, flow_type: 5, latest_message: { message: `re: ${three}`, is_bot: 1 } },
      { chat_id: second, flow_type: 10, flow_id: FLOW, name: two },
      {
        chat_id: first,
        flow_type: 5,
        flow_id: FLOW,
        flow_name: 'Helper',
        user_id: person.id,
        is_delete: false,
      },
    ]);
    expect((await list('?page=1&limit=2')).map(({ chat_id }) => chat_id)).toEqual([third, second]);
    expect((await list('?page=2&limit=2')).map(({ chat_id }) => chat_id)).toEqual([first]);
    expect(await list('?page=3&limit=2')).toEqual([]);
    expect((await pages[0]?.http<Chat>(`/chat/info?chat_id=${second}`))?.body.data).toEqual(
      (await list())[1],
    );
  });

  test('rename and delete: every client sees it', async () => {
    const person = await here().world.person();
    const page = await talk(person, [words()]);
    const native = await here().world.connect(person);
    const body = { conversationId: page.chat, name: 'Plans' };
    expect(await page.http('/chat/conversation/rename', { body })).toMatchObject(success(null));
    expect(await native.frame('conversation')).toMatchObject({ status: 'renamed', title: 'Plans' });
    expect((await page.http<Chat[]>('/chat/list')).body.data).toMatchObject([{ name: 'Plans' }]);
    expect(await page.http(`/chat/${page.chat}`, { method: 'DELETE' })).toMatchObject(success(null));
    await native.frame('conversation', ({ status }) => status === 'deleted');
    expect(await page.history()).toEqual([]);
    expect((await page.http<Chat[]>('/chat/list')).body.data).toEqual([]);
    expect(await page.http(`/chat/${page.chat}`, { method: 'DELETE' })).toMatchObject(
      refused(404, 'not_found'),
    );
    await native.close();
  });
});

describe('opinions', () => {
  test('liked, copied, comment: kept with the message, exported, gone with its chat', async () => {
    const person = await here().world.person();
    const page = await talk(person, [words()]);
    const [, answer] = await page.history();
    const message_id = answer?.id ?? '';
    const row = async () => (await page.history())[1];
    expect(await page.http('/liked', { body: { message_id, liked: 2 } })).toMatchObject(success(null));
    expect(await row()).toMatchObject({ liked: 2, copied: 0, remark: '' });
    await page.http('/chat/copied', { body: { message_id } });
    await page.http('/chat/comment', { body: { message_id, comment: 'Too short.' } });
    expect(await row()).toMatchObject({ liked: 2, copied: 1, remark: 'Too short.' });
    await page.http('/liked', { body: { message_id, liked: 0 } });
    await page.http('/chat/copied', { body: { message_id, copied: 0 } });
    expect(await row()).toMatchObject({ liked: 0, copied: 0, remark: 'Too short.' });
    const exported = await here().world.as<string>(person, '/api/export');
    expect(exported.body).toContain(`{"kind":"feedback","message":"${message_id}"`);
    await page.http(`/chat/${page.chat}`, { method: 'DELETE' });
    expect((await here().world.as<string>(person, '/api/export')).body).not.toContain('Too short.');
  });

  test.each([
    ['like', { liked: 1 }],
    ['dislike', { liked: 2 }],
    ['copy', { copied: 1 }],
  ])('telemetry: %s', async (operation_type, wanted) => {
    const page = await talk(await here().world.person(), [words()]);
    const [, answer] = await page.history();
    const body = { message_id: answer?.id, operation_type };
    expect(await page.http('/session/chat/message/telemetry', { body })).toMatchObject(success(null));
    expect((await page.history())[1]).toMatchObject(wanted);
  });

  test.each([
    ['/liked', { liked: 3 }],
    ['/liked', { liked: '1' }],
    ['/chat/copied', { copied: 2 }],
    ['/chat/comment', { comment: 'x'.repeat(4_097) }],
    ['/chat/comment', {}],
    ['/session/chat/message/telemetry', { operation_type: 'hate' }],
  ])('%s %o: 400', async (path, fields) => {
    const page = new Page(here().world, await here().world.person(), newChat());
    const reply = await page.http(path, { body: { message_id: 'msg_1', ...fields } });
    expect(reply).toMatchObject(refused(400, 'bad_request'));
  });
});

describe('P-ID-1 what is somebody else’s', () => {
  test('is not there', async () => {
    const ada = await talk(await here().world.person(), [words()]);
    const [, answer] = await ada.history();
    const bob = new Page(here().world, await here().world.person(), ada.chat);
    const message_id = answer?.id;
    expect(await bob.history()).toEqual([]);
    expect((await bob.http<Chat[]>('/chat/list')).body.data).toEqual([]);
    expect((await bob.http(`/session/chat/messages/${ada.chat}`)).body.data).toEqual([]);
    for (const reply of await Promise.all([
      bob.http(`/chat/info?chat_id=${ada.chat}`),
      bob.http(`/chat/history?chat_id=${ada.chat}&id=${message_id}`),
      bob.http(`/chat/${ada.chat}`, { method: 'DELETE' }),
      bob.http('/chat/conversation/rename', { body: { conversationId: ada.chat, name: 'Mine' } }),
      bob.http('/liked', { body: { message_id, liked: 1 } }),
      bob.http('/chat/copied', { body: { message_id } }),
      bob.http('/chat/comment', { body: { message_id, comment: 'Ha' } }),
    ]))
      expect(reply).toMatchObject(refused(404, 'not_found'));
    expect((await ada.history())[1]).toMatchObject({ liked: 0, copied: 0, remark: '' });
    expect((await ada.http<Chat[]>('/chat/list')).body.data).toMatchObject([{ chat_id: ada.chat }]);
  });

  test('a claimed user id must be the token’s; without a token 401; from another origin 403', async () => {
    const person = await here().world.person();
    const page = new Page(here().world, person, newChat());
    expect(await page.http(`/chat/list?user_id=${person.id}`)).toMatchObject(success([]));
    expect(await page.http('/chat/list?user_id=1')).toMatchObject(refused(403, 'forbidden'));
    expect(await page.http('/chat/list', { headers: {} })).toMatchObject(refused(401, 'unauthorized'));
    const foreign = { cookie: `access_token_cookie=${person.token}`, origin: 'https://elsewhere.example' };
    expect(await page.http('/chat/list', { headers: foreign })).toMatchObject(refused(403, 'forbidden'));
  });
});

test('no input is a fault of ours', async () => {
  const page = new Page(here().world, await here().world.person(), newChat());
  const word = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 140 }).map((text) => encodeURIComponent(text.toWellFormed())),
    fc.constantFrom('', '0', '-1', '1e9', '%00'),
  );
  const read = word.chain((text) =>
    fc.constantFrom(
      `/chat/history?chat_id=${text}&page_size=${text}`,
      `/chat/history?chat_id=a&id=${text}`,
      `/chat/list?page=${text}&limit=${text}`,
      `/chat/info?chat_id=${text}`,
      `/session/chat/messages/x${text}`,
    ),
  );
  const written = fc.record({
    path: fc.constantFrom('/liked', '/chat/copied', '/chat/comment', '/chat/conversation/rename'),
    body: fc.oneof(fc.json(), fc.string({ maxLength: 40 }), fc.constant('{"message_id":"x","liked":1}')),
  });
  const check = async (path: string, fields: object = {}) => {
    const { status, body } = await page.http(path, fields);
    expect(status).toBeLessThan(500);
    expect(body.status_code).toBe(status);
  };
  await fc.assert(
    fc.asyncProperty(read, (path) => check(path)),
    { numRuns: 60 },
  );
  await fc.assert(
    fc.asyncProperty(written, ({ path, body }) => check(path, { body })),
    { numRuns: 60 },
  );
});
