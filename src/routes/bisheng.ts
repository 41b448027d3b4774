import { Hono } from 'hono';
import * as v from 'valibot';
import { bisheng as socket } from '../dialects/bisheng/bisheng.ts';
import { type App, appOf, chatOf, rowOf } from '../dialects/bisheng/rows.ts';
import { unwrap } from '../objects/outcome.ts';
import { Renaming } from '../protocol/conversations.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { HistoryPage, HistoryRow } from '../protocol/history.ts';
import type { Identity } from '../protocol/identity.ts';
import { ConversationId, RefId } from '../protocol/ids.ts';
import { parse } from '../protocol/parse.ts';
import { Conversations } from '../records/conversations.ts';
import { Feedbacks, NO_OPINION, type Opinion } from '../records/feedback.ts';
import { Messages } from '../records/messages.ts';
import { type AppEnv, type Ctx, hubOf, queryNumber, readJson, refusal, statusOf } from './app.ts';
import type { Surface } from './dialects.ts';
import { requireUser } from './door.ts';

/** Over HTTP a chat is a conversation, a row of its history a message. */
const routes = new Hono<AppEnv>();

/** Bisheng's chat pages. */
export const bisheng: Surface = { socket, http: { at: '/api/v1', routes } };

const BODY_BYTES = 65_536;
/** What the original takes for a comment. */
const COMMENT_CHARS = 4_096;
/** Rows that it gives at most of a chat as a whole, and those of one page of ours. */
const WHOLE_ROWS = 1_000;
const PAGE_ROWS = 200;

const Rename = v.object({ conversationId: ConversationId, name: Renaming.entries.title });
const Message = { message_id: RefId };
const Liked = v.object({ ...Message, liked: v.picklist([0, 1, 2], 'is not 0, 1 or 2') });
const Copied = v.object({ ...Message, copied: v.optional(v.picklist([0, 1], 'is not 0 or 1'), 1) });
const Comment = v.object({
  ...Message,
  comment: v.pipe(v.string(), v.maxLength(COMMENT_CHARS, `has more than ${COMMENT_CHARS} characters`)),
});
const TELEMETRY = { like: { liked: 1 }, dislike: { liked: 2 }, copy: { copied: 1 } } as const;
const Telemetry = v.object({
  ...Message,
  operation_type: v.picklist(['like', 'dislike', 'copy'], 'is not like, dislike or copy'),
});

/** Newest first: what came before the row `id`, where there is one. */
routes.get('/chat/history', async (c) => {
  const who = await user(c);
  const chat = chatIdOf(c);
  const id = c.req.query('id') ?? '';
  const limit = queryNumber(c, 'page_size', 1, PAGE_ROWS) ?? 20;
  const before = id === '' ? undefined : await positionOf(c, who, parse(RefId, id, 'id'));
  const { messages } = await historyOf(c, who, chat, before, limit);
  return c.json(success(await rowsOf(c, who, chat, messages)));
});

routes.get('/session/chat/messages/:chat_id', async (c) => {
  const who = await user(c);
  const chat = parse(ConversationId, c.req.param('chat_id'), 'chat_id');
  const rows: HistoryRow[] = [];
  for (let before: number | undefined; rows.length < WHOLE_ROWS; ) {
    const { messages, next } = await historyOf(c, who, chat, before, PAGE_ROWS);
    rows.push(...messages);
    if (next === null) break;
    before = next;
  }
  return c.json(success(await rowsOf(c, who, chat, rows.reverse())));
});

routes.get('/chat/list', async (c) => {
  const who = await user(c);
  const page = queryNumber(c, 'page', 1, 1_000) ?? 1;
  const limit = queryNumber(c, 'limit', 1, 100) ?? 10;
  await hubOf(c, who).record();
  const { conversations } = await new Conversations(c.env.DB).page(
    ...([who, Number.MAX_SAFE_INTEGER, limit, (page - 1) * limit] as const),
  );
  const apps = await appsOf(
    c,
    who,
    conversations.map(({ id }) => id),
  );
  return c.json(success(conversations.map((one) => chatOf(one, appOf(apps.get(one.id)), who.user))));
});

routes.get('/chat/info', async (c) => {
  const who = await user(c);
  const chat = chatIdOf(c);
  await hubOf(c, who).record();
  const found = await new Conversations(c.env.DB).get(who, chat);
  if (!found) throw new StarwireError('not_found', 'there is no such chat');
  return c.json(success(chatOf(found, await appIn(c, who, chat), who.user)));
});

routes.post('/chat/conversation/rename', async (c) => {
  const who = await user(c);
  const { conversationId, name } = parse(Rename, await readJson(c, BODY_BYTES));
  unwrap(await hubOf(c, who).renameConversation(conversationId, name));
  return c.json(success(null));
});

routes.delete('/chat/:chat_id', async (c) => {
  const who = await user(c);
  unwrap(await hubOf(c, who).deleteConversation(parse(ConversationId, c.req.param('chat_id'), 'chat_id')));
  return c.json(success(null));
});

routes.post('/liked', (c) => thinks(c, Liked, ({ liked }) => ({ liked })));
routes.post('/chat/copied', (c) => thinks(c, Copied, ({ copied }) => ({ copied })));
routes.post('/chat/comment', (c) => thinks(c, Comment, ({ comment }) => ({ comment })));
routes.post('/session/chat/message/telemetry', (c) =>
  thinks(c, Telemetry, ({ operation_type }) => TELEMETRY[operation_type]),
);

/** As the original says it, but for the HTTP status, which is the truth. */
routes.onError((error, c) => {
  const { body, headers } = refusal(error, c.get('request_id'));
  const { message, ...data } = body;
  const status = statusOf(body);
  return Response.json(
    { status_code: status, status_message: message, data: { ...data, exception: message }, error: body },
    { status, headers },
  );
});

function success<T>(data: T) {
  return { status_code: 200, status_message: 'SUCCESS', data };
}

/** The verified caller; an id that the page claims must be theirs (P-DI-1). */
async function user(c: Ctx): Promise<Identity> {
  const who = await requireUser(c, socket);
  if ((c.req.query('user_id') ?? who.user) !== who.user)
    throw new StarwireError('forbidden', 'the token belongs to somebody else', { field: 'user_id' });
  return who;
}

function chatIdOf(c: Ctx): string {
  return parse(ConversationId, c.req.query('chat_id'), 'chat_id');
}

async function historyOf(
  c: Ctx,
  who: Identity,
  chat: string,
  before: number | undefined,
  limit: number,
): Promise<HistoryPage> {
  return JSON.parse(await hubOf(c, who).history(chat, before, limit, new URL(c.req.url).origin));
}

/** Where the row with an id stands. Throws `not_found`. */
async function positionOf(c: Ctx, who: Identity, id: string): Promise<number> {
  await hubOf(c, who).record();
  const [found] = await new Messages(c.env.DB).byIds(who, [id]);
  if (!found) throw new StarwireError('not_found', 'there is no such message', { field: 'id' });
  return found.position;
}

async function appsOf(c: Ctx, who: Identity, chats: readonly string[]) {
  return new Messages(c.env.DB).beginnings(who, chats);
}

async function appIn(c: Ctx, who: Identity, chat: string): Promise<App> {
  return appOf((await appsOf(c, who, [chat])).get(chat));
}

async function rowsOf(c: Ctx, who: Identity, chat: string, rows: readonly HistoryRow[]) {
  if (rows.length === 0) return [];
  await hubOf(c, who).record();
  const [app, opinions] = await Promise.all([
    appIn(c, who, chat),
    new Feedbacks(c.env.DB).of(
      who,
      rows.map(({ id }) => id),
    ),
  ]);
  return rows.map((row) => rowOf(row, app, who.user, opinions.get(row.id) ?? NO_OPINION));
}

/** What the caller thinks of a message of theirs. */
async function thinks<T extends { message_id: string }>(
  c: Ctx,
  schema: v.GenericSchema<unknown, T>,
  opinionOf: (body: T) => Partial<Opinion>,
): Promise<Response> {
  const who = await user(c);
  const body = parse(schema, await readJson(c, BODY_BYTES));
  await hubOf(c, who).record();
  await new Feedbacks(c.env.DB).put(who, body.message_id, opinionOf(body), Date.now() / 1000);
  return c.json(success(null));
}
