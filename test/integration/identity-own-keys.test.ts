import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Events } from './events.ts';
import { refused, useWorld } from './world.ts';

const world = useWorld({
  env: { LIMITS: JSON.stringify({ keys_per_user: 3, sse_heartbeat_ms: 100 }) },
});

interface Created {
  id: string;
  api_key: string;
}
interface Listed {
  api_keys: { id: string; tenant: string; user: string | null }[];
  next: string | null;
}
const bearer = (token: string) => ({ token });
const me = (token: string, headers: Record<string, string> = {}) =>
  world().as(bearer(token), '/api/me', { headers });

describe('P-ID-2 keys that users make for themselves', () => {
  test('are theirs alone, shown once, and gone when they say so', async () => {
    const [ada, eve] = [await world().person(), await world().person()];
    const made = await world().as<Created>(ada, '/api/keys', { body: { name: 'laptop' } });
    expect(made.status).toBe(201);
    expect(await me(made.body.api_key)).toMatchObject({ status: 200, body: { user: { id: ada.id } } });
    const mine = await world().as<Listed>(ada, '/api/keys');
    expect(mine.body).toEqual({
      api_keys: [{ id: made.body.id, name: 'laptop', created_at: expect.any(Number) }],
      next: null,
    });
    expect((await world().as<Listed>(eve, '/api/keys')).body.api_keys).toEqual([]);
    const path = `/api/keys/${made.body.id}`;
    expect(await world().as(eve, path, { method: 'DELETE' })).toMatchObject(refused(404, 'not_found'));
    expect((await me(made.body.api_key)).status).toBe(200);
    expect((await world().as(ada, path, { method: 'DELETE' })).status).toBe(204);
    expect(await me(made.body.api_key)).toMatchObject(refused(401, 'unauthorized'));
  });

  test('a key makes, lists and deletes none: one that got about could never be taken back', async () => {
    const ada = await world().person();
    const { body } = await world().as<Created>(ada, '/api/keys', { body: {} });
    const key = bearer(body.api_key);
    expect(await world().as(key, '/api/keys', { body: {} })).toMatchObject(refused(403, 'forbidden'));
    expect(await world().as(key, '/api/keys')).toMatchObject(refused(403, 'forbidden'));
    expect(await world().as(key, `/api/keys/${body.id}`, { method: 'DELETE' })).toMatchObject(
      refused(403, 'forbidden'),
    );
  });

  test('are limited in number, also when they are made at once', async () => {
    const ada = await world().person();
    const made = await Promise.all(
      Array.from({ length: 6 }, () => world().as(ada, '/api/keys', { body: {} })),
    );
    expect(made.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409, 409]);
    expect((await world().as<Listed>(ada, '/api/keys')).body.api_keys).toHaveLength(3);
  });

  test('a stream that a key opened ends with the key', async () => {
    const ada = await world().person();
    const { body } = await world().as<Created>(ada, '/api/keys', { body: {} });
    const events = await Events.open(world().origin, body.api_key);
    await events.frame('ready');
    await world().as(ada, `/api/keys/${body.id}`, { method: 'DELETE' });
    await events.ended;
  });

  test.each([
    ['/api/sessions/events', undefined, 'keepalive'],
    ['/v1/chat/completions', { stream: true, messages: [{ role: 'user', content: 'silent' }] }, '[DONE]'],
  ])('so does a stream of %s', async (path, request, last) => {
    const ada = await world().person();
    const { body } = await world().as<Created>(ada, '/api/keys', { body: {} });
    const response = await fetch(`${world().origin}${path}`, {
      method: request ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${body.api_key}` },
      body: request ? JSON.stringify(request) : null,
    });
    expect(response.status).toBe(200);
    await world().as(ada, `/api/keys/${body.id}`, { method: 'DELETE' });
    expect(await response.text()).toContain(last);
  });
});

describe('P-ID-2 keys of tenants', () => {
  const make = async (tenant: string) =>
    (await world().internal<Created>('/api-keys', { body: { scope: 'tenant', tenant, name: 'backend' } }))
      .body;

  test('act for the users of their tenant, whom they name, and for no others', async () => {
    const tenant = `t-${randomUUID()}`;
    const { api_key } = await make(tenant);
    for (const user of ['ada', 'Zoë/漢字 😀', '../eve'])
      expect(await me(api_key, { 'x-starwire-user': encodeURIComponent(user) })).toMatchObject({
        status: 200,
        body: { user: { id: user, tenant } },
      });
    // What it does for a user is that user's.
    const headers = { 'x-starwire-user': 'ada' };
    const sent = await world().as<{ conversation: string }>(bearer(api_key), '/api/messages', {
      headers,
      body: { client_id: 'one', text: 'silent' },
    });
    expect(sent.status).toBe(202);
    const own = await world().person({ sub: 'ada', tenant });
    const rows = (who: { token: string }) =>
      world().as<{ messages: unknown[] }>(who, '/api/conversations/default/messages');
    expect((await rows(own)).body.messages).toHaveLength(1);
    expect((await rows(await world().person({ sub: 'ada' }))).body.messages).toEqual([]);
  });

  test.each([
    ['no user', {}],
    ['an empty one', { 'x-starwire-user': '' }],
    ['one that is not encoded', { 'x-starwire-user': '%zz' }],
    ['one with a control character', { 'x-starwire-user': 'a%0Ab' }],
    ['one of 129 characters', { 'x-starwire-user': 'x'.repeat(129) }],
  ])('with %s are bad_request', async (_, headers) => {
    const { api_key } = await make('acme');
    expect(await me(api_key, headers)).toMatchObject({ status: 400 });
  });

  test('who is a user can name nobody else', async () => {
    const ada = await world().person();
    const headers = { 'x-starwire-user': 'eve' };
    expect(await me(ada.token, headers)).toMatchObject(refused(403, 'forbidden'));
    expect((await me(ada.token, { 'x-starwire-user': encodeURIComponent(ada.id) })).status).toBe(200);
    const { body } = await world().internal<Created>('/api-keys', { body: { user: ada.id } });
    expect(await me(body.api_key, headers)).toMatchObject(refused(403, 'forbidden'));
  });

  test('are made by naming the tenant, and listed by it', async () => {
    for (const body of [
      { scope: 'tenant' },
      { scope: 'everything', tenant: 'acme' },
      { scope: 'tenant', tenant: 'A' },
    ])
      expect(await world().internal('/api-keys', { body })).toMatchObject(refused(400, 'bad_request'));
    const tenant = `t-${randomUUID()}`;
    const { id } = await make(tenant);
    await world().internal('/api-keys', { body: { tenant, user: 'ada' } });
    const list = async (query: string) =>
      (await world().internal<Listed>(`/api-keys?${query}`)).body.api_keys.map(({ user }) => user);
    expect(new Set(await list(`tenant=${tenant}`))).toEqual(new Set([null, 'ada']));
    expect(await list(`tenant=${tenant}&user=ada`)).toEqual(['ada']);
    expect(await list(`tenant=t-${randomUUID()}`)).toEqual([]);
    expect((await world().internal(`/api-keys/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await list(`tenant=${tenant}`)).toEqual(['ada']);
  });
});
