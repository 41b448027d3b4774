import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Events } from './events.ts';
import { refused, useWorld } from './world.ts';

// An SSE client that went away is found by the heartbeat.
const world = useWorld({ env: { LIMITS: JSON.stringify({ sse_heartbeat_ms: 200 }) } });

/** A tenant of one test's own: lists of users are per tenant. */
const tenant = () => `t-${randomUUID()}`;

interface Users {
  active_users: string[];
  total_connections: number;
  approximate: boolean;
}
interface User {
  online: boolean;
  sessions: { connected_at: number }[];
}
const users = async (of: string) => (await world().internal<Users>(`/users?tenant=${of}`)).body;
const user = async (id: string, of = 'default') =>
  (await world().internal<User>(`/users/${encodeURIComponent(id)}?tenant=${of}`)).body;
const nobody = { active_users: [], total_connections: 0, approximate: false };

describe('GET /internal/users', () => {
  test('is exact, also after tabs have gone, well or badly', async () => {
    const acme = tenant();
    expect(await users(acme)).toEqual(nobody);
    const [ada, bob] = [
      await world().person({ sub: 'ada/Ω', tenant: acme }),
      await world().person({ tenant: acme }),
    ];
    const tabs = [await world().connect(ada), await world().connect(ada), await world().connect(bob)];
    expect(await users(acme)).toEqual({
      active_users: expect.arrayContaining([ada.id, bob.id]),
      total_connections: 3,
      approximate: false,
    });
    await tabs[0]?.close();
    await expect.poll(() => users(acme), { timeout: 10_000 }).toMatchObject({ total_connections: 2 });
    await tabs[2]?.drop();
    await expect
      .poll(() => users(acme), { timeout: 10_000 })
      .toMatchObject({ active_users: [ada.id], total_connections: 1 });
    await tabs[1]?.close();
    await expect.poll(() => users(acme), { timeout: 10_000 }).toEqual(nobody);
    const again = await world().connect(bob);
    expect(await users(acme)).toMatchObject({ active_users: [bob.id], total_connections: 1 });
    await again.close();
  });

  test('many users who come and go at once are counted right', async () => {
    const acme = tenant();
    const people = await Promise.all(Array.from({ length: 30 }, () => world().person({ tenant: acme })));
    const clients = await Promise.all(people.map((person) => world().connect(person)));
    expect(new Set((await users(acme)).active_users)).toEqual(new Set(people.map(({ id }) => id)));
    await Promise.all(clients.slice(0, 20).map((client) => client.close()));
    await expect.poll(() => users(acme), { timeout: 10_000 }).toMatchObject({ total_connections: 10 });
    expect(new Set((await users(acme)).active_users)).toEqual(new Set(people.slice(20).map(({ id }) => id)));
  });

  test('a tab that is opened twice and closed once, again and again, is online', async () => {
    const acme = tenant();
    const people = await Promise.all(Array.from({ length: 20 }, () => world().person({ tenant: acme })));
    const kept = await Promise.all(
      people.map(async (person) => {
        const first = world().open(person);
        const second = world().connect(person);
        await (await first).close();
        return second;
      }),
    );
    await expect.poll(() => users(acme), { timeout: 10_000 }).toMatchObject({ total_connections: 20 });
    await Promise.all(kept.map((client) => client.close()));
    await expect.poll(() => users(acme), { timeout: 10_000 }).toEqual(nobody);
  });

  test('knows nobody of another tenant, and no tenant that is none', async () => {
    const acme = tenant();
    await world().connect(await world().person({ tenant: acme }));
    expect(await users(tenant())).toEqual(nobody);
    expect(await world().internal('/users?tenant=Not%20a%20tenant')).toMatchObject(
      refused(400, 'bad_request'),
    );
  });
});

describe('GET /internal/users/{id}', () => {
  test('shows each session', async () => {
    const acme = tenant();
    const person = await world().person({ name: 'Ada', picture: 'https://example.com/a.png', tenant: acme });
    const before = Date.now() / 1000;
    const tab = await world().connect(person);
    const events = await Events.open(world().origin, person.token);
    await events.frame('ready');
    const { online, sessions } = await user(person.id, acme);
    expect(online).toBe(true);
    const seen = { user_id: person.id, user_name: 'Ada', avatar: 'https://example.com/a.png' };
    expect(sessions).toEqual([
      {
        ...seen,
        session: tab.all('welcome')[0]?.session,
        connected_at: expect.any(Number),
        dialect: 'native',
      },
      {
        ...seen,
        session: events.all('welcome')[0]?.session,
        connected_at: expect.any(Number),
        dialect: 'sse',
      },
    ]);
    for (const { connected_at } of sessions) expect(Math.abs(connected_at - before)).toBeLessThan(30);
    events.close();
    await tab.close();
    await expect
      .poll(() => user(person.id, acme), { timeout: 10_000 })
      .toEqual({ online: false, sessions: [] });
  });

  test('of somebody who never came is offline', async () => {
    expect(await user(`nobody-${randomUUID()}`)).toEqual({ online: false, sessions: [] });
    expect(await world().internal(`/users/${'x'.repeat(129)}`)).toMatchObject(refused(400, 'bad_request'));
  });
});

describe('DELETE /internal/users/{id}/sessions', () => {
  test('closes them all with 1000; the user may come back', async () => {
    const person = await world().person();
    const tabs = [await world().connect(person), await world().connect(person)];
    const events = await Events.open(world().origin, person.token);
    await events.frame('ready');
    const path = `/users/${person.id}/sessions`;
    expect(await world().internal(path, { method: 'DELETE' })).toMatchObject({
      status: 200,
      body: { closed: 3 },
    });
    for (const tab of tabs) expect((await tab.closed).code).toBe(1000);
    expect(await events.ended).toBe('ended');
    expect(await user(person.id)).toEqual({ online: false, sessions: [] });
    const { body } = await world().outbound({ channel: person.channel, kind: 'message', text: 'x' });
    expect(body.results).toMatchObject([{ delivered: false }]);
    expect((await world().connect(person)).all('message')).toMatchObject([{ text: 'x' }]);
    expect(await world().internal(`/users/${randomUUID()}/sessions`, { method: 'DELETE' })).toMatchObject({
      body: { closed: 0 },
    });
  });
});

describe('GET /internal/turns/{turn}', () => {
  test('gives the durable lengths, before and after the end', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const turn = await world().turn(client, { conversation: 'work' });
    const facts = { turn, channel: person.channel, conversation: 'work' };
    expect((await world().internal(`/turns/${turn}`)).body).toEqual({
      ...facts,
      status: 'queued',
      text_length: 0,
      reasoning_length: 0,
    });
    await world().outbound({
      channel: person.channel,
      turn,
      kind: 'chunk',
      text: '🌟 four',
      reasoning: 'hm',
    });
    const lengths = { text_length: 7, reasoning_length: 2 };
    expect((await world().internal(`/turns/${turn}`)).body).toEqual({
      ...facts,
      status: 'running',
      ...lengths,
    });
    await world().outbound({ channel: person.channel, turn, kind: 'done' });
    expect((await world().internal(`/turns/${turn}`)).body).toEqual({
      ...facts,
      status: 'completed',
      ...lengths,
    });
  });

  test.each(['turn_none', 'x'.repeat(128), '%2e%2e'])('of %s is not_found', async (turn) => {
    expect(await world().internal(`/turns/${turn}`)).toMatchObject(refused(404, 'not_found'));
  });
});

test('GET /internal/platform, start and stop', async () => {
  const platform = (is_running: boolean) => ({
    name: 'webchat',
    is_running,
    bot_identity: { platform: 'webchat', user_id: 'star', display_name: 'Star', mention: '@Star' },
  });
  const tab = await world().connect(await world().person());
  expect(await world().internal('/platform')).toMatchObject({ status: 200, body: platform(true) });
  for (const [path, is_running] of [
    ['/platform/stop', false],
    ['/platform/stop', false],
    ['/platform/start', true],
  ] as const) {
    expect((await world().internal(path, { method: 'POST' })).body).toEqual(platform(is_running));
    expect((await world().internal('/platform')).body).toEqual(platform(is_running));
  }
  await tab.settled();
});

describe('GET /internal/history', () => {
  test('gives what was said in a conversation, oldest first', async () => {
    const person = await world().person({ name: 'Ada', tenant: tenant() });
    const { channel } = person;
    const client = await world().connect(person);
    await world().turn(client, { text: 'silent, please' });
    const said = await client.frame('message');
    const event = { channel, tenant: person.tenant };
    const { body } = await world().outbound([
      { ...event, kind: 'message', text: 'draft', reply_to: said.id },
      { ...event, kind: 'file', filename: 'f', data: '' },
      { ...event, kind: 'message', text: 'elsewhere', conversation: 'work' },
    ]);
    const [answer] = body.results;
    await world().outbound({ ...event, kind: 'edit', id: answer?.id, text: 'final' });
    const query = `tenant=${person.tenant}&channel=${encodeURIComponent(channel)}`;
    expect(await world().internal(`/history?${query}`)).toMatchObject({
      status: 200,
      body: {
        messages: [
          {
            user_id: person.id,
            text: 'silent, please',
            timestamp: said.timestamp,
            message_id: said.id,
            is_bot: false,
            reply_to_id: null,
          },
          {
            user_id: 'star',
            user_name: 'Star',
            text: 'final',
            message_id: answer?.id,
            is_bot: true,
            reply_to_id: said.id,
          },
        ],
      },
    });
    expect((await world().internal(`/history?${query}&conversation=work`)).body).toMatchObject({
      messages: [{ text: 'elsewhere' }],
    });
    expect((await world().internal(`/history?channel=${encodeURIComponent(channel)}`)).body).toEqual({
      messages: [],
    });
  });

  test('limit keeps the newest', async () => {
    const person = await world().person();
    const { channel } = person;
    await world().outbound(['a', 'b', 'c'].map((text) => ({ channel, kind: 'message', text })));
    expect((await world().internal(`/history?channel=${channel}&limit=2`)).body).toMatchObject({
      messages: [{ text: 'b' }, { text: 'c' }],
    });
  });

  test.each([
    '',
    'channel=',
    'channel=sse:x',
    'channel=webchat:',
    'channel=webchat:x&limit=0',
    'channel=webchat:x&limit=1001',
  ])('?%s is bad_request', async (query) => {
    expect(await world().internal(`/history?${query}`)).toMatchObject(refused(400, 'bad_request'));
  });
});
