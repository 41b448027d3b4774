import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { usePortal, words } from './portal.ts';
import type { Person } from './world.ts';

/** `/api/portal/chat/conversations…`, with the roles of the portal. */

const portal = usePortal();

interface Conversation {
  id: string;
  agent_id: string;
  user_id: string;
}

const PATH = '/api/portal/chat/conversations';
const call = <T>(person: Person, path = '', fields: object = {}) =>
  portal().world.as<T>(person, `${PATH}${path}`, fields);

const begin = async (person: Person, agent_id: string): Promise<Conversation> => {
  const { status, body } = await call<Conversation>(person, '', { body: { agent_id } });
  expect([200, 201]).toContain(status);
  return body;
};

const list = async (person: Person, query = ''): Promise<string[]> => {
  const { body } = await call<{ conversations: Conversation[] }>(person, query);
  return body.conversations.map(({ id }) => id).sort();
};

interface Messages {
  messages: { role: string; content: string; conversation_id: string }[];
  next: number | null;
}

const said = async (person: Person, id: string, query = '') => {
  const { status, body } = await call<Messages>(person, `/${id}/messages${query}`);
  expect(status).toBe(200);
  return body;
};

const denied = { status: 403, body: { detail: 'Access denied', error: { code: 'forbidden' } } };
const missing = { status: 404, body: { detail: 'Conversation not found', error: { code: 'not_found' } } };

describe('conversations', () => {
  test('a user has one with each agent: the same one however often it is asked for', async () => {
    const person = await portal().user();
    const [one, other] = [randomUUID(), randomUUID()];
    const first = await call<Conversation>(person, '', { body: { agent_id: one } });
    expect(first).toMatchObject({
      status: 201,
      body: {
        ...{ tenant_id: person.tenant, agent_id: one, user_id: person.id },
        ...{ created_at: expect.stringMatching(/^\d{4}-.*Z$/), updated_at: expect.stringMatching(/Z$/) },
      },
    });
    const again = await call(person, '', { body: { agent_id: one.toUpperCase(), tenant_id: person.tenant } });
    expect(again).toMatchObject({ status: 200, body: { id: first.body.id } });
    const second = await begin(person, other);
    expect(await list(person)).toEqual([first.body.id, second.id].sort());
  });

  test('asked for at once from two tabs, it is made once', async () => {
    const person = await portal().user();
    const agent = randomUUID();
    const made = await Promise.all(Array.from({ length: 5 }, () => begin(person, agent)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  });

  test('P-DI-3 what was said over the socket is read here, in pages, oldest first', async () => {
    const person = await portal().user();
    const { id } = await begin(person, randomUUID());
    expect(await said(person, id)).toEqual({ messages: [], next: null });
    const socket = await portal().enter(person, id);
    const text = words();
    socket.send({ type: 'message', text });
    await portal().says(person, await portal().asked(text), { kind: 'done', text: 'Hello' });
    await socket.frame({ type: 'done' });
    const { messages } = await said(person, id);
    expect(messages).toMatchObject([
      { role: 'user', content: text, conversation_id: id, created_at: expect.stringMatching(/Z$/) },
      { role: 'assistant', content: 'Hello', conversation_id: id },
    ]);
    const newest = await said(person, id, '?limit=1');
    expect(newest.messages).toEqual([messages[1]]);
    expect((await said(person, id, `?limit=1&before=${newest.next}`)).messages).toEqual([messages[0]]);
    await socket.close();
  });

  test('one that began on the socket, by an id of the portal’s own, is read as well', async () => {
    const person = await portal().user();
    const id = randomUUID();
    expect(await call(person, `/${id}/messages`)).toMatchObject(missing);
    const socket = await portal().enter(person, id);
    const text = words();
    socket.send({ type: 'message', text });
    await portal().asked(text);
    expect((await said(person, id)).messages).toMatchObject([{ role: 'user', content: text }]);
    await socket.close();
  });

  test('who is erased has none', async () => {
    const person = await portal().user();
    const { id } = await begin(person, randomUUID());
    expect(await list(person)).toEqual([id]);
    expect(await portal().world.as(person, '/api/me', { method: 'DELETE' })).toMatchObject({ status: 204 });
    expect(await list(person)).toEqual([]);
  });

  test('a reset: the conversation is gone, and the next one with the agent is new and empty', async () => {
    const person = await portal().user();
    const agent = randomUUID();
    const { id } = await begin(person, agent);
    const socket = await portal().enter(person, id);
    const text = words();
    socket.send({ type: 'message', text });
    await portal().says(person, await portal().asked(text), { kind: 'done', text: 'Hello' });
    await socket.frame({ type: 'done' });
    await socket.close();
    expect(await call(person, `/${id}`, { method: 'DELETE' })).toMatchObject({ status: 204 });
    expect(await call(person, `/${id}/messages`)).toMatchObject(missing);
    // Nor is it left under the native names.
    expect(await portal().world.as(person, `/api/search?q=${encodeURIComponent(text)}`)).toMatchObject({
      status: 200,
      body: { results: [] },
    });
    expect(await portal().world.as(person, '/api/conversations')).toMatchObject({
      body: { conversations: [] },
    });
    expect(await call(person, `/${id}`, { method: 'DELETE' })).toMatchObject(missing);
    const next = await begin(person, agent);
    expect(next.id).not.toBe(id);
    expect((await said(person, next.id)).messages).toEqual([]);
  });
});

describe('a reset', () => {
  test('takes one that nobody has spoken in, and one that began on the socket', async () => {
    const person = await portal().user();
    const { id } = await begin(person, randomUUID());
    expect(await call(person, `/${id}`, { method: 'DELETE' })).toMatchObject({ status: 204 });
    const own = randomUUID();
    const socket = await portal().enter(person, own);
    const text = words();
    socket.send({ type: 'message', text });
    await portal().asked(text);
    await socket.close();
    expect(await call(person, `/${own}`, { method: 'DELETE' })).toMatchObject({ status: 204 });
    expect(await call(person, `/${own}/messages`)).toMatchObject(missing);
  });

  test('by a platform_admin takes the words of their user', async () => {
    const person = await portal().user();
    const admin = await portal().user({ roles: ['platform_admin'] });
    const { id } = await begin(person, randomUUID());
    const socket = await portal().enter(person, id);
    const text = words();
    socket.send({ type: 'message', text });
    await portal().asked(text);
    await socket.close();
    const query = `?tenant_id=${person.tenant}`;
    expect(await call(admin, `/${id}${query}`, { method: 'DELETE' })).toMatchObject({ status: 204 });
    expect(await call(person, `/${id}/messages`)).toMatchObject(missing);
  });
});

describe('P-ID-1 who may', () => {
  test.each([['customer_admin'], ['customer_operator']])(
    'a %s has their own, and nobody else’s',
    async (role) => {
      const tenant = randomUUID();
      const [ada, bob] = await Promise.all([
        portal().user({ tenant, roles: [role] }),
        portal().user({ tenant, roles: [role] }),
      ]);
      const { id } = await begin(ada, randomUUID());
      expect(await list(ada)).toEqual([id]);
      expect(await list(bob)).toEqual([]);
      expect(await call(bob, `/${id}/messages`)).toMatchObject(missing);
      expect(await call(bob, `/${id}`, { method: 'DELETE' })).toMatchObject(missing);
      expect(await call(bob, `?tenant_id=${randomUUID()}`)).toMatchObject(denied);
    },
  );

  test('a platform_admin sees those of every user, in every tenant', async () => {
    const ada = await portal().user();
    const admin = await portal().user({ roles: ['platform_admin'] });
    const { id } = await begin(ada, randomUUID());
    const query = `?tenant_id=${ada.tenant}`;
    expect(await list(admin, query)).toEqual([id]);
    expect((await said(admin, id, query)).messages).toEqual([]);
    expect(await list(admin)).toEqual([]);
  });

  test('no role of the portal, somebody else’s id, or another tenant: 403', async () => {
    const guest = await portal().user({ roles: ['guest'] });
    expect(await call(guest)).toMatchObject(denied);
    const ada = await portal().user();
    expect(await call(ada, '', { headers: { 'x-portal-user-id': ada.id } })).toMatchObject({ status: 200 });
    expect(await call(ada, '', { headers: { 'x-portal-user-id': randomUUID() } })).toMatchObject(denied);
    const elsewhere = { agent_id: randomUUID(), tenant_id: randomUUID() };
    expect(await call(ada, '', { body: elsewhere })).toMatchObject(denied);
  });

  test('without a token 401; with one in a cookie only for our own pages', async () => {
    const { world } = portal();
    expect(await world.http(PATH)).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    const cookie = `konstruct=${(await portal().user()).token}`;
    expect(await world.http(PATH, { headers: { cookie } })).toMatchObject({ status: 200 });
    const foreign = { cookie, origin: 'https://elsewhere.example' };
    expect(await world.http(PATH, { headers: foreign })).toMatchObject({ status: 403 });
  });

  test.each([
    ['a conversation', '/support/messages', {}],
    ['a tenant', '?tenant_id=default', {}],
    ['an agent', '', { body: { agent_id: 'helper' } }],
  ])('%s that is no UUID: 400', async (_, path, fields) => {
    expect(await call(await portal().user(), path, fields)).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('is not a UUID'), error: { code: 'bad_request' } },
    });
  });
});
