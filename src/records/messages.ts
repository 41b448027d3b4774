import type { PlacedRow } from '../channel/history.ts';
import type { HistoryRow } from '../protocol/history.ts';
import type { Owner } from '../protocol/identity.ts';
import { ofTenant } from './scope.ts';

interface StoredRow {
  position: number;
  text: string;
  row: string;
}

/** A stored row as history gives it: its text stands in a column of its own. */
export function placedRow({ position, text, row }: StoredRow): PlacedRow {
  const rest: HistoryRow = JSON.parse(row);
  return { position, row: rest.type === 'message' ? { ...rest, text } : rest };
}

/** The messages and files of conversations, for ever (D1); `drain.ts` writes them. */
export class Messages {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async #rows({ tenant, user }: Owner, where: string, ...values: unknown[]): Promise<PlacedRow[]> {
    const { results } = await ofTenant(this.#db, tenant)
      .statement(
        `SELECT position, text, row FROM messages WHERE tenant = ?1 AND user = ?2 AND ${where}`,
        user,
        ...values,
      )
      .all<StoredRow>();
    return results.map(placedRow);
  }

  /** Rows of a conversation at positions below `before` and after its deletion at `after`, newest first. */
  page(
    owner: Owner,
    conversation: string,
    { before, after }: { before: number; after: number },
    limit: number,
  ): Promise<PlacedRow[]> {
    return this.#rows(
      owner,
      'conversation = ?3 AND position < ?4 AND position > ?5 ORDER BY position DESC LIMIT ?6',
      conversation,
      before,
      after,
      limit,
    );
  }

  /** All rows after a position, oldest first. */
  after(owner: Owner, position: number, limit: number): Promise<PlacedRow[]> {
    return this.#rows(
      owner,
      `place > ((SELECT number FROM users WHERE tenant = ?1 AND user = ?2) << 32 | ?3)
       ORDER BY place LIMIT ?4`,
      position,
      limit,
    );
  }

  byIds(owner: Owner, ids: readonly string[]): Promise<PlacedRow[]> {
    return this.#rows(owner, 'id IN (SELECT value FROM json_each(?3))', JSON.stringify(ids));
  }

  /** What the client said besides with the first message of its user, for each of the conversations. */
  async beginnings(
    { tenant, user }: Owner,
    conversations: readonly string[],
  ): Promise<ReadonlyMap<string, Record<string, unknown>>> {
    const { results } = await ofTenant(this.#db, tenant)
      .statement(
        `SELECT conversation, row -> '$.extra' AS extra FROM messages WHERE place IN (
           SELECT (SELECT place FROM messages
             WHERE tenant = ?1 AND user = ?2 AND conversation = c.value AND row ->> 'role' = 'user' ORDER BY position LIMIT 1)
           FROM json_each(?3) AS c)`,
        user,
        JSON.stringify(conversations),
      )
      .all<{ conversation: string; extra: string | null }>();
    return new Map(results.map(({ conversation, extra }) => [conversation, JSON.parse(extra ?? '{}')]));
  }

  /** The rows of a turn. It reads all of the user's rows: what asks for it is rare, and an index would cost with every row. */
  ofTurn(owner: Owner, turn: string): Promise<PlacedRow[]> {
    return this.#rows(owner, "instr(row, ?3) > 0 AND row ->> 'turn' = ?4", JSON.stringify(turn), turn);
  }
}
