import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from './server.ts';
import { refused, useWorld, World } from './world.ts';

const rotation = ['the-first-internal-token', 'the-second-internal-token'];
const world = useWorld({
  env: { INTERNAL_TOKEN: `${rotation[0]} , ${rotation[1]}`, ALLOWED_ORIGINS: 'https://chat.example.com' },
});

describe('P-ID-3 the internal token', () => {
  const users = { path: '/internal/users', method: 'GET' };
  test.each(rotation)('%s of the list is taken', async (token) => {
    expect((await world().as({ token }, users.path)).status).toBe(200);
  });

  const wrong: [string, string | undefined][] = [
    ['none', undefined],
    ['another one', 'Bearer the-third-internal-token!'],
    ['the whole list', `Bearer ${rotation.join(',')}`],
    ['a beginning', 'Bearer the-first-internal-toke'],
    ['one and more', `Bearer ${rotation[0]}x`],
    ['another case', `Bearer ${rotation[0]?.toUpperCase()}`],
    ['another scheme', `Basic ${rotation[0]}`],
    ['no scheme', `${rotation[0]}`],
    ['an empty one', 'Bearer '],
  ];
  test.each(wrong)('%s is unauthorized everywhere, and nothing is applied', async (_, authorization) => {
    const person = await world().person();
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const event = { channel: person.channel, kind: 'message', text: 'forged' };
    for (const [path, body] of [
      ['/outbound', event],
      ['/users', undefined],
      [`/users/${person.id}`, undefined],
      ['/turns/turn_x', undefined],
      ['/platform', undefined],
      ['/platform/stop', {}],
      ['/history?channel=webchat:x', undefined],
      ['/api-keys', { user: person.id }],
      ['/nothing', undefined],
    ] as const)
      expect(await world().http(`/internal${path}`, { headers, body })).toMatchObject(
        refused(401, 'unauthorized'),
      );
    const ndjson = { ...headers, 'content-type': 'application/x-ndjson' };
    expect(
      await world().http('/internal/outbound', { headers: ndjson, body: `${JSON.stringify(event)}\n` }),
    ).toMatchObject(refused(401, 'unauthorized'));
    expect((await world().connect(person)).all('message')).toEqual([]);
    expect((await world().internal('/platform')).body).toMatchObject({ is_running: true });
  });

  test('a user token opens nothing internal, the internal token nothing of a user', async () => {
    expect(await world().as(await world().person(), users.path)).toMatchObject(refused(401, 'unauthorized'));
    expect(await world().as({ token: rotation[0] ?? '' }, '/api/me')).toMatchObject(
      refused(401, 'unauthorized'),
    );
  });
});

describe('P-ID-2 API keys', () => {
  interface Created {
    id: string;
    api_key: string;
  }
  const create = (body: object) => world().internal<Created>('/api-keys', { body });
  const list = () => world().internal<{ api_keys: { id: string }[] }>('/api-keys');
  const me = (token: string) => world().as({ token }, '/api/me');

  test('are shown once, are for one tenant and user, and work on /api and /v1', async () => {
    const person = await world().person();
    const { status, body } = await create({ user: person.id, tenant: 'acme', name: 'laptop' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^key_/),
      api_key: expect.stringMatching(/^sk-sw-.{40}/),
    });
    expect(await me(body.api_key)).toMatchObject({
      status: 200,
      body: { user: { id: person.id, tenant: 'acme' } },
    });
    expect((await world().as({ token: body.api_key }, '/v1/models')).status).toBe(200);

    const listed = await list();
    expect(listed.status).toBe(200);
    expect(listed.body.api_keys.find(({ id }) => id === body.id)).toEqual({
      id: body.id,
      tenant: 'acme',
      user: person.id,
      name: 'laptop',
      created_at: expect.any(Number),
    });
    expect(JSON.stringify(listed.body)).not.toContain(body.api_key);
  });

  test('are nowhere in the state of the server', async () => {
    const { body } = await create({ user: 'carol', name: 'a name that is stored' });
    await me(body.api_key);
    const { state } = world().server;
    const files = (await readdir(join(state, 'storage'), { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile(),
    );
    const contents = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))));
    expect(contents.some((bytes) => bytes.includes('a name that is stored'))).toBe(true);
    expect(contents.some((bytes) => bytes.includes(body.api_key))).toBe(false);
  });

  test('take effect no more once they are deleted', async () => {
    const { body } = await create({ user: 'bob' });
    expect((await me(body.api_key)).status).toBe(200);
    const gone = await world().internal(`/api-keys/${body.id}`, { method: 'DELETE' });
    expect(gone).toMatchObject({ status: 204, body: '' });
    expect(await me(body.api_key)).toMatchObject(refused(401, 'unauthorized'));
    expect((await list()).body.api_keys.map(({ id }) => id)).not.toContain(body.id);
    expect(await world().internal(`/api-keys/${body.id}`, { method: 'DELETE' })).toMatchObject(
      refused(404, 'not_found'),
    );
  });

  test('that never were are unauthorized', async () => {
    for (const key of ['sk-sw-', 'sk-sw-x', `sk-sw-${'A'.repeat(40)}`, `sk-${'A'.repeat(40)}`])
      expect(await me(key)).toMatchObject(refused(401, 'unauthorized'));
  });

  test.each([
    [{}, 'user'],
    [{ user: '' }, 'user'],
    [{ user: 7 }, 'user'],
    [{ user: 'x'.repeat(129) }, 'user'],
    [{ user: 'a\nb' }, 'user'],
    [{ user: 'x', tenant: 'NOT A NAME' }, 'tenant'],
    [{ user: 'x', name: 'n'.repeat(257) }, 'name'],
  ])('for %j are bad_request', async (body, field) => {
    expect(await create(body)).toMatchObject(refused(400, 'bad_request', field));
  });
});

describe('P-ID-4 development sign-in', () => {
  /** A request with a Host of its own. */
  const post = (headers: Record<string, string>, path = '/dev/token') =>
    new Promise<number>((resolve, reject) => {
      const sent = request(`${world().origin}${path}`, { method: 'POST', headers }, (response) =>
        resolve(response.resume().statusCode ?? 0),
      );
      sent.on('error', reject);
      sent.end(JSON.stringify({ user: 'dev' }));
    });

  test('gives tokens with what was asked for', async () => {
    const asked = { user: 'dev', name: 'Dev', tenant: 'acme', roles: ['admin'], ttl_s: 30 };
    const { status, body } = await world().http<{ token: string }>('/dev/token', { body: asked });
    expect(status).toBe(200);
    const claims: { exp: number; iat: number; roles: string[] } = JSON.parse(
      Buffer.from(body.token.split('.')[1] ?? '', 'base64url').toString(),
    );
    expect(claims).toMatchObject({ sub: 'dev', name: 'Dev', tenant: 'acme', roles: ['admin'] });
    expect(claims.exp - claims.iat).toBe(30);
    expect((await world().as(body, '/api/me')).status).toBe(200);
  });

  test('gives API keys', async () => {
    const { body } = await world().http<{ api_key: string }>('/dev/api-key', { body: { user: 'dev' } });
    expect(await world().as({ token: body.api_key }, '/api/me')).toMatchObject({
      body: { user: { id: 'dev', tenant: 'default' } },
    });
  });

  test.each([
    [{}, 'user'],
    [{ user: 'x', ttl_s: 0 }, 'ttl_s'],
    [{ user: 'x', ttl_s: 1.5 }, 'ttl_s'],
    [{ user: 'x', roles: 'admin' }, 'roles'],
    [{ user: 'x', tenant: '' }, 'tenant'],
  ])('of %j is bad_request', async (body, field) => {
    expect(await world().http('/dev/token', { body })).toMatchObject(refused(400, 'bad_request', field));
  });

  test.each(['localhost', '127.0.0.1', '[::1]'])('answers on the loopback name %s', async (name) => {
    expect(await post({ host: `${name}:${world().server.port}` })).toBe(200);
  });

  test.each([
    'chat.example.com',
    '192.168.1.7:8787',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '0.0.0.0',
  ])('is not there on %s', async (host) => {
    expect(await post({ host })).toBe(404);
    expect(await post({ host }, '/dev/api-key')).toBe(404);
  });

  test('answers our own Origin, and no foreign one, listed or not', async () => {
    expect(await post({ origin: world().origin })).toBe(200);
    for (const origin of ['https://evil.example', 'https://chat.example.com', 'null', 'http://localhost:1'])
      expect(await post({ origin })).toBe(404);
  });

  describe('without DEV_AUTH=true', () => {
    const others: World[] = [];
    beforeAll(async () => {
      for (const DEV_AUTH of ['false', '1', ''])
        others.push(new World(await startServer({ env: { DEV_AUTH } })));
    });
    afterAll(async () => {
      for (const { server } of others) await server.stop();
    });

    test('it is not there, and the start prints no sign-in link', async () => {
      for (const other of others) {
        for (const path of ['/dev/token', '/dev/api-key'])
          expect(await other.http(path, { body: { user: 'dev' } })).toMatchObject(refused(404, 'not_found'));
        expect(other.server.output()).not.toContain('#token=');
      }
    });
  });
});
