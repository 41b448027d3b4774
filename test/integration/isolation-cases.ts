import { randomUUID } from 'node:crypto';
import type { Client } from './client.ts';
import { complete, requestIdOf } from './v1.ts';
import type { Fields, Person, World } from './world.ts';

/** What somebody has: one of each thing that has an id. */
export interface Belongings {
  person: Person;
  tab: Client;
  conversation: string;
  /** A conversation that was made over HTTP, and one of a Konstruct portal. */
  created: string;
  portal: string;
  turn: string;
  message: string;
  prompt: string;
  file: string;
  key: string;
  request: string;
}

const conversation = 'a-conversation';

/** Whom everybody's portal speaks to. */
export const AGENT = randomUUID();

export async function belongingsOf(world: World, person: Person): Promise<Belongings> {
  const { tenant, channel } = person;
  const tab = await world.connect(person);
  const turn = await world.turn(tab, { conversation });
  const button = { label: 'Yes', custom_id: 'yes' };
  const question = { kind: 'prompt', prompt: `p-${randomUUID()}`, question: 'Sure?', choices: ['yes'] };
  const { body } = await world.outbound([
    { tenant, channel, kind: 'message', conversation, text: 'press', buttons: [button] },
    { tenant, channel, ...question, kind: 'prompt', conversation },
    { tenant, channel, kind: 'file', conversation, filename: 'a.txt', data: btoa('secret') },
  ]);
  const [message, , file] = body.results;
  const created = await world.as<{ id: string }>(person, '/api/conversations', { body: { title: 'mine' } });
  const portal = await world.as<{ id: string }>(person, '/api/portal/chat/conversations', {
    body: { agent_id: AGENT },
  });
  const made = await world.as<{ id: string }>(person, '/api/keys', { body: {} });
  const stream = await complete(
    world,
    person.token,
    { stream: true, messages: [{ role: 'user', content: 'silent' }] },
    { headers: { 'idempotency-key': 'one' } },
  );
  return {
    ...{ person, tab, conversation, turn, prompt: question.prompt },
    message: message?.id ?? '',
    file: file?.id ?? '',
    key: made.body.id,
    created: created.body.id,
    portal: portal.body.id,
    request: requestIdOf(stream),
  };
}

/** All that its owner can see of it. */
export async function stateOf(world: World, { person, turn, request }: Belongings): Promise<unknown> {
  const see = async (path: string) => (await world.as<object>(person, path)).body;
  return {
    rows: withoutLinks(await see(`/api/conversations/${conversation}/messages`)),
    keys: await see('/api/keys'),
    conversations: await see('/api/conversations'),
    opinions: opinionsIn(await see(`/api/v1/chat/history?chat_id=${conversation}`)),
    portal: await see('/api/portal/chat/conversations'),
    turn: (await world.internal(`/turns/${turn}`)).body,
    request: (await world.internal(`/turns/${request}`)).body,
    user: (await world.internal(`/users/${person.id}?tenant=${person.tenant}`)).body,
  };
}

/** What its owner thinks of each message. */
const opinionsIn = (body: object) =>
  (body as { data: { id: string; liked: number; copied: number; remark: string }[] }).data.map(
    ({ id, liked, copied, remark }) => ({ id, liked, copied, remark }),
  );

/** Links are signed anew each time. */
const withoutLinks = (body: unknown) =>
  JSON.parse(JSON.stringify(body, (name, value) => (name === 'url' ? undefined : value)));

/** The calls that name something of somebody else's. */
export type Case = (theirs: Belongings) => { path: string; fields?: Fields }[];

const post = (path: string, body: object): { path: string; fields: Fields } => ({
  path,
  fields: { method: 'POST', body },
});
const client_id = () => randomUUID();

/** By surface: each of them that takes an id and is for users has one (see `test/surfaces.ts`). */
export const CASES: Record<string, Case> = {
  'POST /api/messages': ({ file }) => [
    post('/api/messages', { client_id: client_id(), text: 'mine now', attachments: [{ id: file }] }),
  ],
  'POST /api/actions': ({ message }) => [
    post('/api/actions', { client_id: client_id(), message, custom_id: 'yes' }),
  ],
  'POST /api/prompts/:prompt/answer': ({ prompt }) => [
    post(`/api/prompts/${prompt}/answer`, { client_id: client_id(), value: 'yes' }),
  ],
  'POST /api/turns/:turn/cancel': ({ turn, request }) =>
    [turn, request].map((id) => post(`/api/turns/${id}/cancel`, {})),
  'POST /api/turns/:turn/regenerate': ({ turn, request }) =>
    [turn, request].map((id) => post(`/api/turns/${id}/regenerate`, {})),
  'PATCH /api/conversations/:id': ({ conversation: id, created }) =>
    [id, created].map((one) => ({
      path: `/api/conversations/${one}`,
      fields: { method: 'PATCH', body: { title: 'mine now' } },
    })),
  'DELETE /api/conversations/:id': ({ conversation: id, created }) =>
    [id, created].map((one) => ({ path: `/api/conversations/${one}`, fields: { method: 'DELETE' } })),
  'GET /api/portal/chat/conversations/:id/messages': ({ portal }) => [
    { path: `/api/portal/chat/conversations/${portal}/messages` },
  ],
  'DELETE /api/portal/chat/conversations/:id': ({ portal }) => [
    { path: `/api/portal/chat/conversations/${portal}`, fields: { method: 'DELETE' } },
  ],
  'GET /api/v1/chat/info': ({ conversation: id, created }) =>
    [id, created].map((one) => ({ path: `/api/v1/chat/info?chat_id=${one}` })),
  'POST /api/v1/chat/conversation/rename': ({ conversation: id, created }) =>
    [id, created].map((conversationId) =>
      post('/api/v1/chat/conversation/rename', { conversationId, name: 'mine now' }),
    ),
  'DELETE /api/v1/chat/:chat_id': ({ conversation: id, created }) =>
    [id, created].map((one) => ({ path: `/api/v1/chat/${one}`, fields: { method: 'DELETE' } })),
  'POST /api/v1/liked': ({ message: message_id }) => [post('/api/v1/liked', { message_id, liked: 1 })],
  'POST /api/v1/chat/copied': ({ message: message_id }) => [post('/api/v1/chat/copied', { message_id })],
  'POST /api/v1/chat/comment': ({ message: message_id }) => [
    post('/api/v1/chat/comment', { message_id, comment: 'mine now' }),
  ],
  'POST /api/v1/session/chat/message/telemetry': ({ message: message_id }) => [
    post('/api/v1/session/chat/message/telemetry', { message_id, operation_type: 'like' }),
  ],
  'POST /api/chat/start': ({ conversation: session_id, created }) =>
    [session_id, created].map((id) => post('/api/chat/start', { session_id: id, message: 'mine now' })),
  'GET /api/chat/stream': ({ turn, request }) =>
    [turn, request].map((id) => ({ path: `/api/chat/stream?stream_id=${id}&replay=1` })),
  'GET /api/chat/cancel': ({ turn, request }) =>
    [turn, request].map((id) => ({ path: `/api/chat/cancel?stream_id=${id}` })),
  'POST /api/chat/cancel': ({ turn }) => [post(`/api/chat/cancel?stream_id=${turn}`, {})],
  'POST /api/approval/respond': ({ conversation: session_id, prompt }) => [
    post('/api/approval/respond', { session_id, choice: 'once', approval_id: prompt }),
  ],
  'POST /api/clarify/respond': ({ conversation: session_id, prompt }) => [
    post('/api/clarify/respond', { session_id, response: 'yes', clarify_id: prompt }),
  ],
  'POST /api/session/rename': ({ created }) => [
    post('/api/session/rename', { session_id: created, title: 'mine now' }),
  ],
  'POST /api/session/delete': ({ conversation: id, created }) =>
    [id, created].map((session_id) => post('/api/session/delete', { session_id })),
  'GET /api/sessions/:id/events': ({ conversation: id, created }) =>
    [id, created].map((one) => ({ path: `/api/sessions/${one}/events` })),
  ...Object.fromEntries(
    ['approval/pending', 'approval/stream', 'clarify/pending', 'clarify/stream', 'session', 'session/stream']
      .concat('session/status', 'session/usage', 'session/export')
      .map((name): [string, Case] => [
        `GET /api/${name}`,
        ({ conversation: id, created }) =>
          [id, created].map((one) => ({ path: `/api/${name}?session_id=${one}` })),
      ]),
  ),
  'GET /api/files/:id': ({ file }) => [{ path: `/api/files/${file}` }],
  'GET /files/:id/:filename': ({ file }) => [
    { path: `/files/${file}/a.txt` },
    { path: `/files/${file}/b.txt`, fields: { headers: { range: 'bytes=0-1' } } },
  ],
  'DELETE /api/keys/:id': ({ key }) => [{ path: `/api/keys/${key}`, fields: { method: 'DELETE' } }],
  'GET /v1/streams/:request_id': ({ request }) => [
    { path: `/v1/streams/${request}` },
    { path: `/v1/streams/${request}`, fields: { headers: { 'last-event-id': 'x' } } },
  ],
  'GET /admin': ({ person }) => [{ path: '/admin' }, { path: `/admin?tenant=${person.tenant}` }],
  'GET /metrics': ({ person }) => [{ path: '/metrics' }, { path: `/metrics?tenant=${person.tenant}` }],
};
