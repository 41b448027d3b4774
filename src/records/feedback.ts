import { StarwireError } from '../protocol/errors.ts';
import type { Owner } from '../protocol/identity.ts';
import { ofTenant } from './scope.ts';

/** What a user thinks of a message. */
export interface Opinion {
  /** 0 nothing, 1 liked, 2 disliked. */
  liked: 0 | 1 | 2;
  /** 1 once it was copied. */
  copied: 0 | 1;
  comment: string;
}

export const NO_OPINION: Opinion = { liked: 0, copied: 0, comment: '' };

/** An opinion and the message that it is about; `at` in Unix seconds. */
export interface Feedback extends Opinion {
  message: string;
  at: number;
}

/** What users think of messages (D1), which it goes with: see the trigger in `schema.sql`. */
export class Feedbacks {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Changes what is given. Throws `not_found` where the user has no such message in the records. */
  async put({ tenant, user }: Owner, message: string, change: Partial<Opinion>, now: number): Promise<void> {
    const { liked = null, copied = null, comment = null } = change;
    const { meta } = await ofTenant(this.#db, tenant)
      .statement(
        `INSERT INTO feedback (tenant, user, message, liked, copied, comment, at)
         SELECT ?1, ?2, id, coalesce(?4, 0), coalesce(?5, 0), coalesce(?6, ''), ?7
         FROM messages WHERE tenant = ?1 AND user = ?2 AND id = ?3
         ON CONFLICT (tenant, user, message) DO UPDATE SET
           liked = coalesce(?4, liked), copied = coalesce(?5, copied), comment = coalesce(?6, comment), at = ?7`,
        ...[user, message, liked, copied, comment, now],
      )
      .run();
    if (meta.changes === 0) throw new StarwireError('not_found', 'there is no such message');
  }

  /** By message. */
  async of({ tenant, user }: Owner, messages: readonly string[]): Promise<ReadonlyMap<string, Feedback>> {
    const { results } = await ofTenant(this.#db, tenant)
      .statement(
        `SELECT message, liked, copied, comment, at FROM feedback
         WHERE tenant = ?1 AND user = ?2 AND message IN (SELECT value FROM json_each(?3))`,
        user,
        JSON.stringify(messages),
      )
      .all<Feedback>();
    return new Map(results.map((one) => [one.message, one]));
  }
}
