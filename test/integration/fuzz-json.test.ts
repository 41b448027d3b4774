import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressOf, refusalOf, SURFACES, surfaces } from '../surfaces.ts';
import type { Client } from './client.ts';
import { FakeUpstream } from './fake-upstream.ts';
import { startServer } from './server.ts';
import { type Person, type Reply, World } from './world.ts';

const many = 1_000_000;
const LIMITS = {
  ...{
    messages_burst: many,
    messages_per_minute: many,
    completions_burst: many,
    completions_per_minute: many,
  },
  ...{ open_turns: many, bad_frames_per_minute: many, refusals_per_minute: many, keys_per_user: many },
};

/** Nothing moves a journal but what a test sends: the service takes messages and says nothing; it answers `/v1` at once. */
let upstream: FakeUpstream;
let made: World;
const world = () => made;
let person: Person;
let tab: Client;
beforeAll(async () => {
  upstream = await FakeUpstream.start();
  upstream.answer = ({ response, body: { type, turn, channel_id: channel } }) =>
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({
        events: type === 'completion' ? [{ channel, kind: 'done', turn, text: 'hi' }] : [],
      }),
    );
  made = new World(await startServer({ env: { ...upstream.env, LIMITS: JSON.stringify(LIMITS) } }));
  person = await world().person({ roles: ['platform_admin'] });
  tab = await world().connect(person);
});

afterAll(async () => {
  await made?.server.stop();
  await upstream?.stop();
});

const RUNS = { numRuns: 50 };

/** Texts that some layer might stumble over. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\u0000', '\ud800', '😀', '__proto__', '..', '%', '[]', 'NaN', 'x'.repeat(40_000)),
);
const anything: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.constantFrom(null, true, 0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER + 1, [], {}, [[]]),
  fc.jsonValue(),
);

/** What is sent where: right fields, each of which may be missing or anything at all, and fields nobody knows. */
function nearly(fields: Record<string, unknown>): fc.Arbitrary<unknown> {
  const shape = Object.fromEntries(
    Object.entries(fields).map(([name, good]) => [
      name,
      fc.oneof({ weight: 3, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: anything }),
    ]),
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ ...shape, extra: anything }, { requiredKeys: [] }) },
    { weight: 1, arbitrary: anything },
  );
}

const outbound = [
  {
    kind: 'message',
    text: 'hi',
    id: 'm1',
    buttons: [{ label: 'a', custom_id: 'b' }],
    view: { children: [] },
    conversation: 'c',
    turn: 't',
  },
  { kind: 'file', filename: 'a.txt', mimetype: 'text/plain', data: 'aGk=', url: 'https://example.com/a' },
  { kind: 'edit', id: 'm1', text: 'x', buttons: [] },
  { kind: 'typing', active: true },
  { kind: 'chunk', turn: 't', text: 'x', reasoning: 'y', offset: 0 },
  { kind: 'tool', turn: 't', tool: 'u', name: 'n', status: 'running', args: {}, result: {} },
  { kind: 'prompt', prompt: 'p', question: 'q', choices: ['a'], schema: {}, expires_at: 1 },
  { kind: 'done', turn: 't', text: 'x', usage: {}, finish_reason: 'stop' },
  { kind: 'error', turn: 't', label: 'l', type: 't', message: 'm', hint: 'h' },
  { kind: 'turn', conversation: 'c', id: 't' },
  { kind: 'delta', turn: 't', delta: {} },
];

/** Fields that each surface with a JSON body takes; none where it takes none, and then anything must do no harm. */
const FIELDS: Record<string, Record<string, unknown>> = {
  'POST /api/messages': {
    client_id: 'c',
    text: 'silent',
    conversation: 'c',
    attachments: [{ id: 'f' }],
    reply_to: 'm',
  },
  'POST /api/actions': { client_id: 'c', message: 'm', custom_id: 'b' },
  'POST /api/prompts/:prompt/answer': { client_id: 'c', value: 'v' },
  'POST /api/conversations': { title: 't' },
  'PATCH /api/conversations/:id': { title: 't' },
  'POST /api/portal/chat/conversations': { agent_id: randomUUID(), tenant_id: null },
  'POST /api/chat/start': {
    ...{ session_id: 'default', message: 'silent', attachments: ['a', { name: 'b', path: 'c' }], model: 'm' },
    ...{ profile: 'p', regenerate: true, regeneration_revision: 1 },
  },
  'POST /api/chat/steer': { session_id: 'default', text: 't' },
  'POST /api/approval/respond': { session_id: 'default', choice: 'once', approval_id: 'p', run_id: 't' },
  'POST /api/clarify/respond': { session_id: 'default', response: 'r', clarify_id: 'p' },
  'POST /api/session/new': { title: 't' },
  'POST /api/session/rename': { session_id: 'default', title: 't' },
  'POST /api/session/delete': { session_id: 'c' },
  'POST /api/keys': { name: 'n' },
  'POST /api/v1/chat/conversation/rename': { conversationId: 'c', name: 'n' },
  'POST /api/v1/liked': { message_id: 'm', liked: 1 },
  'POST /api/v1/chat/copied': { message_id: 'm', copied: 1 },
  'POST /api/v1/chat/comment': { message_id: 'm', comment: 'c' },
  'POST /api/v1/session/chat/message/telemetry': { message_id: 'm', operation_type: 'like' },
  'POST /v1/chat/completions': {
    ...{ model: 'm', messages: [{ role: 'user', content: 'hello' }], stream: false, stream_options: {} },
    ...{ tools: [], temperature: 1, n: 1 },
  },
  'POST /dev/token': { user: 'u', name: 'n', tenant: 'acme', roles: ['user'], ttl_s: 60 },
  'POST /dev/api-key': { user: 'u', tenant: 'acme' },
  'POST /internal/api-keys': { user: 'u', tenant: 'acme', name: 'n', scope: 'tenant' },
  'PUT /internal/tenants/:tenant': {
    ...{
      name: 'n',
      mode: 'webhook',
      url: 'https://example.com/h',
      api_key: 'k',
      model: 'm',
      models: [{ id: 'a' }],
    },
    webhook_secrets: ['whsec_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  },
};

/** Event streams have no bodies and no end; a stopped platform is a state that others would see. */
const bodies = surfaces(({ who }) => who !== 'socket' && who !== 'first frame').filter((name) =>
  /^(?:POST|PUT|PATCH) /.test(name),
);

function requireClean({ status, body }: Reply, sent: unknown, name = ''): void {
  const said = typeof body === 'string' ? body : JSON.stringify(body);
  if (status >= 500) expect.fail(`${status} ${said} for ${JSON.stringify(sent)?.slice(0, 2_000)}`);
  expect(said).not.toMatch(/(?:\\n|\n)\s+at \S+|\.ts:\d|SqliteError|SQLITE_/);
  if (status >= 400)
    expect(typeof body === 'object' && body !== null ? refusalOf(name, body) : body).toMatchObject({
      error: { code: expect.any(String), message: expect.any(String) },
    });
}

/** Where the journal stands: it moves with every change, and a tab sees each before the answer comes. */
const standing = async (): Promise<string> => {
  await tab.ping();
  return tab.position().cursor;
};

function call(name: string, body: unknown): Promise<Reply> {
  const { method, path } = addressOf(name, 'acme');
  const { INTERNAL_TOKEN } = world().server.secrets;
  const token = SURFACES[name]?.who === 'internal' ? INTERNAL_TOKEN : person.token;
  // As a text, so that what is no object goes as it is.
  return world().as({ token }, path, {
    method,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
}

describe('no input of a JSON surface gives a fault, a stack or half of a change', () => {
  test.each(bodies)('%s', async (name) => {
    await fc.assert(
      fc.asyncProperty(nearly(FIELDS[name] ?? {}), async (body) => {
        const fresh =
          typeof body === 'object' && body !== null && 'client_id' in body && body.client_id === 'c';
        const sent = fresh ? { ...body, client_id: randomUUID() } : body;
        const before = await standing();
        const reply = await call(name, sent);
        requireClean(reply, sent, name);
        if (reply.status >= 400) expect(await standing()).toBe(before);
      }),
      RUNS,
    );
  });

  test('texts that are no JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...bodies), fc.string({ unit: 'binary' }), async (name, body) => {
        const { method, path } = addressOf(name, 'acme');
        const { INTERNAL_TOKEN } = world().server.secrets;
        const token = SURFACES[name]?.who === 'internal' ? INTERNAL_TOKEN : person.token;
        requireClean(await world().as({ token }, path, { method, body }), body, name);
      }),
      RUNS,
    );
  });

  test.each(outbound)('POST /internal/outbound $kind, as JSON and as NDJSON', async (fields) => {
    const channel = fc.constantFrom(person.channel, 'webchat:', 'sse:x', 'mail:x', 7);
    await fc.assert(
      fc.asyncProperty(
        fc.array(nearly(fields), { maxLength: 4 }),
        channel,
        fc.boolean(),
        async (list, to, lines) => {
          const events = list.map((one) =>
            typeof one === 'object' && one !== null && !Array.isArray(one) ? { channel: to, ...one } : one,
          );
          const reply = lines ? await world().ndjson(events) : await world().outbound(events);
          requireClean(reply, events);
          expect(reply.body.results.length).toBeLessThanOrEqual(events.length);
          for (const { error } of reply.body.results) expect(error?.code).not.toBe('internal');
        },
      ),
      RUNS,
    );
  });
});

test('P-WS-13 no frame gives a fault or ends the socket', async () => {
  const frame = fc.oneof(
    nearly({
      type: 'message',
      client_id: 'c',
      text: 'silent',
      conversation: 'c',
      attachments: [{ id: 'f' }],
      reply_to: 'm',
    }),
    nearly({ type: 'action', client_id: 'c', message: 'm', custom_id: 'b' }),
    nearly({ type: 'answer', client_id: 'c', prompt: 'p', value: 1 }),
    nearly({ type: 'cancel', turn: 't' }),
    nearly({ type: 'typing', active: true, conversation: 'c' }),
    nearly({ type: 'seen', seq: 1 }),
    nearly({ type: 'refresh', token: 't' }),
  );
  await fc.assert(
    fc.asyncProperty(frame, async (one) => {
      tab.send(JSON.stringify(one) ?? 'undefined');
      await tab.ping();
      for (const { code, message } of tab.all('error')) {
        expect(code).not.toBe('internal');
        expect(message).not.toMatch(/\n\s+at \S+/);
      }
    }),
    RUNS,
  );
});

test('nothing of it was a fault in the log', () => {
  expect(world().server.output()).not.toMatch(/"request failed"|Uncaught|unhandled/i);
});
