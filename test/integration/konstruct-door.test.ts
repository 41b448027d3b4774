import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { JsonSocket } from './json-socket.ts';
import { auth, usePortal, words } from './portal.ts';
import { type Person, useWorld } from './world.ts';

/** Who may open the portal's socket, and what ends it. */

const portal = usePortal();

describe('P-DI-1 who it is', () => {
  const refusals: [string, string, (person: Person) => object | string][] = [
    ['a first frame that is none', 'First message must be auth', () => ({ type: 'message', text: 'hi' })],
    ['no JSON', 'First message must be auth', () => 'hello?'],
    ['no user', 'Missing userId or tenantId in auth', (person) => ({ ...auth(person), userId: '' })],
    [
      'a user that is no UUID',
      'Invalid UUID format in auth',
      (person) => ({ ...auth(person), userId: 'ada' }),
    ],
    ['no token', 'a user token is missing', (person) => ({ ...auth(person), token: undefined })],
    ['a bad token', 'the token is not valid', (person) => ({ ...auth(person), token: 'x.y.z' })],
    [
      'somebody else’s id',
      'the token belongs to somebody else',
      (person) => ({ ...auth(person), userId: randomUUID() }),
    ],
    [
      'another tenant',
      'the token belongs to somebody else',
      (person) => ({ ...auth(person), tenantId: randomUUID() }),
    ],
  ];

  test.each(refusals)('%s: error and 4001', async (_, message, first) => {
    const person = await portal().user();
    const socket = await portal().open(randomUUID());
    socket.send(first(person));
    expect(await socket.closed).toMatchObject({ code: 4001 });
    expect(socket.frames).toEqual([{ type: 'error', message }]);
    const { body } = await portal().world.internal(`/users/${person.id}?tenant=${person.tenant}`);
    expect(body).toEqual({ online: false, sessions: [] });
  });

  test('a conversation that is no UUID: error and 4001', async () => {
    const socket = await portal().enter(await portal().user(), 'support');
    expect(await socket.closed).toMatchObject({ code: 4001 });
    expect(socket.frames).toEqual([{ type: 'error', message: 'Invalid UUID format in conversation_id' }]);
  });

  test('a page of another origin opens nothing, and a token in the address is refused', async () => {
    await expect(portal().open(randomUUID(), { origin: 'https://elsewhere.example' })).rejects.toThrow('403');
    await expect(portal().open(`${randomUUID()}?token=x`)).rejects.toThrow('400');
  });

  test.each([
    ['Authorization', (token: string) => ({ authorization: `Bearer ${token}` })],
    ['a cookie', (token: string) => ({ cookie: `theme=dark; konstruct=${token}` })],
  ])('the token may come with the handshake, in %s: the original’s first frame does', async (_, headers) => {
    const person = await portal().user();
    const socket = await portal().open(randomUUID(), headers(person.token));
    socket.send({ ...auth(person), token: undefined });
    socket.send({ type: 'message', text: 'hi' });
    await socket.frame({ type: 'typing' });
    await socket.close();
  });

  test('section 5.3: its session is listed, by its dialect', async () => {
    const person = await portal().user({ name: 'Ada' });
    const socket = await portal().enter(person, randomUUID());
    const said = words();
    socket.send({ type: 'message', text: said });
    await portal().asked(said);
    const { body } = await portal().world.internal(`/users/${person.id}?tenant=${person.tenant}`);
    expect(body).toMatchObject({
      online: true,
      sessions: [{ user_id: person.id, user_name: 'Ada', dialect: 'konstruct' }],
    });
    await socket.close();
  });

  test('P-WS-12 an expired token ends it with the next push', async () => {
    const person = await portal().user({ exp: Math.floor(Date.now() / 1000) + 2 });
    const socket = await portal().enter(person, randomUUID());
    const { tenant, channel } = person;
    let over = false;
    void socket.closed.then(() => {
      over = true;
    });
    while (!over) await portal().world.outbound({ tenant, channel, kind: 'typing', active: true });
    expect(await socket.closed).toMatchObject({ code: 4010 });
    expect(socket.frames.at(-1)).toEqual({ type: 'error', message: 'the token has expired' });
  });

  test('P-WS-13 bad frames are told and counted, binary and huge ones end it', async () => {
    const person = await portal().user();
    const socket = await portal().enter(person, randomUUID());
    socket.send('no JSON');
    expect(await socket.frame({ type: 'error' })).toEqual({
      type: 'error',
      message: 'the frame is not JSON',
    });
    for (let i = 1; i < 10; i += 1) socket.send({ type: 'message', text: 'hi', conversationId: 'support' });
    expect(await socket.closed).toMatchObject({ code: 1008 });
    const large = await portal().enter(person, randomUUID());
    large.send({ type: 'message', text: 'x'.repeat(300_000) });
    expect(await large.closed).toMatchObject({ code: 1009 });
    const binary = await portal().enter(person, randomUUID());
    binary.sendBinary(new Uint8Array(3));
    expect(await binary.closed).toMatchObject({ code: 1003 });
  });
});

describe('time', () => {
  const hasty = useWorld({ env: { LIMITS: '{"turn_silence_ms":1500,"first_frame_ms":500}' } });

  test('a client that does not say who it is is let go', async () => {
    const socket = await JsonSocket.open(hasty().origin, `/chat/ws/${randomUUID()}`);
    expect(await socket.closed).toMatchObject({ code: 4001 });
  });

  test('an agent that says nothing in time: the original’s error', async () => {
    const person = await hasty().person({ sub: randomUUID(), tenant: randomUUID() });
    const socket = await JsonSocket.open(hasty().origin, `/chat/ws/${randomUUID()}`);
    socket.send(auth(person));
    // The demo takes it and says nothing.
    socket.send({ type: 'message', text: 'silent' });
    expect(await socket.frame({ type: 'error' })).toEqual({
      type: 'error',
      message: 'Agent did not respond in time. Please try again.',
    });
    await socket.close();
  });
});
