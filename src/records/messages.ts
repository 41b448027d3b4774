import type { PlacedRow } from '../channel/history.ts';
import type { HistoryRow } from '../protocol/history.ts';
import type { FileRows } from './file-rows.ts';
import { ofTenant } from './scope.ts';

interface Owner {
  tenant: string;
  user: string;
}

/** A value of D1 holds 2 MB: many small rows travel as one list, a large one by itself. */
const SMALL_CHARS = 100_000;
const LIST_CHARS = 250_000;

const RENEW =
  'ON CONFLICT (tenant, user, id) DO UPDATE SET seq = excluded.seq, row = excluded.row WHERE excluded.seq > seq';
const PUT_ONE = `INSERT INTO messages (tenant, user, id, conversation, position, seq, row)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ${RENEW}`;
const PUT_MANY = `INSERT INTO messages (tenant, user, id, conversation, position, seq, row)
  SELECT ?1, ?2, value ->> 'id', value ->> 'conversation', value ->> 'position', value ->> 'seq', value ->> 'row'
  FROM json_each(?3) WHERE true ${RENEW}`;

/** The messages and files of conversations, for ever (D1). Rows are stored as they are sent, without signed urls. */
export class Messages {
  readonly #db: D1Database;
  readonly #files: FileRows;

  constructor(db: D1Database, files: FileRows) {
    this.#db = db;
    this.#files = files;
  }

  /** Adds or renews rows; an older state of a row never replaces a newer one, so that it may be repeated. */
  async put({ tenant, user }: Owner, rows: readonly PlacedRow[]): Promise<void> {
    if (rows.length === 0) return;
    const scope = ofTenant(this.#db, tenant);
    const small: string[] = [];
    const statements: D1PreparedStatement[] = [];
    for (const { position, row } of rows) {
      const { id, conversation, seq } = row;
      const json = JSON.stringify(row);
      if (json.length <= SMALL_CHARS)
        small.push(JSON.stringify({ id, conversation, seq, position, row: json }));
      else statements.push(scope.statement(PUT_ONE, user, id, conversation, position, seq, json));
    }
    for (const list of lists(small)) statements.push(scope.statement(PUT_MANY, user, list));
    const kept = this.#files.recorded(
      { tenant, user },
      rows.map(({ row }) => row),
    );
    await scope.batch([...statements, ...kept]);
  }

  /** Rows of a conversation at positions below `before`, newest first. */
  async page(
    { tenant, user }: Owner,
    conversation: string,
    before: number,
    limit: number,
  ): Promise<PlacedRow[]> {
    const { results } = await ofTenant(this.#db, tenant)
      .statement(
        `SELECT position, row FROM messages WHERE tenant = ?1 AND user = ?2 AND conversation = ?3 AND position < ?4
         ORDER BY position DESC LIMIT ?5`,
        user,
        conversation,
        before,
        limit,
      )
      .all<{ position: number; row: string }>();
    return results.map(({ position, row }) => ({ position, row: JSON.parse(row) as HistoryRow }));
  }
}

/** JSON arrays of a bounded size. */
function lists(items: readonly string[]): string[] {
  const found: string[] = [];
  let open: string[] = [];
  let size = 0;
  for (const item of items) {
    if (open.length > 0 && size + item.length > LIST_CHARS) {
      found.push(`[${open.join(',')}]`);
      open = [];
      size = 0;
    }
    open.push(item);
    size += item.length;
  }
  if (open.length > 0) found.push(`[${open.join(',')}]`);
  return found;
}
