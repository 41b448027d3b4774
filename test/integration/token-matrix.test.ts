import { randomUUID } from 'node:crypto';
import { exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressOf, refusalOf, SURFACES, surfaces } from '../surfaces.ts';
import { FakeKeys, type ProviderKey, providerKey } from './fake-keys.ts';
import { JsonSocket } from './json-socket.ts';
import { startServer } from './server.ts';
import { World } from './world.ts';

const issuer = 'https://id.example.com/';
const audience = 'starwire';

let provider: FakeKeys;
let key: ProviderKey;
let world: World;
let file: string;

beforeAll(async () => {
  key = await providerKey('one', 'RS256');
  provider = await FakeKeys.start(key);
  world = new World(
    await startServer({
      env: { AUTH_JWKS_URL: provider.url, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience },
    }),
  );
  const sent = await world.outbound({
    channel: 'webchat:ada',
    kind: 'file',
    filename: 'a.txt',
    data: btoa('a'),
  });
  file = `/files/${sent.body.results[0]?.id}/a.txt`;
});
afterAll(async () => {
  await world?.server.stop();
  await provider?.stop();
});

const now = () => Math.floor(Date.now() / 1000);
const claims = { sub: 'ada', iss: issuer, aud: audience, roles: ['platform_admin'] };
const stranger = await generateKeyPair('RS256');

/** What is shown, and what it is called beside `unauthorized`. */
const bad: [string, () => Promise<string | undefined>, string?][] = [
  ['none', async () => undefined],
  ['nonsense', async () => 'nonsense'],
  ['an expired one', () => world.token({ ...claims, exp: now() - 60 }), 'token_expired'],
  ['an expired one of the provider', () => key.sign({ ...claims, exp: now() - 60 }), 'token_expired'],
  ['one for the future', () => world.token({ ...claims, nbf: now() + 600 })],
  ['one under another secret', () => world.token(claims, 'another-secret-of-thirty-two-bytes!!')],
  [
    'one under another key',
    () =>
      new SignJWT({ ...claims, exp: now() + 600 })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .sign(stranger.privateKey),
  ],
  ['one under the public key', async () => world.token(claims, await exportSPKI(stranger.publicKey))],
  ['one without a signature', async () => new UnsecuredJWT({ ...claims, exp: now() + 600 }).encode()],
  ['one of another issuer', () => key.sign({ ...claims, iss: 'https://evil.example/' })],
  ['one of another issuer under the secret', () => world.token({ ...claims, iss: 'https://evil.example/' })],
  ['one for another audience', () => key.sign({ ...claims, aud: 'another-app' })],
  ['one without an end', () => key.sign({ ...claims, exp: undefined })],
  ['one of a tenant that is no name', () => key.sign({ ...claims, tenant: '../default' })],
  ['an API key that is none', async () => `sk-sw-${'A'.repeat(40)}`],
];

const http = surfaces(({ who }) => ['user', 'person', 'roles', 'internal'].includes(who));
const ask = (name: string, token: string | undefined) => {
  const { method, path } = addressOf(name);
  const fields = method === 'GET' || method === 'DELETE' ? { method } : { method, body: {} };
  const at = path.startsWith('/files/') ? file : path;
  return token === undefined ? world.http<object>(at, fields) : world.as<object>({ token }, at, fields);
};

describe.each(bad)('P-ID-1, P-ID-3: %s', (_, make, code = 'unauthorized') => {
  test.each(http)('%s', async (name) => {
    const token = await make();
    const { status, body } = await ask(name, token);
    // Keys make no keys: that it is a key is said before whether it is one.
    const isKey = token?.startsWith('sk-sw-') && surfaces(({ who }) => who === 'person').includes(name);
    expect(status).toBe(isKey ? 403 : 401);
    const told = name.includes('/internal/') ? 'unauthorized' : isKey ? 'forbidden' : code;
    expect(refusalOf(name, body)).toMatchObject({ error: { code: told } });
    if (token) expect(JSON.stringify(body)).not.toContain(token);
  });

  test('GET /ws', async () => {
    const token = await make();
    for (const by of ['header', 'subprotocol'] as const) {
      const client = await world.open(token === undefined ? {} : { token, by });
      expect((await client.closed).code).toBe(4001);
      expect(client.frames).toMatchObject([{ type: 'error', code: 'unauthorized' }]);
    }
  });

  test.each(surfaces(({ who }) => who === 'socket').filter((name) => name.startsWith('GET /api/')))(
    '%s',
    async (name) => {
      const token = await make();
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const socket = await JsonSocket.open(world.origin, addressOf(name).path, headers);
      expect((await socket.closed).code).toBe(1008);
      expect(JSON.stringify(socket.frames)).toContain(`"type":"${code}"`);
    },
  );

  test('GET /chat/ws/:conversation_id', async () => {
    const token = await make();
    const socket = await JsonSocket.open(world.origin, '/chat/ws/c');
    socket.send({
      type: 'auth',
      userId: 'ada',
      tenantId: 'default',
      ...(token === undefined ? {} : { token }),
    });
    expect((await socket.closed).code).toBe(4001);
  });
});

test('none of it has changed anything', async () => {
  const ada = { token: await key.sign(claims) };
  const rows = await world.as<{ messages: unknown[] }>(ada, '/api/conversations/default/messages');
  expect(rows.body.messages).toHaveLength(1);
  expect((await world.internal('/platform')).body).toMatchObject({ is_running: true });
  expect((await world.internal<{ api_keys: [] }>('/api-keys')).body.api_keys).toEqual([]);
});

test('a good token is let in at each of them, so that the refusals above are about the token', async () => {
  const token = await key.sign({ ...claims, sub: randomUUID() });
  const [internal = ''] = world.server.secrets.INTERNAL_TOKEN.split(',');
  for (const name of http) {
    // An event stream does not end by itself.
    if (SURFACES[name]?.endless) continue;
    const { status } = await ask(name, name.includes('/internal/') ? internal : token);
    expect([name, status]).not.toEqual([name, 401]);
    expect([name, status]).not.toEqual([name, 403]);
  }
});
