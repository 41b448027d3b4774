import { type ConversationPage, type ConversationView, previewOf } from '../protocol/conversations.ts';
import { BOT, type Owner } from '../protocol/identity.ts';
import { ofTenant } from './scope.ts';

interface Row {
  id: string;
  title: string;
  created_at: number;
  updated_at: number;
  touched: number;
  last_id: string | null;
  type: 'message' | 'file' | null;
  role: 'user' | 'assistant' | null;
  sender: string | null;
  text: string | null;
  timestamp: number | null;
}

const SELECT = `
  SELECT c.id, coalesce(c.name, c.topic, '') AS title, c.created_at, c.updated_at, c.touched, m.id AS last_id,
    m.row ->> 'type' AS type, m.row ->> 'role' AS role, m.row ->> 'sender' AS sender, m.row ->> 'timestamp' AS timestamp,
    substr(m.text, 1, 400) AS text
  FROM conversations AS c LEFT JOIN messages AS m ON m.place = (
    SELECT place FROM messages WHERE tenant = ?1 AND user = ?2 AND conversation = c.id ORDER BY position DESC LIMIT 1)
  WHERE c.tenant = ?1 AND c.user = ?2`;

/** The conversations of users as D1 has them; `drain.ts` writes them. */
export class Conversations {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Newest first: those whose newest message stands before `before`, but for the first `skip` of them. */
  async page({ tenant, user }: Owner, before: number, limit: number, skip = 0): Promise<ConversationPage> {
    const { results } = await ofTenant(this.#db, tenant)
      .statement(
        `${SELECT} AND c.touched < ?3 ORDER BY c.touched DESC LIMIT ?4 OFFSET ?5`,
        user,
        before,
        limit + 1,
        skip,
      )
      .all<Row>();
    const page = results.slice(0, limit);
    return {
      conversations: page.map(view),
      next: results.length > limit ? (page.at(-1)?.touched ?? null) : null,
    };
  }

  async get({ tenant, user }: Owner, id: string): Promise<ConversationView | undefined> {
    const row = await ofTenant(this.#db, tenant).statement(`${SELECT} AND c.id = ?3`, user, id).first<Row>();
    return row ? view(row) : undefined;
  }

  /** How many messages and files conversations have; those without any are not in it. */
  async counts({ tenant, user }: Owner, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { results } = await ofTenant(this.#db, tenant)
      .statement(
        `SELECT conversation, count(*) AS count FROM messages
         WHERE tenant = ?1 AND user = ?2 AND conversation IN (SELECT value FROM json_each(?3)) GROUP BY conversation`,
        user,
        JSON.stringify(ids),
      )
      .all<{ conversation: string; count: number }>();
    return new Map(results.map(({ conversation, count }) => [conversation, count]));
  }

  async titles({ tenant, user }: Owner, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { results } = await ofTenant(this.#db, tenant)
      .statement(
        `SELECT id, coalesce(name, topic, '') AS title FROM conversations
         WHERE tenant = ?1 AND user = ?2 AND id IN (SELECT value FROM json_each(?3))`,
        user,
        JSON.stringify([...new Set(ids)]),
      )
      .all<{ id: string; title: string }>();
    return new Map(results.map(({ id, title }) => [id, title]));
  }
}

function view({ id, title, created_at, updated_at, last_id, ...last }: Row): ConversationView {
  const { type, role, sender, text, timestamp } = last;
  return {
    id,
    title,
    created_at,
    updated_at,
    last_message:
      last_id === null || type === null
        ? null
        : {
            type,
            id: last_id,
            // Files are the bot's: what a user sends along stands in their message.
            role: role ?? 'assistant',
            sender: sender ?? BOT.user_id,
            text: previewOf(text ?? ''),
            timestamp: timestamp ?? updated_at,
          },
  };
}
