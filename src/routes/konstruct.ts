import { Hono } from 'hono';
import * as v from 'valibot';
import { fileLink } from '../dialects/as-markdown.ts';
import { isUuid, konstruct as socket } from '../dialects/konstruct.ts';
import { unwrap } from '../objects/outcome.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { HistoryPage, HistoryRow } from '../protocol/history.ts';
import type { Identity } from '../protocol/identity.ts';
import { parse } from '../protocol/parse.ts';
import { type PortalConversation, PortalConversations } from '../records/portal-conversations.ts';
import { type AppEnv, type Ctx, hubOf, queryNumber, readJson, refusal, statusOf } from './app.ts';
import type { Surface } from './dialects.ts';
import { requireUser } from './door.ts';

/** The portal's conversations: one for each agent and user. */
const routes = new Hono<AppEnv>();

/** The Konstruct portal. */
export const konstruct: Surface = { socket, http: { at: '/api/portal/chat', routes } };

const BODY_BYTES = 16_384;

/** Who may do what: a platform's admin in every tenant and for everybody, the others for themselves. */
const PLATFORM_ADMIN = 'platform_admin';
const ROLES = [PLATFORM_ADMIN, 'customer_admin', 'customer_operator'];

const Uuid = v.pipe(v.string(), v.check(isUuid, 'is not a UUID'), v.toLowerCase());
const GetOrCreate = v.object({ agent_id: Uuid, tenant_id: v.optional(v.nullable(Uuid)) });

/** Whose conversations a request is about: of one tenant, and of one user unless `user` is undefined. */
interface Reach {
  who: Identity;
  tenant: string;
  user: string | undefined;
  conversations: PortalConversations;
}

/** Throws `forbidden` for a role that may not, another tenant, or somebody else's `X-Portal-User-Id`. */
function reachOf(c: Ctx, who: Identity, wanted: string | null | undefined): Reach {
  const forbidden = new StarwireError('forbidden', 'Access denied');
  if (!ROLES.some((role) => who.roles.includes(role))) throw forbidden;
  if ((c.req.header('x-portal-user-id') ?? who.user) !== who.user) throw forbidden;
  const admin = who.roles.includes(PLATFORM_ADMIN);
  const tenant = wanted ?? who.tenant;
  if (tenant !== who.tenant && !admin) throw forbidden;
  return {
    ...{ who, tenant, user: admin ? undefined : who.user },
    conversations: new PortalConversations(c.env.DB, tenant),
  };
}

async function reached(c: Ctx): Promise<Reach> {
  const who = await requireUser(c, socket);
  const wanted = c.req.query('tenant_id');
  return reachOf(c, who, wanted === undefined ? undefined : parse(Uuid, wanted, 'tenant_id'));
}

routes.get('/conversations', async (c) => {
  const { tenant, user, conversations } = await reached(c);
  const found = await conversations.list(user);
  return c.json({ conversations: found.map((one) => shown(one, tenant)) });
});

/** Get or create: a user has one conversation with each agent. */
routes.post('/conversations', async (c) => {
  const who = await requireUser(c, socket);
  const { agent_id, tenant_id } = parse(GetOrCreate, await readJson(c, BODY_BYTES));
  const { tenant, conversations } = reachOf(c, who, tenant_id);
  // A conversation lives with its user, and so in the user's tenant.
  if (tenant !== who.tenant) throw new StarwireError('forbidden', 'Access denied');
  const id = crypto.randomUUID();
  const one = await conversations.getOrCreate(who.user, agent_id, id, Date.now() / 1000);
  return c.json(shown(one, tenant), one.id === id ? 201 : 200);
});

routes.get('/conversations/:id/messages', async (c) => {
  const { tenant, id, user, known } = await conversationOf(c);
  const before = queryNumber(c, 'before', 1, Number.MAX_SAFE_INTEGER);
  const limit = queryNumber(c, 'limit', 1, 200) ?? 50;
  const json = await hubOf(c, { tenant, user }).history(id, before, limit, new URL(c.req.url).origin);
  const { messages, next }: HistoryPage = JSON.parse(json);
  // One that began on the socket, by an id that the portal chose, is the user's once something was said.
  if (!known && messages.length === 0 && before === undefined) throw missing();
  return c.json({ messages: messages.map((row) => messageOf(row)).reverse(), next });
});

/** A reset: what was said is gone, and the next conversation with the agent is a new one. */
routes.delete('/conversations/:id', async (c) => {
  const { conversations, tenant, id, user, known } = await conversationOf(c);
  // The words go first: should it break off, it can be asked for again.
  const deleted = await hubOf(c, { tenant, user }).deleteConversation(id);
  const unsaid = 'error' in deleted && deleted.error.code === 'not_found';
  if (unsaid && !known) throw missing();
  if (!unsaid) unwrap(deleted);
  await conversations.delete(id);
  return c.body(null, 204);
});

/** As the portal's own API says it: `detail`. */
routes.onError((error, c) => {
  const { body, headers } = refusal(error, c.get('request_id'));
  return Response.json({ detail: body.message, error: body }, { status: statusOf(body), headers });
});

/** The conversation that a request names, and its user; one that is not `known` here can only be the asking user's own. */
async function conversationOf(c: Ctx) {
  const { conversations, tenant, who, user } = await reached(c);
  const id = parse(Uuid, c.req.param('id'), 'conversation');
  const found = await conversations.get(id, user);
  if (!found && tenant !== who.tenant) throw missing();
  return { conversations, tenant, id, user: found?.user ?? who.user, known: found !== undefined };
}

function missing(): StarwireError {
  return new StarwireError('not_found', 'Conversation not found');
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

function shown({ id, agent, user, created_at, updated_at }: PortalConversation, tenant_id: string) {
  return {
    ...{ id, tenant_id, agent_id: agent, user_id: user },
    ...{ created_at: iso(created_at), updated_at: iso(updated_at) },
  };
}

function messageOf(row: HistoryRow) {
  const [role, content] = row.type === 'message' ? [row.role, row.text] : ['assistant', fileLink(row)];
  return { id: row.id, conversation_id: row.conversation, role, content, created_at: iso(row.timestamp) };
}
