import { Hono } from 'hono';
import { online, VERIFIED_USERS } from '../objects/online.ts';
import { presenceOf } from '../objects/presence.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { HistoryPage } from '../protocol/history.ts';
import { BOT, DEFAULT_TENANT, hubName, Tenant, UserId } from '../protocol/identity.ts';
import { ConversationId, DEFAULT_CONVERSATION, parseChannel, RefId } from '../protocol/ids.ts';
import { parse } from '../protocol/parse.ts';
import type { MessageFrame } from '../protocol/server-frames.ts';
import { apiKeys } from './api-keys.ts';
import { type AppEnv, type Ctx, hubOf, queryNumber } from './app.ts';
import { requireInternal } from './door.ts';
import { outbound } from './outbound.ts';
import { tenants } from './tenants.ts';

/** The upstream's side (section 5): everything here needs the internal token. */
export const internal = new Hono<AppEnv>();

internal.use(async (c, next) => {
  await requireInternal(c);
  await next();
});

internal.route('/api-keys', apiKeys);
internal.route('/outbound', outbound);
internal.route('/tenants', tenants);

/** By its id; an id that the upstream gave to several users is told apart by `tenant` and `channel`. */
internal.get('/turns/:turn', async (c) => {
  const turn = parse(RefId, c.req.param('turn'), 'turn');
  const facts =
    c.req.query('channel') === undefined
      ? await c.env.REQUEST_STREAM.getByName(turn).facts()
      : { ...channelOf(c), channel: 'hub' as const, state: undefined };
  const state = facts?.channel === 'hub' ? await hubOf(c, facts).turn(turn) : facts?.state;
  if (!facts || !state) throw new StarwireError('not_found', 'there is no such turn');
  const { conversation, status, text_length, reasoning_length } = state;
  const channel = facts.channel === 'hub' ? `webchat:${facts.user}` : `sse:${turn}`;
  return c.json({ turn, channel, conversation, status, text_length, reasoning_length });
});

internal.get('/users', async (c) => {
  const { users, connections, approximate } = await online(c.env, tenantOf(c), VERIFIED_USERS);
  return c.json({ active_users: users, total_connections: connections, approximate });
});

internal.get('/users/:id', async (c) => {
  const sessions = await hubOf(c, personOf(c)).sessions();
  return c.json({ online: sessions.length > 0, sessions });
});

internal.delete('/users/:id/sessions', async (c) =>
  c.json({ closed: await hubOf(c, personOf(c)).closeSessions() }),
);

internal.get('/platform', async (c) => c.json(platform(await presenceOf(c.env).running())));
internal.post('/platform/start', async (c) => c.json(platform(await presenceOf(c.env).run(true))));
internal.post('/platform/stop', async (c) => c.json(platform(await presenceOf(c.env).run(false))));

/** As in the seed: the flag says whether the platform counts as running; connections are not touched. */
function platform(is_running: boolean) {
  return { name: BOT.platform, is_running, bot_identity: BOT };
}

internal.get('/history', async (c) => {
  const { tenant, user } = channelOf(c);
  const conversation = parse(
    ConversationId,
    c.req.query('conversation') ?? DEFAULT_CONVERSATION,
    'conversation',
  );
  const limit = queryNumber(c, 'limit', 1, 1_000) ?? 100;
  const hub = c.env.USER_HUB.getByName(hubName(tenant, user));
  const { messages }: HistoryPage = JSON.parse(await hub.history(conversation, undefined, limit));
  const name = (await hub.userName()) || user;
  // A turn that broke off without a word has a row, too: it says nothing that an upstream could read.
  const said = messages
    .filter((row) => row.type === 'message')
    .filter((row) => !isWordless(row))
    .reverse();
  return c.json({
    messages: said.map(({ id, role, sender, text, timestamp, reply_to }) => ({
      user_id: sender,
      user_name: role === 'assistant' ? BOT.display_name : name,
      text,
      timestamp,
      message_id: id,
      is_bot: role === 'assistant',
      reply_to_id: reply_to ?? null,
    })),
  });
});

function isWordless({ text, partial, attachments = [] }: MessageFrame): boolean {
  return text === '' && partial === true && attachments.length === 0;
}

function tenantOf(c: Ctx): string {
  return parse(Tenant, c.req.query('tenant') ?? DEFAULT_TENANT, 'tenant');
}

/** Whose the `webchat:` channel is that the query names. */
function channelOf(c: Ctx): { tenant: string; user: string } {
  const channel = parseChannel(c.req.query('channel') ?? '');
  if (channel?.kind !== 'webchat')
    throw new StarwireError('bad_request', '"channel" must be webchat:{user_id}', { field: 'channel' });
  return { tenant: tenantOf(c), user: parse(UserId, channel.id, 'user') };
}

function personOf(c: Ctx): { tenant: string; user: string } {
  return { tenant: tenantOf(c), user: parse(UserId, c.req.param('id'), 'user') };
}
