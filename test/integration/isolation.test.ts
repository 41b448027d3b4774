import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { SURFACES, surfaces } from '../surfaces.ts';
import { Events } from './events.ts';
import { AGENT, type Belongings, belongingsOf, CASES, stateOf } from './isolation-cases.ts';
import { complete, requestIdOf } from './v1.ts';
import { type Person, useWorld } from './world.ts';

const world = useWorld({ env: { LIMITS: JSON.stringify({ messages_burst: 1_000 }) } });
/** A UUID, as portals of Konstruct name theirs. */
const newTenant = randomUUID;

let theirs: Belongings;
/** Another user of the same tenant, and the same user of another one. */
let strangers: Record<string, Person>;
beforeAll(async () => {
  const owner = await world().person({ tenant: newTenant(), roles: ['customer_operator'] });
  theirs = await belongingsOf(world(), owner);
  strangers = {
    'another user': await world().person({ tenant: owner.tenant, roles: ['customer_admin'] }),
    'the same user of another tenant': await world().person({
      sub: owner.id,
      tenant: newTenant(),
      roles: ['customer_admin'],
    }),
    'the admin of another tenant': await world().person({ tenant: newTenant(), roles: ['tenant_admin'] }),
  };
});
const who = ['another user', 'the same user of another tenant', 'the admin of another tenant'];
const stranger = (name: string): Person => strangers[name] ?? expect.fail(name);

/** These give what is one's own for any id, and have tests of their own below. */
const OWN = new Set([
  'GET /api/conversations/:id/messages',
  'GET /api/events',
  'POST /v1/chat/completions',
  'GET /api/v1/chat/history',
  'GET /api/v1/session/chat/messages/:chat_id',
  'GET /api/portal/chat/conversations',
  'POST /api/portal/chat/conversations',
  // Of a run or session that is not theirs they say that there is none (hermes-runs.test.ts).
  'GET /api/chat/stream/status',
  'POST /api/chat/steer',
]);
const taking = surfaces(({ ids, who: by }) => ids === true && by !== 'internal').filter(
  (name) => !OWN.has(name),
);

describe.each(who)('%s', (name) => {
  test.each(taking)('%s gives and changes nothing', async (surface) => {
    const before = await stateOf(world(), theirs);
    const make =
      CASES[surface] ?? expect.fail(`${surface} takes an id and has no case in isolation-cases.ts`);
    for (const { path, fields } of make(theirs)) {
      const { status, body } = await world().as<object>(stranger(name), path, fields);
      // An admin sees the own tenant, whatever is not asked for by name.
      if (status === 200 && SURFACES[surface]?.who === 'roles' && !path.includes('?'))
        expect(JSON.stringify(body)).not.toContain(theirs.person.tenant);
      else expect([403, 404]).toContain(status);
    }
    expect(await stateOf(world(), theirs)).toEqual(before);
  });

  test('GET /api/conversations/:id/messages has nothing of it', async () => {
    const { status, body } = await world().as<{ messages?: unknown[] }>(
      stranger(name),
      `/api/conversations/${theirs.conversation}/messages`,
    );
    expect(status === 404 || body.messages?.length === 0).toBe(true);
  });

  test('/api/portal/chat/conversations has none of theirs, and makes one of their own', async () => {
    const path = '/api/portal/chat/conversations';
    const { tenant } = theirs.person;
    const seen = [
      await world().as(stranger(name), path),
      await world().as(stranger(name), `${path}?tenant_id=${tenant}`),
      await world().as(stranger(name), path, { body: { agent_id: AGENT } }),
      await world().as(stranger(name), path, { body: { agent_id: AGENT, tenant_id: tenant } }),
    ];
    for (const { status, body } of seen) {
      expect([200, 201, 403]).toContain(status);
      expect(JSON.stringify(body)).not.toContain(theirs.portal);
    }
  });

  test('a chat of theirs is an empty one to Bisheng’s pages', async () => {
    const { conversation, message } = theirs;
    for (const path of [`/chat/history?chat_id=${conversation}`, `/session/chat/messages/${conversation}`]) {
      const { status, body } = await world().as(stranger(name), `/api/v1${path}`);
      expect({ status, body }).toMatchObject({ status: 200, body: { data: [] } });
    }
    const path = `/api/v1/chat/history?chat_id=${conversation}&id=${message}`;
    expect((await world().as(stranger(name), path)).status).toBe(404);
  });

  test('P-OA-7 POST /v1/chat/completions: the same Idempotency-Key and body is a stream of their own', async () => {
    const gone = new AbortController();
    const { token } = stranger(name);
    const mine = await complete(
      world(),
      token,
      { stream: true, messages: [{ role: 'user', content: 'silent' }] },
      { headers: { 'idempotency-key': 'one' }, signal: gone.signal },
    );
    expect(requestIdOf(mine)).not.toBe(theirs.request);
    gone.abort();
  });

  test('P-WS-8 a cursor of theirs is unknown, on the socket and on SSE', async () => {
    const { cursor = '' } = theirs.tab.position();
    const tab = await world().connect(stranger(name), { query: { cursor } });
    expect(tab.frames.filter(({ type }) => type !== 'typing').map(({ type }) => type)).toEqual([
      'welcome',
      'reset',
      'ready',
    ]);
    const events = await Events.open(world().origin, stranger(name).token, { cursor });
    await events.frame('reset');
    expect(JSON.stringify(events.all('message'))).toBe('[]');
    events.close();
    await tab.close();
  });

  test('frames that name what is theirs are refused, and change nothing', async () => {
    const { message, prompt, turn, request, file } = theirs;
    const before = await stateOf(world(), theirs);
    const tab = await world().connect(stranger(name));
    const frames = [
      { type: 'action', client_id: 'a', message, custom_id: 'yes' },
      { type: 'answer', client_id: 'b', prompt, value: 'yes' },
      { type: 'message', client_id: 'c', text: 'mine now', attachments: [{ id: file }] },
      { type: 'cancel', turn },
      { type: 'cancel', turn: request },
    ];
    for (const [n, frame] of frames.entries()) {
      tab.send(frame);
      await expect.poll(() => tab.all('error').length).toBe(n + 1);
      expect(tab.all('error').at(-1)).toMatchObject({ code: 'not_found' });
    }
    tab.send({ type: 'typing', active: true, conversation: theirs.conversation });
    tab.send({ type: 'seen', seq: 1_000 });
    await tab.ping();
    expect(await stateOf(world(), theirs)).toEqual(before);
    expect(theirs.tab.all('typing').filter(({ sender }) => sender === stranger(name).id)).toEqual([]);
    await tab.close();
  });

  test('a user token opens nothing internal, whoever it is about', async () => {
    for (const surface of surfaces(({ who: by }) => by === 'internal')) {
      const [method = '', route = ''] = surface.split(' ');
      const path = route
        .replace(':turn', theirs.turn)
        .replace(':id', theirs.person.id)
        .replace(':tenant', 'acme');
      const fields = method === 'GET' || method === 'DELETE' ? { method } : { method, body: {} };
      expect((await world().as(stranger(name), path, fields)).status).toBe(401);
    }
  });
});

test('the upstream reaches a user by tenant and name: events for another tenant’s are another’s', async () => {
  const before = await stateOf(world(), theirs);
  const { channel, id } = theirs.person;
  const other = newTenant();
  for (const event of [
    { kind: 'edit', id: theirs.message, text: 'changed' },
    { kind: 'done', turn: theirs.turn, text: 'over' },
    { kind: 'chunk', turn: theirs.turn, text: 'x', offset: 0 },
    { kind: 'error', turn: theirs.turn, label: 'l', type: 't', message: 'm', hint: 'h' },
  ])
    expect((await world().outbound({ tenant: other, channel, ...event })).status).toBe(404);
  expect((await world().internal(`/users/${id}?tenant=${other}`)).body).toMatchObject({ online: false });
  expect(
    (await world().internal(`/users/${id}/sessions?tenant=${other}`, { method: 'DELETE' })).body,
  ).toEqual({
    closed: 0,
  });
  expect(await stateOf(world(), theirs)).toEqual(before);
});
