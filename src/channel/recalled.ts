import { StarwireError } from '../protocol/errors.ts';
import type { HistoryRow } from '../protocol/history.ts';
import type { PlacedRow } from './history.ts';
import type { Sql } from './ports.ts';
import type { Tables } from './tables.ts';

/**
 * Rows of history that are in the records alone and are wanted again: an edit or a pressed button changes them, whatever
 * their age. They stay until the journal is cut, which it is only when the records have those changes as well.
 */
export class Recalled {
  readonly #sql: Sql;
  readonly #tables: Tables;
  /** Those that were looked for in vain, since the records are down. */
  #unread: ReadonlySet<string> = new Set();

  constructor(sql: Sql, tables: Tables) {
    this.#sql = sql;
    this.#tables = tables;
  }

  /** The row of a message that the journal does not hold. Throws `internal` where the records could not be asked. */
  get(id: string): HistoryRow | undefined {
    if (this.#unread.has(id))
      throw new StarwireError('internal', 'older messages cannot be reached just now');
    if (!this.#tables.has('recalled')) return undefined;
    const [found] = this.#sql.all<{ row: string }>('SELECT row FROM recalled WHERE id = ?', id);
    return found && JSON.parse(found.row);
  }

  /** Whether a row is here. */
  has(id: string): boolean {
    return (
      this.#tables.has('recalled') && this.#sql.all('SELECT 1 FROM recalled WHERE id = ?', id).length > 0
    );
  }

  /** The records cannot be read: nobody knows whether there are such rows. */
  unread(ids: readonly string[]): void {
    this.#unread = new Set(ids);
  }

  of(conversation: string): PlacedRow[] {
    if (!this.#tables.has('recalled')) return [];
    return this.#sql
      .all<{ position: number; row: string }>(
        'SELECT position, row FROM recalled WHERE conversation = ?',
        conversation,
      )
      .map(({ position, row }) => ({ position, row: JSON.parse(row) }));
  }

  /** Inside a transaction. */
  add({ position, row }: PlacedRow): void {
    this.#tables.make('recalled');
    this.#sql.run(
      'INSERT OR IGNORE INTO recalled (id, conversation, position, row) VALUES (?, ?, ?, ?)',
      row.id,
      row.conversation,
      position,
      JSON.stringify(row),
    );
  }

  /** Inside a transaction. */
  clear(): void {
    if (this.#tables.has('recalled')) this.#sql.run('DELETE FROM recalled');
  }

  /** Those of one conversation. Inside a transaction. */
  drop(conversation: string): void {
    if (this.#tables.has('recalled'))
      this.#sql.run('DELETE FROM recalled WHERE conversation = ?', conversation);
  }
}
