import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Client, type OpenOptions, Refused } from './client.ts';
import { useWorld } from './world.ts';

const listed = 'https://chat.example.com';
const world = useWorld({ env: { ALLOWED_ORIGINS: `https://other.example.com, ${listed}` } });

const refusal = (options: OpenOptions): Promise<Refused> =>
  world()
    .open(options)
    .then(
      () => expect.fail('the handshake was accepted'),
      (error: unknown) => (error instanceof Refused ? error : Promise.reject(error)),
    );

describe('P-WS-1 Origin', () => {
  test('a client that sends none is let in', async () => {
    await (await world().connect(await world().person())).close();
  });

  test.each([
    ['our own', () => world().origin],
    ['a listed one', () => listed],
  ])('%s is let in', async (_, origin) => {
    const client = await world().connect(await world().person(), { origin: origin() });
    await client.close();
  });

  test.each([
    ['null', () => 'null'],
    ['a foreign one', () => 'https://evil.example'],
    ['one that ends like a listed one', () => 'https://evil-chat.example.com'],
    ['one that begins like a listed one', () => `${listed}.evil.example`],
    ['a listed host on another port', () => `${listed}:8443`],
    ['a listed host under another scheme', () => 'http://chat.example.com'],
    ['our host on another port', () => `http://127.0.0.1:${world().server.port + 1}`],
    ['our port under another name', () => `http://localhost:${world().server.port}`],
    ['a listed one with a path', () => `${listed}/`],
  ])('%s is refused with 403, whatever the token', async (_, origin) => {
    const { token } = await world().person();
    const { status, body } = await refusal({ token, origin: origin() });
    expect(status).toBe(403);
    expect(body).toMatchObject({ error: { code: 'forbidden', retryable: false } });
  });
});

describe('P-WS-2 the token', () => {
  test('comes in the Authorization header', async () => {
    const person = await world().person({ name: 'Ada Łovelace', picture: 'https://example.com/a.png' });
    const client = await world().connect(person);
    expect(await client.frame('welcome')).toMatchObject({
      protocol: 1,
      user: {
        id: person.id,
        name: 'Ada Łovelace',
        avatar: 'https://example.com/a.png',
        tenant: 'default',
      },
      bot: { platform: 'webchat', user_id: 'star', display_name: 'Star' },
      resumed: false,
    });
    expect(client.protocol).toBe('');
  });

  test('comes in the subprotocols, of which the server selects starwire.v1', async () => {
    const person = await world().person();
    const client = await world().connect(person, { by: 'subprotocol' });
    expect(client.protocol).toBe('starwire.v1');
    expect((await client.frame('welcome')).user.id).toBe(person.id);
  });

  test('in the query string is refused with 400, even where another one is good', async () => {
    const { token } = await world().person();
    const { status, body } = await refusal({ token, query: { token } });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 'bad_request', field: 'token' } });
    expect(JSON.stringify(body)).not.toContain(token);
  });

  test('an id of any script and length up to the limit is one user', async () => {
    for (const sub of ['Žofie Nováková', '星🌟', 'a/b?c#d%2F', 'x'.repeat(128)]) {
      const id = `${sub}`.slice(0, 128);
      const client = await world().connect(await world().person({ sub: id }));
      expect((await client.frame('welcome')).user.id).toBe(id);
      const { body } = await world().internal(`/users/${encodeURIComponent(id)}`);
      expect(body).toMatchObject({ online: true, sessions: [{ user_id: id }] });
      await client.close();
    }
  });
});

describe('P-WS-3 a missing or bad token', () => {
  const key = 'another-secret-another-secret-another-secret';
  const past = () => Math.floor(Date.now() / 1000) - 60;
  const tokens: [string, (sub: string) => Promise<string> | undefined][] = [
    ['none', () => undefined],
    ['a word', async () => 'nonsense'],
    ['one of another key', (sub) => world().token({ sub }, key)],
    ['an expired one', (sub) => world().token({ sub, exp: past() })],
    ['one without sub', () => world().token({})],
    ['an API key', async () => 'sk-sw-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  ];

  test.each(tokens)('%s: the socket opens, says unauthorized and closes 4001', async (_, make) => {
    const sub = `user-${randomUUID()}`;
    const token = await make(sub);
    const client = await world().open(token === undefined ? {} : { token });
    expect((await client.closed).code).toBe(4001);
    expect(client.frames).toEqual([
      { type: 'error', code: 'unauthorized', message: expect.any(String), retryable: expect.any(Boolean) },
    ]);
    if (token) expect(client.raw.join()).not.toContain(token);
    expect((await world().internal(`/users/${sub}`)).body).toEqual({ online: false, sessions: [] });
  });

  test('a browser that offered starwire.v1 can read it: the subprotocol is selected', async () => {
    const client = await world().open({ token: 'nonsense', by: 'subprotocol' });
    expect(client.protocol).toBe('starwire.v1');
    expect((await client.closed).code).toBe(4001);
  });

  test('what is sent to a refused socket changes nothing', async () => {
    const person = await world().person();
    const client = await world().open({ token: `${person.token.slice(0, -4)}AAAA` });
    client.send({ type: 'message', client_id: 'a', text: 'hello' });
    await client.closed;
    const { body } = await world().as(person, '/api/conversations/default/messages');
    expect(body).toEqual({ messages: [], next: null });
  });
});

test('GET /ws without an upgrade is bad_request', async () => {
  const { token } = await world().person();
  const { status, body } = await world().as({ token }, '/ws');
  expect([status, body]).toEqual([400, { error: expect.objectContaining({ code: 'bad_request' }) }]);
});

test('P-WS-2 a doubled slash before ws changes nothing', async () => {
  const { token } = await world().person();
  const client = await Client.open(`${world().origin}/`, { token });
  await client.frame('ready');
  await client.close();
});
