import { ofTenant } from './scope.ts';

/** A conversation of a user with an agent; times in Unix seconds, `updated_at` that of its newest recorded message. */
export interface PortalConversation {
  id: string;
  agent: string;
  user: string;
  created_at: number;
  updated_at: number;
}

const SELECT = `SELECT p.id, p.agent, p.user, p.created_at, coalesce((
    SELECT row ->> 'timestamp' FROM messages AS m
    WHERE m.tenant = ?1 AND m.user = p.user AND m.conversation = p.id ORDER BY position DESC LIMIT 1
  ), p.created_at) AS updated_at
  FROM portal_conversations AS p WHERE p.tenant = ?1`;

/** More than a portal shows in one list. */
const LISTED = 200;

/** The conversations of one tenant's portal: one for each agent and user. */
export class PortalConversations {
  readonly #scope: ReturnType<typeof ofTenant>;

  constructor(db: D1Database, tenant: string) {
    this.#scope = ofTenant(db, tenant);
  }

  /** The newest ones of a user, or without one of the tenant. */
  async list(user: string | undefined): Promise<PortalConversation[]> {
    const { results } = await this.#scope
      .statement(
        `${SELECT} AND (?2 IS NULL OR p.user = ?2) ORDER BY updated_at DESC LIMIT ${LISTED}`,
        user ?? null,
      )
      .all<PortalConversation>();
    return results;
  }

  /** The one that a user has with an agent; where there is none, it begins under `id`. */
  async getOrCreate(user: string, agent: string, id: string, now: number): Promise<PortalConversation> {
    await this.#scope
      .statement(
        `INSERT INTO portal_conversations (tenant, user, agent, id, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING`,
        ...[user, agent, id, now],
      )
      .run();
    const found = await this.#scope
      .statement(`${SELECT} AND p.user = ?2 AND p.agent = ?3`, user, agent)
      .first<PortalConversation>();
    if (!found) throw new Error('a conversation was deleted as it began');
    return found;
  }

  /** Undefined where there is none, or it is not the user's; without a user anybody's counts. */
  async get(id: string, user: string | undefined): Promise<PortalConversation | undefined> {
    const found = await this.#scope
      .statement(`${SELECT} AND p.id = ?2 AND (?3 IS NULL OR p.user = ?3)`, id, user ?? null)
      .first<PortalConversation>();
    return found ?? undefined;
  }

  async delete(id: string): Promise<void> {
    await this.#scope.statement('DELETE FROM portal_conversations WHERE tenant = ?1 AND id = ?2', id).run();
  }
}
