import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { useUpstream, verify } from './fake-upstream.ts';
import { complete, requestIdOf, send, statusOf } from './v1.ts';
import type { Person, World } from './world.ts';

/** Deliveries to an upstream by webhook, over real HTTP (P-UP-1, P-UP-2, P-WS-15). */

const { world, upstream } = useUpstream();

/** A user who is connected. */
async function user(
  claims: Parameters<World['person']>[0] = {},
): Promise<{ person: Person; client: Client }> {
  const person = await world().person(claims);
  return { person, client: await world().connect(person) };
}

/** Sends a message and gives what was acknowledged. */
async function say(client: Client, text: string, fields: object = {}) {
  const client_id = randomUUID();
  client.send({ type: 'message', client_id, text, ...fields });
  const ack = await client.frame('ack', (ack) => ack.client_id === client_id);
  return { ...ack, turn: ack.turn ?? expect.fail('the ack names no turn') };
}

const ended = (client: Client, turn: string) =>
  client.frame('turn', (frame) => frame.turn === turn && !['queued', 'running'].includes(frame.status));

describe('P-UP-2 the body of a delivery', () => {
  test('P-UP-2 of a message has exactly the fields of the contract', async () => {
    const { person, client } = await user({ name: 'Ada L.', picture: 'https://example.org/ada.png' });
    const { id, seq, turn } = await say(client, 'Hello 😀', { conversation: 'work', reply_to: 'msg_before' });
    const [delivered] = await upstream().of(turn);
    expect(delivered?.body).toEqual({
      type: 'message',
      tenant: 'default',
      platform: 'webchat',
      channel_id: person.channel,
      conversation: 'work',
      turn,
      seq,
      message_id: id,
      user_id: person.id,
      user_name: 'Ada L.',
      avatar: 'https://example.org/ada.png',
      text: 'Hello 😀',
      is_addressed: true,
      attachments: [],
      channel_name: 'webchat',
      timestamp: expect.closeTo(Date.now() / 1000, -1),
      reply_to_id: 'msg_before',
      extra: {},
    });
  });

  test('P-UP-2 of a pressed button names the button and its message', async () => {
    const { person, client } = await user();
    const buttons = [{ label: 'Yes', custom_id: 'yes' }];
    const [{ id: message } = {}] = await send(world(), {
      channel: person.channel,
      kind: 'message',
      text: 'Sure?',
      buttons,
    });
    client.send({ type: 'action', client_id: 'press', message, custom_id: 'yes' });
    const { turn = '', id, seq } = await client.frame('ack');
    const [delivered] = await upstream().of(turn);
    expect(delivered?.body).toMatchObject({
      ...{ type: 'action', turn, seq, message_id: id, text: 'Yes', reply_to_id: message },
      extra: { custom_id: 'yes', message_id: message },
    });
  });

  test.each([
    ['of a running turn belongs to it', true],
    ['of no turn opens one', false],
  ])('P-UP-2 of an answer to a question %s', async (_, asked) => {
    const { person, client } = await user();
    const { turn } = await say(client, 'Ask me');
    const question = { channel: person.channel, kind: 'prompt', question: 'Which?', choices: ['a', 'b'] };
    const [{ id: prompt } = {}] = await send(world(), { ...question, ...(asked ? { turn } : {}) });
    client.send({ type: 'answer', client_id: 'answer', prompt, value: 'b' });
    const ack = await client.frame('ack', ({ client_id }) => client_id === 'answer');
    const { body } = await upstream().first(({ extra }) => extra.prompt === prompt);
    expect(body).toMatchObject({ type: 'answer', text: 'b', turn: ack.turn, extra: { prompt, value: 'b' } });
    expect(ack.turn === turn).toBe(asked);
  });

  test('P-UP-2 of a cancellation names the turn and its conversation; late events are refused', async () => {
    const { person, client } = await user({ name: 'Ada L.' });
    const { turn, id, seq } = await say(client, 'Long', { conversation: 'work' });
    await upstream().of(turn);
    await send(world(), { channel: person.channel, kind: 'chunk', turn, text: 'so far' });
    client.send({ type: 'cancel', turn });
    expect((await ended(client, turn)).status).toBe('cancelled');
    const [, delivered] = await upstream().of(turn, 2);
    expect(delivered?.body).toMatchObject({
      ...{ type: 'cancel', turn, channel_id: person.channel, conversation: 'work', message_id: id, seq },
      ...{ user_id: person.id, user_name: 'Ada L.' },
    });
    const late = await world().outbound({ channel: person.channel, kind: 'chunk', turn, text: 'late' });
    expect(late.body.results[0]?.error?.code).toBe('turn_finished');
    expect(client.all('message').at(-1)).toMatchObject({ text: 'so far', partial: true });
  });

  test('P-UP-2 of a completion carries the OpenAI request, whatever is in it', async () => {
    const token = await world().token({ sub: 'grace', name: 'Grace', picture: 'https://example.org/g.png' });
    const messages = [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is it?' },
          { type: 'image_url', image_url: { url: 'x' } },
        ],
      },
    ];
    const request = {
      model: 'some/model',
      messages,
      stream: true,
      temperature: 0.5,
      tools: [],
      unheard_of: { of: 1 },
    };
    const response = await complete(world(), token, request);
    const id = requestIdOf(response);
    const [delivered] = await upstream().of(id);
    expect(delivered?.body).toEqual({
      ...{ type: 'completion', tenant: 'default', platform: 'webchat', channel_id: `sse:${id}` },
      ...{ conversation: 'default', turn: id, seq: 0, message_id: id, user_id: 'grace', user_name: 'Grace' },
      ...{ avatar: 'https://example.org/g.png', text: 'What is it?', is_addressed: true, attachments: [] },
      ...{ channel_name: 'webchat', timestamp: expect.any(Number), reply_to_id: null, extra: {} },
      request,
    });
    await response.body?.cancel();
  });
});

describe('P-UP-1 the signature of a delivery', () => {
  test('P-UP-1 is verified by the standardwebhooks library, and by no other secret', async () => {
    const { client } = await user();
    const { turn } = await say(client, 'Signed: "ünïcödé" 漢字');
    const [delivered] = await upstream().of(turn);
    if (!delivered) return expect.fail('nothing was delivered');
    verify(world().server.secrets.UPSTREAM_WEBHOOK_SECRET, delivered);
    const other = `whsec_${Buffer.alloc(32).toString('base64')}`;
    expect(() => verify(other, delivered)).toThrow();
    const tampered = { ...delivered, raw: delivered.raw.replace('Signed', 'Forged') };
    expect(() => verify(world().server.secrets.UPSTREAM_WEBHOOK_SECRET, tampered)).toThrow();
    expect(delivered.headers['content-type']).toBe('application/json');
    expect(delivered.headers['authorization']).toBeUndefined();
  });

  test('P-UP-1 each delivery of a turn has an id of its own', async () => {
    const { client } = await user();
    const { turn } = await say(client, 'And stop');
    await upstream().of(turn);
    client.send({ type: 'cancel', turn });
    const ids = (await upstream().of(turn, 2)).map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('P-WS-15 the order of deliveries', () => {
  test('P-WS-15 messages of a conversation go out in seq order, without waiting for replies', async () => {
    const { person, client } = await user();
    const acks = [];
    for (let n = 0; n < 6; n += 1) acks.push(await say(client, `message ${n}`));
    for (const { turn } of acks) await upstream().of(turn);
    const mine = upstream().deliveries.filter(({ body }) => body.user_id === person.id);
    expect(mine.map(({ body }) => body.text)).toEqual(acks.map((_, n) => `message ${n}`));
    expect(mine.map(({ body }) => body.seq)).toEqual(acks.map(({ seq }) => seq));
  });

  test('P-UP-2 five users at once each get their own reply', async () => {
    const users = await Promise.all(Array.from({ length: 5 }, () => user()));
    await Promise.all(
      users.map(async ({ person, client }) => {
        const { turn } = await say(client, `I am ${person.id}`);
        const [delivered] = await upstream().of(turn);
        expect(delivered?.body).toMatchObject({ user_id: person.id, text: `I am ${person.id}` });
        const { channel } = person;
        await world().ndjson([
          ...['You ', 'are ', person.id].map((text) => ({ channel, kind: 'chunk', turn, text })),
          { channel, kind: 'done', turn },
        ]);
        expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
        const replies = client.all('message').filter(({ role }) => role === 'assistant');
        expect(replies.map(({ text }) => text)).toEqual([`You are ${person.id}`]);
        expect(await statusOf(world(), turn)).toBe('completed');
      }),
    );
  });
});
