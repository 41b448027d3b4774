import { describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { type Person, useWorld } from './world.ts';

const world = useWorld();

const soon = () => Math.floor(Date.now() / 1000) + 2;

/** A development token that ends soon, as P-ID-4 gives it, and when. */
async function shortLived(): Promise<Person & { exp: number }> {
  const person = await world().person();
  const body = { user: person.id, ttl_s: 1 };
  const reply = await world().http<{ token: string }>('/dev/token', { body });
  expect(reply.status).toBe(200);
  const { token } = reply.body;
  const claims: { exp: number } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return { ...person, token, exp: claims.exp };
}

/** Resolves when a token's time is over. */
const over = ({ exp }: { exp: number }) =>
  new Promise<void>((resolve) => setTimeout(resolve, exp * 1000 - Date.now() + 5));

const expired = async (client: Client) => {
  expect((await client.closed).code).toBe(4010);
  expect(client.frames.at(-1)).toMatchObject({ type: 'error', code: 'token_expired', retryable: true });
};

describe('P-WS-12 tokens expire', () => {
  test('at the first client frame after it, which is not applied', async () => {
    const person = await shortLived();
    const client = await world().connect(person);
    await over(person);
    client.send({ type: 'message', client_id: 'late', text: 'too late' });
    await expired(client);
    const fresh = await world().person({ sub: person.id });
    expect((await world().as(fresh, '/api/conversations/default/messages')).body).toEqual({
      messages: [],
      next: null,
    });
  });

  test.each([
    ['typing', { type: 'typing', active: true }],
    ['cancel', { type: 'cancel', turn: 't' }],
    ['seen', { type: 'seen', seq: 0 }],
    ['a bad frame', 'bad'],
  ])('at %s as well', async (_, frame) => {
    const person = await shortLived();
    const client = await world().connect(person);
    await over(person);
    client.send(frame);
    await expired(client);
  });

  test('before a push: it goes to those who may see it, and waits for the other', async () => {
    const person = await shortLived();
    const client = await world().connect(person);
    await over(person);
    const { channel } = person;
    const { body } = await world().outbound({ channel, kind: 'message', text: 'secret' });
    expect(body.results).toMatchObject([{ delivered: false }]);
    await expired(client);
    expect(client.all('message')).toEqual([]);
    const next = await world().connect(await world().person({ sub: person.id }));
    expect(next.all('message')).toMatchObject([{ text: 'secret' }]);
  });

  test('not where a refresh came before: the session goes on', async () => {
    const person = await shortLived();
    const client = await world().connect(person);
    client.send({ type: 'refresh', token: await world().token({ sub: person.id, name: 'Renamed' }) });
    await client.settled();
    await over(person);
    await world().outbound({ channel: person.channel, kind: 'message', text: 'still here' });
    expect(await client.frame('message')).toMatchObject({ text: 'still here' });
    const { body } = await world().internal(`/users/${person.id}`);
    expect(body).toMatchObject({ sessions: [{ user_name: 'Renamed' }] });
  });

  test('a refresh after the end comes too late', async () => {
    const person = await shortLived();
    const client = await world().connect(person);
    await over(person);
    client.send({ type: 'refresh', token: await world().token({ sub: person.id }) });
    await expired(client);
  });

  test('an expired refresh is told, and the session keeps the token it has', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    client.send({ type: 'refresh', token: await world().token({ sub: person.id, exp: soon() - 60 }) });
    expect(await client.frame('error')).toMatchObject({ code: 'token_expired' });
    await client.settled();
  });

  test.each([
    ['user', (_: Person) => ({ sub: 'somebody-else' })],
    ['tenant', ({ id }: Person) => ({ sub: id, tenant: 'acme' })],
  ])('a refresh for another %s: 4003', async (_, claims) => {
    const person = await world().person();
    const client = await world().connect(person);
    client.send({ type: 'refresh', token: await world().token(claims(person)) });
    expect((await client.closed).code).toBe(4003);
    expect(client.frames.at(-1)).toMatchObject({ type: 'error', code: 'forbidden' });
  });
});

describe('P-WS-11 cancel', () => {
  test('from another tab: the text is kept as partial, the turn ends cancelled, late chunks are dropped', async () => {
    const person = await world().person();
    const [sender, other] = [await world().connect(person), await world().connect(person)];
    const turn = await world().turn(sender);
    const event = { channel: person.channel, turn };
    await world().outbound({ ...event, kind: 'chunk', text: 'so far' });
    await other.frame('chunk');
    other.send({ type: 'cancel', turn });
    for (const client of [sender, other]) {
      const end = await client.frame('turn', ({ status }) => status === 'cancelled');
      expect(client.frames.at(-2)).toMatchObject({
        type: 'message',
        id: end.message,
        text: 'so far',
        partial: true,
      });
    }
    expect(await world().outbound({ ...event, kind: 'chunk', text: ' and late' })).toMatchObject({
      status: 410,
      body: { error: { code: 'turn_finished' } },
    });
    await sender.settled();
    expect(sender.texts.get(turn)?.text).toBe('so far');
  });

  test('reaches a reply that is under way', async () => {
    const client = await world().connect(await world().person());
    client.send({ type: 'message', client_id: 'c', text: 'slow' });
    const { turn } = await client.frame('chunk');
    client.send({ type: 'cancel', turn });
    const end = await client.frame('turn', ({ status }) => status === 'cancelled');
    const message = await client.frame('message', ({ id }) => id === end.message);
    expect(message).toMatchObject({ partial: true, text: client.texts.get(turn)?.text });
  });

  test('of a finished turn is turn_finished', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const turn = await world().turn(client);
    await world().outbound({ channel: person.channel, turn, kind: 'done' });
    await client.frame('turn', ({ status }) => status === 'completed');
    client.send({ type: 'cancel', turn });
    expect(await client.frame('error')).toMatchObject({ code: 'turn_finished' });
    expect(client.all('turn').at(-1)).toMatchObject({ status: 'completed' });
  });

  test('of somebody else’s turn is not_found, and changes nothing', async () => {
    const owner = await world().connect(await world().person());
    const turn = await world().turn(owner);
    const thief = await world().connect(await world().person());
    thief.send({ type: 'cancel', turn });
    expect(await thief.frame('error')).toMatchObject({ code: 'not_found' });
    expect((await world().internal(`/turns/${turn}`)).body).toMatchObject({ status: 'queued' });
  });

  test('of a queued turn: the next one begins, the cancelled one never does', async () => {
    const client = await world().connect(await world().person());
    const first = await world().turn(client);
    const second = await world().turn(client, { text: 'help' });
    const third = await world().turn(client, { text: 'help' });
    client.send({ type: 'cancel', turn: second });
    await client.frame('turn', ({ turn, status }) => turn === second && status === 'cancelled');
    client.send({ type: 'cancel', turn: first });
    await client.frame('turn', ({ turn, status }) => turn === third && status === 'completed');
    expect(client.all('turn').filter(({ turn }) => turn === second)).toMatchObject([
      { status: 'queued' },
      { status: 'cancelled' },
    ]);
  });
});
