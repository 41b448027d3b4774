import { Hono } from 'hono';
import { unwrap } from '../objects/outcome.ts';
import { NewConversation, Renaming } from '../protocol/conversations.ts';
import { StarwireError } from '../protocol/errors.ts';
import { ConversationId } from '../protocol/ids.ts';
import { parse, parseJson } from '../protocol/parse.ts';
import { Conversations } from '../records/conversations.ts';
import { type AppEnv, type Ctx, hubOf, queryNumber, readJson, readText, requireObject } from './app.ts';
import { requireUser } from './door.ts';

/** The conversations of a user (section 3). */
export const conversations = new Hono<AppEnv>();

const BODY_BYTES = 16_384;

conversations.get('/', async (c) => {
  const who = await requireUser(c);
  const before = queryNumber(c, 'before', 1, Number.MAX_SAFE_INTEGER) ?? Number.MAX_SAFE_INTEGER;
  const limit = queryNumber(c, 'limit', 1, 200) ?? 50;
  await hubOf(c, who).record();
  return c.json(await new Conversations(c.env.DB).page(who, before, limit));
});

conversations.post('/', async (c) => {
  const who = await requireUser(c);
  const body = await readText(c, BODY_BYTES);
  const { title } = parse(NewConversation, requireObject(body === '' ? {} : parseJson(body)));
  return c.json(unwrap(await hubOf(c, who).createConversation(title)), 201);
});

conversations.patch('/:id', async (c) => {
  const who = await requireUser(c);
  const id = conversationOf(c);
  const { title } = parse(Renaming, requireObject(await readJson(c, BODY_BYTES)));
  return c.json(unwrap(await hubOf(c, who).renameConversation(id, title)));
});

conversations.delete('/:id', async (c) => {
  const who = await requireUser(c);
  unwrap(await hubOf(c, who).deleteConversation(conversationOf(c)));
  return c.body(null, 204);
});

/** Read-your-writes: what the hub has not recorded yet is in it. */
conversations.get('/:id/messages', async (c) => {
  const who = await requireUser(c);
  const id = conversationOf(c);
  const before = queryNumber(c, 'before', 1, Number.MAX_SAFE_INTEGER);
  const limit = queryNumber(c, 'limit', 1, 200) ?? 50;
  const hub = hubOf(c, who);
  if (!(await hub.has(id))) throw new StarwireError('not_found', 'there is no such conversation');
  const page = await hub.history(id, before, limit, new URL(c.req.url).origin);
  return c.body(page, 200, { 'content-type': 'application/json' });
});

function conversationOf(c: Ctx): string {
  return parse(ConversationId, c.req.param('id'), 'conversation');
}
