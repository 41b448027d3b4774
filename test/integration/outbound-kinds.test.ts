import { describe, expect, test } from 'vitest';
import { refused, useWorld } from './world.ts';

const world = useWorld();

/** A user with one tab, and one way to send an event to the user. */
async function reachable() {
  const person = await world().person();
  const client = await world().connect(person);
  const { channel } = person;
  return { person, client, channel, give: (event: object) => world().outbound({ channel, ...event }) };
}

describe('P-UP-4 every kind, as one event', () => {
  test('message', async () => {
    const { client, give } = await reachable();
    const { status, body } = await give({ kind: 'message', text: 'Hello', conversation: 'work' });
    expect(status).toBe(200);
    expect(body).toEqual({ results: [{ id: expect.stringMatching(/^msg_/), seq: 1, delivered: true }] });
    expect(await client.frame('message')).toMatchObject({
      id: body.results[0]?.id,
      seq: 1,
      conversation: 'work',
      role: 'assistant',
      sender: 'star',
      text: 'Hello',
    });
  });

  test('message with an id of the upstream’s own, which then cannot be used again', async () => {
    const { client, give } = await reachable();
    expect((await give({ kind: 'message', id: 'mine.1', text: 'a' })).body.results[0]?.id).toBe('mine.1');
    expect(await give({ kind: 'message', id: 'mine.1', text: 'b' })).toMatchObject(
      refused(409, 'conflict', 'id'),
    );
    expect(await give({ kind: 'message', text: 'c', reply_to: 'mine.1' })).toMatchObject({ status: 200 });
    expect(await client.frame('message', ({ text }) => text === 'c')).toMatchObject({ reply_to: 'mine.1' });
  });

  test('P-UP-5 message with buttons, and with a view of which every labelled child is a button', async () => {
    const { client, give } = await reachable();
    const button = { label: 'Go', custom_id: 'go', emoji: '🚀', style: 'primary' };
    await give({ kind: 'message', text: 'buttons', buttons: [button] });
    expect((await client.frame('message')).buttons).toEqual([button]);
    const children = [
      { type: 2, label: 'Yes', custom_id: 'yes', style: 3, emoji: { name: '👍', id: null } },
      { type: 3, placeholder: 'a menu' },
      { type: 2, label: 'Docs', url: 'https://example.com' },
    ];
    await give({ kind: 'message', text: 'view', view: { children, timeout: 180 } });
    expect((await client.frame('message', ({ text }) => text === 'view')).buttons).toEqual([
      { label: 'Yes', custom_id: 'yes', style: '3', emoji: '👍' },
      { label: 'Docs', custom_id: '' },
    ]);
  });

  test('file', async () => {
    const { client, give } = await reachable();
    const { body } = await give({
      kind: 'file',
      filename: 'a b.csv',
      mimetype: 'text/csv',
      data: btoa('x,y'),
    });
    const [{ id, url } = {}] = body.results;
    expect(body.results).toEqual([{ id, seq: 1, delivered: true, url }]);
    expect(url).toBe(`webchat://file/${id}/a b.csv`);
    expect(await client.frame('file')).toMatchObject({
      id,
      filename: 'a b.csv',
      mimetype: 'text/csv',
      size: 3,
      data: btoa('x,y'),
      sender: 'star',
    });
  });

  test('edit, with new buttons', async () => {
    const { client, give } = await reachable();
    const { body } = await give({ kind: 'message', text: 'old' });
    const id = body.results[0]?.id;
    const buttons = [{ label: 'Undo', custom_id: 'undo' }];
    expect((await give({ kind: 'edit', id, text: 'new', buttons })).body.results).toEqual([
      { id, seq: 2, delivered: true },
    ]);
    expect(await client.frame('edit')).toMatchObject({ id, text: 'new', buttons, conversation: 'default' });
    client.send({ type: 'action', client_id: 'c', message: id, custom_id: 'undo' });
    await client.frame('ack');
  });

  test('typing is shown and not kept', async () => {
    const { person, client, give } = await reachable();
    expect((await give({ kind: 'typing', active: true, conversation: 'work' })).body.results).toEqual([
      { delivered: true },
    ]);
    expect(await client.frame('typing')).toEqual({
      type: 'typing',
      active: true,
      sender: 'star',
      conversation: 'work',
    });
    await client.close();
    expect((await give({ kind: 'typing', active: true })).body.results).toEqual([{ delivered: false }]);
    expect((await world().connect(person)).all('typing')).toEqual([]);
  });

  test('turn opened by the upstream: the result’s id is the turn, and chunks follow', async () => {
    const { client, channel, give } = await reachable();
    const { body } = await give({ kind: 'turn', conversation: 'news' });
    const turn = body.results[0]?.id ?? '';
    expect(await client.frame('turn')).toMatchObject({
      turn,
      status: 'queued',
      conversation: 'news',
      seq: 1,
    });
    await give({ kind: 'chunk', turn, text: 'breaking' });
    await give({ kind: 'done', turn });
    expect(await client.frame('message')).toMatchObject({ text: 'breaking', turn, conversation: 'news' });
    expect((await world().internal(`/turns/${turn}`)).body).toMatchObject({ channel, status: 'completed' });
  });

  test('turn with an id of the upstream’s own: opened once', async () => {
    const { give } = await reachable();
    expect((await give({ kind: 'turn', id: 'job-7' })).body.results).toMatchObject([{ id: 'job-7', seq: 1 }]);
    expect((await give({ kind: 'turn', id: 'job-7' })).body.results).toMatchObject([
      { id: 'job-7', seq: 1, duplicate: true },
    ]);
    await give({ kind: 'done', turn: 'job-7' });
    expect(await give({ kind: 'turn', id: 'job-7' })).toMatchObject(refused(409, 'conflict', 'id'));
  });

  test('a chunk for a turn that does not exist is not_found', async () => {
    const { give } = await reachable();
    expect(await give({ kind: 'chunk', turn: 'turn_none', text: 'x' })).toMatchObject(
      refused(404, 'not_found'),
    );
  });

  test('prompt, in each way of writing it', async () => {
    const { client, give } = await reachable();
    const ways = [
      [{ question: 'a' }, 'text'],
      [{ question: 'b', choices: ['x'] }, 'choice'],
      [{ question: 'c', schema: { type: 'object' } }, 'form'],
      [{ question: 'd', prompt_kind: 'approval', prompt: 'ask-1' }, 'approval'],
      [{ prompt: { question: 'e', kind: 'choice', id: 'ask-2', choices: [{ value: 'v' }] } }, 'choice'],
    ] as const;
    for (const [fields, kind] of ways) {
      const { status, body } = await give({ kind: 'prompt', ...fields });
      expect(status).toBe(200);
      expect(await client.frame('prompt', ({ prompt }) => prompt === body.results[0]?.id)).toMatchObject({
        kind,
      });
    }
    expect(client.all('prompt').map(({ prompt }) => prompt)).toEqual(
      expect.arrayContaining(['ask-1', 'ask-2']),
    );
    expect(await give({ kind: 'prompt', prompt: 'ask-1', question: 'again' })).toMatchObject(
      refused(409, 'conflict', 'prompt'),
    );
  });

  test('error and done end a turn, and say how', async () => {
    const { client, give } = await reachable();
    for (const [id, end, status] of [
      ['a', { kind: 'done', finish_reason: 'length' }, 'completed'],
      ['b', { kind: 'error', label: 'Oh', type: 't', message: 'm', hint: 'h' }, 'failed'],
    ] as const) {
      await give({ kind: 'turn', id });
      await give({ turn: id, ...end });
      expect(
        await client.frame('turn', (frame) => frame.turn === id && frame.status === status),
      ).toBeTruthy();
    }
  });
});

describe('P-UP-4 one request', () => {
  test('an array may be for many channels and tenants; results come in its order', async () => {
    const [one, two] = [await world().person(), await world().person({ tenant: 'acme' })];
    const [a, b] = [await world().connect(one), await world().connect(two)];
    const offline = await world().person();
    const { status, body } = await world().outbound([
      { channel: one.channel, kind: 'message', text: 'one' },
      { channel: two.channel, tenant: 'acme', kind: 'message', text: 'two' },
      { channel: offline.channel, kind: 'message', text: 'nobody' },
      { channel: one.channel, kind: 'message', text: 'one again' },
    ]);
    expect(status).toBe(200);
    expect(body.results).toMatchObject([
      { seq: 1, delivered: true },
      { seq: 1, delivered: true },
      { seq: 1, delivered: false },
      { seq: 2, delivered: true },
    ]);
    await a.frame('message', ({ text }) => text === 'one again');
    expect(await b.frame('message')).toMatchObject({ text: 'two' });
  });

  test('an empty array is nothing to do', async () => {
    expect(await world().outbound([])).toMatchObject({ status: 200, body: { results: [] } });
  });

  test('P-UP-8 one bad event of an array spoils none of its neighbours', async () => {
    const { channel, client } = await reachable();
    const { status, body } = await world().outbound([
      { channel, kind: 'message', text: 'before' },
      { channel, kind: 'message' },
      'nonsense',
      { channel, kind: 'edit', id: 'unknown', text: 'x' },
      { channel, kind: 'message', text: 'after' },
    ]);
    expect(status).toBe(200);
    expect(body.results).toMatchObject([
      { seq: 1, delivered: true },
      { delivered: false, error: { code: 'bad_request', field: 'text' } },
      { delivered: false, error: { code: 'bad_request' } },
      { delivered: false, error: { code: 'not_found', field: 'id' } },
      { seq: 2, delivered: true },
    ]);
    await client.frame('message', ({ text }) => text === 'after');
  });

  test('what counts is whether it is JSON, whatever curl calls it', async () => {
    const { person, channel } = await reachable();
    const reply = await world().internal('/outbound', {
      body: JSON.stringify({ channel, kind: 'message', text: 'from curl' }),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(reply.status).toBe(200);
    expect(person.channel).toBe(channel);
  });

  test('null is as good as a field that is not there', async () => {
    const { channel } = await reachable();
    const event = {
      channel,
      kind: 'message',
      text: 'x',
      buttons: null,
      view: null,
      reply_to: null,
      id: null,
    };
    expect((await world().outbound(event)).status).toBe(200);
  });
});
