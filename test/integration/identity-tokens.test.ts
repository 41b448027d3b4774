import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Events } from './events.ts';
import { startServer } from './server.ts';
import { refused, World } from './world.ts';

const issuer = 'https://id.example.com/';
const audience = 'starwire-chat';

const rsa = await generateKeyPair('RS256', { extractable: true });
const ec = await generateKeyPair('ES256', { extractable: true });
const stranger = await generateKeyPair('RS256');
const keys = [
  { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256', use: 'sig' },
  { ...(await exportJWK(ec.publicKey)), kid: 'ec', alg: 'ES256', use: 'sig' },
];

/** The identity provider's keys, over real HTTP. */
let provider: Server;
let asked = 0;
let world: World;

beforeAll(async () => {
  provider = createServer((_, response) => {
    asked += 1;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  });
  await once(provider.listen(0, '127.0.0.1'), 'listening');
  const { port } = provider.address() as AddressInfo;
  world = new World(
    await startServer({
      env: {
        AUTH_JWKS_URL: `http://127.0.0.1:${port}/keys`,
        AUTH_ISSUER: issuer,
        AUTH_AUDIENCE: audience,
      },
    }),
  );
});
afterAll(async () => {
  await world?.server.stop();
  provider?.close();
});

const now = () => Math.floor(Date.now() / 1000);
const claimsOf = (claims: JWTPayload): JWTPayload => ({
  sub: 'ada',
  iss: issuer,
  aud: audience,
  exp: now() + 600,
  ...claims,
});
const hs256 = (claims: JWTPayload = {}, secret?: string) => world.token(claimsOf(claims), secret);
const rs256 = (claims: JWTPayload = {}, key = rsa.privateKey, kid = 'rsa') =>
  new SignJWT(claimsOf(claims)).setProtectedHeader({ alg: 'RS256', kid }).sign(key);
const es256 = (claims: JWTPayload = {}) =>
  new SignJWT(claimsOf(claims)).setProtectedHeader({ alg: 'ES256', kid: 'ec' }).sign(ec.privateKey);
const without = (...names: string[]) => Object.fromEntries(names.map((name) => [name, undefined]));

const bad: [string, () => Promise<string | undefined>, string?][] = [
  ['no token', async () => undefined],
  ['a word', async () => 'nonsense'],
  ['three words', async () => 'a.b.c'],
  ['a token of 20,000 characters', () => hs256({ filler: 'x'.repeat(20_000) })],
  ['HS256, expired', () => hs256({ exp: now() - 5 }), 'token_expired'],
  ['HS256, not valid yet', () => hs256({ nbf: now() + 300 })],
  ['HS256, without exp', () => hs256(without('exp'))],
  ['HS256, without sub', () => hs256(without('sub'))],
  ['HS256, another secret', () => hs256({}, 'another-secret-another-secret-another!')],
  ['HS256, a control character in sub', () => hs256({ sub: 'a\u0000b' })],
  ['HS256, a sub of 129 characters', () => hs256({ sub: 'x'.repeat(129) })],
  ['HS256, an empty sub', () => hs256({ sub: '' })],
  ['HS256, a tenant that is no name', () => hs256({ tenant: '../acme' })],
  ['HS256, roles that are no list', () => hs256({ roles: 'admin' })],
  ['HS256, signed with the public RSA key', async () => hs256({}, await exportSPKI(rsa.publicKey))],
  [
    'HS512 under the right secret',
    () =>
      new SignJWT(claimsOf({}))
        .setProtectedHeader({ alg: 'HS512' })
        .sign(new TextEncoder().encode(world.server.secrets.AUTH_SECRET)),
  ],
  ['alg none', async () => new UnsecuredJWT(claimsOf({})).encode()],
  ['RS256, an unknown key', () => rs256({}, stranger.privateKey)],
  ['RS256, an unknown kid', () => rs256({}, stranger.privateKey, 'other')],
  ['RS256, another issuer', () => rs256({ iss: 'https://evil.example/' })],
  ['RS256, no issuer', () => rs256(without('iss'))],
  ['RS256, another audience', () => rs256({ aud: 'another-app' })],
  ['RS256, no audience', () => rs256(without('aud'))],
  ['RS256, expired', () => rs256({ exp: now() - 5 }), 'token_expired'],
  ['RS256, not valid yet', () => rs256({ nbf: now() + 300 })],
  ['ES256, expired', () => es256({ exp: now() - 5 }), 'token_expired'],
  [
    'ES256, changed on the way',
    async () => {
      const [head, , signature] = (await es256()).split('.');
      const claims = Buffer.from(JSON.stringify(claimsOf({ sub: 'eve' }))).toString('base64url');
      return `${head}.${claims}.${signature}`;
    },
  ],
];

describe.each(bad)('P-ID-1 %s is refused', (_, make, code = 'unauthorized') => {
  test.each(['/api/me', '/api/events', '/v1/models', '/api/conversations/default/messages'])(
    'by %s',
    async (path) => {
      const token = await make();
      const reply = await (token === undefined ? world.http(path) : world.as({ token }, path));
      expect(reply).toMatchObject(refused(401, code));
      if (token) expect(JSON.stringify(reply.body)).not.toContain(token);
    },
  );

  test('by /files', async () => {
    const path = await aFile();
    const token = await make();
    const reply = await (token === undefined ? world.http(path) : world.as({ token }, path));
    expect(reply).toMatchObject(refused(401, code));
  });

  test('by /ws', async () => {
    const token = await make();
    const client = await world.open(token === undefined ? {} : { token });
    expect((await client.closed).code).toBe(4001);
    expect(client.frames).toMatchObject([{ type: 'error', code: 'unauthorized' }]);
  });
});

/** A file of ada's. */
let file: string | undefined;
async function aFile(): Promise<string> {
  if (file === undefined) {
    const { body } = await world.outbound({
      channel: 'webchat:ada',
      kind: 'file',
      filename: 'a.txt',
      mimetype: 'text/plain',
      data: btoa('hello'),
    });
    file = `/files/${body.results[0]?.id}/a.txt`;
  }
  return file;
}

describe('P-ID-1 a good token', () => {
  const good: [string, (claims?: JWTPayload) => Promise<string>][] = [
    ['HS256 under AUTH_SECRET', hs256],
    ['RS256 under AUTH_JWKS_URL', (claims) => rs256(claims)],
    ['ES256 under AUTH_JWKS_URL', es256],
  ];
  test.each(good)('%s is let in everywhere', async (_, make) => {
    const token = await make({ name: 'Ada', tenant: 'default', roles: ['admin'], nbf: now() - 5 });
    expect(await world.as({ token }, '/api/me')).toMatchObject({
      status: 200,
      body: { user: { id: 'ada', name: 'Ada' } },
    });
    expect((await world.as({ token }, '/v1/models')).status).toBe(200);
    expect(await world.as({ token }, await aFile())).toMatchObject({ status: 200, body: 'hello' });
    const client = await world.connect({ token });
    await client.close();
    const events = await Events.open(world.origin, token);
    await events.frame('ready');
    events.close();
  });

  test('the keys are fetched once, not for every token', async () => {
    await world.as({ token: await rs256() }, '/api/me');
    const before = asked;
    for (let n = 0; n < 10; n++) await world.as({ token: await rs256() }, '/api/me');
    expect(asked).toBe(before);
  });

  test('a development token names what the deployment requires', async () => {
    const { body } = await world.http<{ token: string }>('/dev/token', { body: { user: 'dev' } });
    expect(await world.as(body, '/api/me')).toMatchObject({ status: 200, body: { user: { id: 'dev' } } });
  });

  test('a token in the query is bad_request on every surface', async () => {
    const token = await hs256();
    for (const path of ['/api/me', '/api/events', '/v1/models'])
      expect(await world.as({ token }, `${path}?token=${token}`)).toMatchObject(refused(400, 'bad_request'));
  });
});

test('P-ID-1 keys that cannot be read are an outage of ours: nobody is signed out', async () => {
  const server = await startServer({ env: { AUTH_JWKS_URL: 'http://127.0.0.1:9/keys' } });
  try {
    const other = new World(server);
    const token = await rs256();
    expect(await other.as({ token }, '/api/me')).toMatchObject(refused(500, 'internal'));
    await expect(other.open({ token })).rejects.toMatchObject({ status: 500 });
    expect((await other.as(await other.person(), '/api/me')).status).toBe(200);
  } finally {
    await server.stop();
  }
});
