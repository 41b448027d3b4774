import { Completion } from '../protocol/completion.ts';
import * as a from './answers.ts';
import type { Section } from './operation.ts';

/** Section 4 of the contract. */
export const forOpenAi: Section = {
  title: 'OpenAI-compatible',
  says: 'For every OpenAI SDK and SillyTavern, with an API key or a user token.',
  operations: [
    {
      method: 'get',
      path: '/v1/models',
      summary: 'The models',
      by: 'user',
      answers: { 200: { says: 'The list', json: a.Any } },
    },
    {
      method: 'post',
      path: '/v1/chat/completions',
      summary: 'A reply, whole or as a stream; unknown parameters are passed on',
      by: 'user',
      headers: {
        'Idempotency-Key': 'The same key and body is the same stream, without a second generation',
        'X-Starwire-Detach': '`true`: the reply goes on though the client has gone',
      },
      body: { json: Completion },
      answers: {
        200: { says: 'The reply; with `stream: true` as `text/event-stream`', json: a.Any },
        422: { says: 'The key was used with another body', json: a.Any },
      },
    },
    {
      method: 'get',
      path: '/v1/streams/{request_id}',
      summary: 'Goes on with a stream, for an hour after its end',
      by: 'user',
      headers: { 'Last-Event-ID': 'The `id` of the last event' },
      answers: { 200: { says: 'The rest of it', type: 'text/event-stream' } },
    },
  ],
};
