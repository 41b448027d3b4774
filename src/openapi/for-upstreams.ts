import * as v from 'valibot';
import { OUTBOUND_KINDS } from '../protocol/outbound.ts';
import * as a from './answers.ts';
import type { Section } from './operation.ts';

const TENANT = { tenant: 'Whose; `default` where nothing is named' } as const;

const Event = v.intersect([
  v.object({ channel: v.string(), tenant: v.optional(v.string()) }),
  v.variant('kind', [
    OUTBOUND_KINDS.message,
    OUTBOUND_KINDS.file,
    OUTBOUND_KINDS.edit,
    OUTBOUND_KINDS.typing,
    OUTBOUND_KINDS.chunk,
    OUTBOUND_KINDS.tool,
    OUTBOUND_KINDS.delta,
    OUTBOUND_KINDS.done,
    OUTBOUND_KINDS.error,
    OUTBOUND_KINDS.turn,
  ]),
]);

/** Section 5 of the contract. */
export const forUpstreams: Section = {
  title: 'For the inference service',
  says: 'With one of the internal tokens.',
  operations: [
    {
      method: 'post',
      path: '/internal/outbound',
      summary: 'Results for any mix of channels: one event, an array, or NDJSON of any length',
      by: 'upstream',
      headers: {
        'Idempotency-Key': 'Each event of the request counts once',
        'Producer-Id':
          'With `Producer-Epoch` and `Producer-Seq`: as the Durable Streams protocol defines them',
      },
      body: { json: v.union([Event, v.array(Event)]) },
      answers: { 200: { says: 'What became of each event', json: a.Results } },
    },
    {
      method: 'get',
      path: '/internal/turns/{turn}',
      summary: 'Where a turn stands',
      by: 'upstream',
      answers: { 200: { says: 'Its status and durable lengths', json: a.Any } },
    },
    {
      method: 'get',
      path: '/internal/users',
      summary: 'Who is online',
      by: 'upstream',
      query: TENANT,
      answers: {
        200: {
          says: 'The users',
          json: v.object({
            active_users: v.array(v.string()),
            total_connections: v.number(),
            approximate: v.boolean(),
          }),
        },
      },
    },
    {
      method: 'get',
      path: '/internal/users/{id}',
      summary: 'The sessions of a user',
      by: 'upstream',
      query: TENANT,
      answers: {
        200: { says: 'The sessions', json: v.object({ online: v.boolean(), sessions: v.array(a.Any) }) },
      },
    },
    {
      method: 'delete',
      path: '/internal/users/{id}/sessions',
      summary: 'Closes the sessions of a user',
      by: 'upstream',
      query: TENANT,
      answers: { 200: { says: 'How many there were', json: v.object({ closed: v.number() }) } },
    },
    {
      method: 'get',
      path: '/internal/platform',
      summary: 'The platform and its bot',
      by: 'upstream',
      answers: { 200: { says: 'The platform', json: a.Any } },
    },
    {
      method: 'post',
      path: '/internal/platform/start',
      summary: 'The platform counts as running',
      by: 'upstream',
      answers: { 200: { says: 'The platform', json: a.Any } },
    },
    {
      method: 'post',
      path: '/internal/platform/stop',
      summary: 'The platform counts as stopped; connections stay',
      by: 'upstream',
      answers: { 200: { says: 'The platform', json: a.Any } },
    },
    {
      method: 'get',
      path: '/internal/history',
      summary: 'What was said in a channel, oldest first',
      by: 'upstream',
      query: {
        ...TENANT,
        channel: '`webchat:{user_id}`',
        conversation: 'Which; `default` where nothing is named',
        limit: 'Messages, at most',
      },
      answers: { 200: { says: 'The messages', json: v.object({ messages: v.array(a.Any) }) } },
    },
  ],
};
