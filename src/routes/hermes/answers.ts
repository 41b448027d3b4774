import { is } from 'valibot';
import type { OpenTurnView, OpenView } from '../../channel/turn-record.ts';
import type { Named } from '../../dialects/dialect.ts';
import { messagesOf, sessionOf } from '../../dialects/hermes/session.ts';
import { topicOf } from '../../protocol/conversations.ts';
import { StarwireError } from '../../protocol/errors.ts';
import type { HistoryPage, HistoryRow } from '../../protocol/history.ts';
import type { Identity } from '../../protocol/identity.ts';
import { ConversationId } from '../../protocol/ids.ts';
import { log } from '../../protocol/log.ts';
import { Conversations } from '../../records/conversations.ts';
import { type Ctx, hubOf, readJson, refusal, requireObject, statusOf, use } from '../app.ts';
import { keyHolds, requireUser } from '../door.ts';

/** What the routes of the Hermes web UI share. */

export const DIALECT: Named = { name: 'hermes', cookies: ['hermes_session'] };

/** The verified caller; its clients keep their token in a cookie. */
export function callerOf(c: Ctx): Promise<Identity> {
  return requireUser(c, DIALECT);
}

/** Whether the caller's key, where it is one, still counts. */
export function callerHolds(c: Ctx): Promise<boolean> {
  return keyHolds(c, DIALECT);
}

/** Refusals as its clients read them: `error` is the sentence. */
export function hermesRefusal(error: unknown, c: Ctx): Response {
  const { body, headers } = refusal(error, c.get('request_id'));
  const { message, code, retryable, ...details } = body;
  return Response.json({ error: message, code, retryable, ...details }, { status: statusOf(body), headers });
}

/** A body's fields. */
export async function fieldsOf(c: Ctx): Promise<Record<string, unknown>> {
  return { ...requireObject(await readJson(c, use(c).config.limits.frame_bytes)) };
}

/** A text of a body or query. Throws `bad_request` where it is missing. */
export function required(value: unknown, name: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new StarwireError('bad_request', `${name} is required`, { field: name });
}

/** The session that a request names: a conversation of the caller. Throws `not_found`. */
export async function requireSession(c: Ctx, who: Identity, value: unknown): Promise<string> {
  const id = required(value, 'session_id');
  if (await hasSession(c, who, id)) return id;
  throw new StarwireError('not_found', 'Session not found');
}

export async function hasSession(c: Ctx, who: Identity, id: string): Promise<boolean> {
  return is(ConversationId, id) && (await hubOf(c, who).has(id));
}

/** A value of a body as text, as loosely as its clients send it. */
export function loosely(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}

export async function openOf(c: Ctx, who: Identity): Promise<OpenView> {
  return JSON.parse(await hubOf(c, who).open());
}

/** The run of a session that is under way: the first of its open turns. */
export function activeIn({ turns }: OpenView, session: string): OpenTurnView | undefined {
  return turns.find(({ conversation }) => conversation === session);
}

/** Messages of a session that are sent at most. */
const MESSAGES = 2_000;
const PAGE = 200;

/** The newest rows of a session, oldest first, and whether these are all. */
export async function rowsOf(
  c: Ctx,
  who: Identity,
  id: string,
  limit = MESSAGES,
): Promise<{ rows: HistoryRow[]; all: boolean }> {
  const { origin } = new URL(c.req.url);
  const rows: HistoryRow[] = [];
  let next: number | null | undefined;
  while (next !== null && rows.length < limit) {
    const page = await hubOf(c, who).history(id, next, Math.min(PAGE, limit - rows.length), origin);
    const { messages, next: before }: HistoryPage = JSON.parse(page);
    rows.push(...messages);
    next = before;
  }
  return { rows: rows.reverse(), all: next === null };
}

/** A session with its messages, as it stands. */
export async function sessionWith(c: Ctx, who: Identity, id: string, limit = MESSAGES) {
  const { rows, all } = await rowsOf(c, who, id, limit);
  const messages = messagesOf(rows);
  const conversations = new Conversations(c.env.DB);
  const count = all ? messages.length : ((await conversations.counts(who, [id])).get(id) ?? messages.length);
  return {
    ...sessionOf(await viewOf(c, who, id, rows), count, activeIn(await openOf(c, who), id)),
    regeneration_revision: rows.at(-1)?.seq ?? 0,
    messages,
    tool_calls: [],
  };
}

/** The conversation as the records have it; as its rows tell where the records have nothing yet. */
async function viewOf(c: Ctx, who: Identity, id: string, rows: readonly HistoryRow[]) {
  try {
    const known = await new Conversations(c.env.DB).get(who, id);
    if (known) return known;
  } catch (error) {
    log('warn', 'records cannot be read', { session: id, error });
  }
  const said = rows.find((row) => row.type === 'message' && row.role === 'user');
  return {
    id,
    title: said?.type === 'message' ? topicOf(said.text) : '',
    created_at: rows[0]?.timestamp ?? 0,
    updated_at: rows.at(-1)?.timestamp ?? 0,
    last_message: null,
  };
}
