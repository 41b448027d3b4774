import { describe, expect, test } from 'vitest';
import type { HistoryPage } from '../../src/protocol/history.ts';
import { type Person, refused, useWorld } from './world.ts';

const world = useWorld();

const page = (person: Person, query = '', conversation = 'default') =>
  world().as<HistoryPage>(person, `/api/conversations/${encodeURIComponent(conversation)}/messages${query}`);

const say = (person: Person, ...texts: string[]) =>
  world().outbound(texts.map((text) => ({ channel: person.channel, kind: 'message', text })));

const textsOf = ({ body }: { body: HistoryPage }) =>
  body.messages.map((row) => (row.type === 'message' ? row.text : row.filename));

describe('GET /api/conversations/{id}/messages', () => {
  test('nothing yet is an empty page', async () => {
    expect(await page(await world().person())).toMatchObject({
      status: 200,
      body: { messages: [], next: null },
    });
  });

  test('reads its own writes, newest first, and only of that conversation and user', async () => {
    const [person, other] = [await world().person(), await world().person()];
    const { channel } = person;
    await say(person, 'first', 'second');
    await say(other, 'not mine');
    await world().outbound({ channel, kind: 'message', text: 'elsewhere', conversation: 'Über Öl 🛢' });
    await world().as(person, '/api/messages', { body: { client_id: 'c', text: 'silent' } });
    expect(textsOf(await page(person))).toEqual(['silent', 'second', 'first']);
    expect(textsOf(await page(person, '', 'Über Öl 🛢'))).toEqual(['elsewhere']);
  });

  test('pages by before, limit and next, without gap or overlap, while new ones come', async () => {
    const person = await world().person();
    const texts = Array.from({ length: 25 }, (_, n) => `m${n}`);
    await say(person, ...texts);
    const seen: string[] = [];
    let before: number | null = null;
    for (let n = 0; n < 3; n++) {
      const got = await page(person, `?limit=10${before === null ? '' : `&before=${before}`}`);
      seen.push(...textsOf(got));
      before = got.body.next;
      await say(person, `new ${n}`);
    }
    expect(seen).toEqual(texts.toReversed());
    expect(before).toBeNull();
  });

  test('exactly one page has no next', async () => {
    const person = await world().person();
    await say(person, 'a', 'b');
    expect((await page(person, '?limit=2')).body.next).toBeNull();
    expect((await page(person, '?limit=1')).body.next).toBe(2);
  });

  test('a row is the message frame with its edits folded in, where it first stood', async () => {
    const person = await world().person();
    const { channel } = person;
    const buttons = [{ label: 'Go', custom_id: 'go' }];
    const { body } = await world().outbound({ channel, kind: 'message', text: 'old', buttons });
    const id = body.results[0]?.id;
    await say(person, 'after');
    await world().outbound({ channel, kind: 'edit', id, text: 'new' });
    const [after, edited] = (await page(person)).body.messages;
    expect(after).toMatchObject({ type: 'message', text: 'after', seq: 2 });
    expect(edited).toMatchObject({
      type: 'message',
      id,
      text: 'new',
      seq: 3,
      buttons,
      edited_at: expect.any(Number),
    });
    expect((await page(person, '?before=2')).body.messages).toHaveLength(1);
  });

  test('a reply carries its tools, its reasoning and its usage; a draft is no row', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    const event = { channel: person.channel, turn };
    const tool = { ...event, kind: 'tool', tool: 't', name: 'look' };
    await world().outbound([
      { ...event, kind: 'chunk', text: 'hm', reasoning: true },
      { ...event, kind: 'chunk', text: 'before ' },
      { ...tool, status: 'running', args: { q: 1 } },
      { ...event, kind: 'chunk', text: 'after' },
    ]);
    expect(textsOf(await page(person))).toEqual(['silent']);
    await world().outbound([
      { ...tool, status: 'completed', result: [1] },
      { ...event, kind: 'done', usage: { input_tokens: 1, output_tokens: 2 } },
    ]);
    const [reply] = (await page(person)).body.messages;
    expect(reply).toMatchObject({
      role: 'assistant',
      text: 'before after',
      reasoning: 'hm',
      turn,
      usage: { input_tokens: 1, output_tokens: 2 },
      tools: [{ tool: 't', name: 'look', status: 'completed', args: { q: 1 }, result: [1], offset: 7 }],
    });
    expect(reply).not.toHaveProperty('partial');
  });

  test('what was cut off is marked partial', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    await world().outbound({ channel: person.channel, turn, kind: 'chunk', text: 'half' });
    await world().as(person, `/api/turns/${turn}/cancel`, { method: 'POST' });
    expect((await page(person)).body.messages[0]).toMatchObject({ text: 'half', partial: true });
  });

  test('a file is a row with a url that works', async () => {
    const person = await world().person();
    const { channel } = person;
    const file = {
      kind: 'file',
      filename: 'käse & co.txt',
      mimetype: 'text/plain',
      data: btoa('hello'),
    };
    await world().outbound({ channel, ...file });
    const [row] = (await page(person)).body.messages;
    expect(row).toMatchObject({ type: 'file', filename: 'käse & co.txt', size: 5 });
    const url = row?.type === 'file' ? row.url : expect.fail('no file');
    expect(await (await fetch(url)).text()).toBe('hello');
  });

  test.each(['before=0', 'before=x', 'before=1.5', 'limit=0', 'limit=201', 'limit=-1', 'limit=all'])(
    '?%s is bad_request and names the field',
    async (query) => {
      expect(await page(await world().person(), `?${query}`)).toMatchObject(
        refused(400, 'bad_request', query.split('=')[0]),
      );
    },
  );

  test('a conversation that cannot be is bad_request', async () => {
    const person = await world().person();
    expect(await page(person, '', 'x'.repeat(129))).toMatchObject(refused(400, 'bad_request'));
    expect(await page(person, '', 'a\nb')).toMatchObject(refused(400, 'bad_request'));
  });
});
