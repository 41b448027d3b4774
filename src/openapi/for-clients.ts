import * as v from 'valibot';
import { OwnKeyRequest } from '../protocol/api-keys.ts';
import { ActionCommand, AnswerCommand, MessageCommand } from '../protocol/client-frames.ts';
import { NewConversation, Renaming } from '../protocol/conversations.ts';
import * as a from './answers.ts';
import type { Section } from './operation.ts';

const PAGE = {
  before: 'Where to go on: `next` of the page before',
  limit: 'Entries of one page, at most',
} as const;

/** Section 3 of the contract, and the native socket. */
export const forClients: Section = {
  title: 'For clients',
  says: 'With a user token or an API key. What belongs to somebody else is `not_found`, as is what is not there.',
  operations: [
    {
      method: 'get',
      path: '/ws',
      summary: 'The native WebSocket: every frame of a user, live and from where a client stopped',
      by: 'user',
      query: {
        cursor: 'Where the client stands, as `<epoch>.<seq>`',
        turns: 'What it shows of open turns, as `<turn>:<text>:<reasoning>,…`',
        batch: '`1`: takes `batch` frames',
      },
      answers: { 101: { says: 'The socket' }, 403: { says: 'The origin may not', json: a.ErrorAnswer } },
    },
    {
      method: 'get',
      path: '/api/events',
      summary: 'The same frames as server-sent events',
      by: 'user',
      query: { cursor: 'Where the client stands' },
      headers: { 'Last-Event-ID': 'Where the client stands: the `id` of its last event' },
      answers: { 200: { says: 'One event a frame', type: 'text/event-stream' } },
    },
    {
      method: 'get',
      path: '/api/me',
      summary: 'Who the caller is, and the limits',
      by: 'user',
      answers: { 200: { says: 'The user', json: a.Me } },
    },
    {
      method: 'delete',
      path: '/api/me',
      summary: 'Erases the user: conversations, messages, files, keys. Sessions close with 4001',
      by: 'user',
      answers: { 204: { says: 'Nothing is left' } },
    },
    {
      method: 'post',
      path: '/api/messages',
      summary: 'Says something; once for each `client_id`',
      by: 'user',
      body: { json: v.omit(MessageCommand, ['type']) },
      answers: { 202: { says: 'It is stored, and its turn begins', json: a.Sent } },
    },
    {
      method: 'post',
      path: '/api/actions',
      summary: 'Presses a button of a message',
      by: 'user',
      body: { json: v.omit(ActionCommand, ['type']) },
      answers: { 202: { says: 'It counts', json: a.Sent } },
    },
    {
      method: 'post',
      path: '/api/prompts/{prompt}/answer',
      summary: 'Answers an open prompt',
      by: 'user',
      body: { json: v.omit(AnswerCommand, ['type', 'prompt']) },
      answers: { 202: { says: 'It counts', json: a.Sent } },
    },
    {
      method: 'post',
      path: '/api/turns/{turn}/cancel',
      summary: 'Stops a turn; what it has said is kept',
      by: 'user',
      answers: {
        202: { says: 'It has ended', json: a.Cancelled },
        410: { says: 'It had ended before', json: a.ErrorAnswer },
      },
    },
    {
      method: 'post',
      path: '/api/turns/{turn}/regenerate',
      summary: 'Asks again for the reply of a finished turn; the new reply `replaces` the old one',
      by: 'user',
      answers: {
        202: { says: 'The new turn', json: a.Turn },
        409: { says: 'The turn has not ended', json: a.ErrorAnswer },
      },
    },
    {
      method: 'get',
      path: '/api/conversations',
      summary: 'The conversations, newest first',
      by: 'user',
      query: PAGE,
      answers: { 200: { says: 'A page of them', json: a.Conversations } },
    },
    {
      method: 'post',
      path: '/api/conversations',
      summary: 'Begins a conversation; without a title, its first message gives one',
      by: 'user',
      body: { json: NewConversation, optional: true },
      answers: { 201: { says: 'The conversation', json: a.Conversation } },
    },
    {
      method: 'patch',
      path: '/api/conversations/{id}',
      summary: 'Renames a conversation',
      by: 'user',
      body: { json: Renaming },
      answers: { 200: { says: 'The conversation', json: a.Conversation } },
    },
    {
      method: 'delete',
      path: '/api/conversations/{id}',
      summary: 'Deletes a conversation, its messages and its files',
      by: 'user',
      answers: { 204: { says: 'It is gone' } },
    },
    {
      method: 'get',
      path: '/api/conversations/{id}/messages',
      summary: 'What was said in a conversation, newest first',
      by: 'user',
      query: PAGE,
      answers: { 200: { says: 'A page of it', json: a.History } },
    },
    {
      method: 'get',
      path: '/api/search',
      summary: 'Messages and files that have all the words of `q`, newest first',
      by: 'user',
      query: { q: 'Any text', ...PAGE },
      answers: { 200: { says: 'A page of them', json: a.Found } },
    },
    {
      method: 'get',
      path: '/api/export',
      summary: 'Everything of the user; each line is a record with a `kind`',
      by: 'user',
      answers: { 200: { says: 'The records', type: 'application/x-ndjson' } },
    },
    {
      method: 'post',
      path: '/api/files',
      summary: 'Uploads a file, to go with a message as one of its `attachments`',
      by: 'user',
      headers: {
        'Content-Type': 'What it is',
        'X-Filename': 'Its name, percent-encoded UTF-8',
      },
      body: { type: 'application/octet-stream', says: 'The file itself' },
      answers: {
        201: { says: 'It is stored', json: a.File },
        413: { says: 'It is larger than `attachment_bytes`', json: a.ErrorAnswer },
        429: { says: 'It is more than the quotas allow', json: a.ErrorAnswer },
      },
    },
    {
      method: 'get',
      path: '/api/files/{id}',
      summary: 'What is known of a file, with a fresh `url`',
      by: 'user',
      answers: { 200: { says: 'The file', json: a.File } },
    },
    {
      method: 'get',
      path: '/api/keys',
      summary: 'The user’s own API keys, without the keys (with a user token)',
      by: 'user',
      query: { before: PAGE.before },
      answers: { 200: { says: 'The list', json: v.object({ api_keys: v.array(a.Any), next: a.Any }) } },
    },
    {
      method: 'post',
      path: '/api/keys',
      summary: 'Makes an API key of the user, which is shown once (with a user token)',
      by: 'user',
      body: { json: OwnKeyRequest },
      answers: { 201: { says: 'The key', json: v.object({ id: v.string(), api_key: v.string() }) } },
    },
    {
      method: 'delete',
      path: '/api/keys/{id}',
      summary: 'Takes an API key of the user back (with a user token)',
      by: 'user',
      answers: { 204: { says: 'It is gone' } },
    },
    {
      method: 'get',
      path: '/files/{id}/{filename}',
      summary: 'The bytes of a file, by a signed address, with its owner’s token or the upstream’s; ranges',
      by: 'user',
      query: { exp: 'Until when the address works, in Unix seconds', sig: 'Its signature' },
      answers: {
        200: { says: 'The file', type: 'application/octet-stream' },
        206: { says: 'A part of it', type: 'application/octet-stream' },
        304: { says: 'It is what the client has (`If-None-Match`)' },
      },
    },
    {
      method: 'get',
      path: '/healthz',
      summary: 'Whether this is Starwire, and which',
      by: 'anybody',
      answers: { 200: { says: 'It is', json: v.object({ ok: v.boolean(), version: v.string() }) } },
    },
  ],
};
