import type { HistoryRow } from '../protocol/history.ts';
import type { PlacedRow } from './history.ts';
import type { Sql } from './ports.ts';

/**
 * Rows of history that are in the records alone and are wanted again: an edit or a pressed button changes them, whatever
 * their age. They stay until the journal is cut, which it is only when the records have those changes as well.
 */
export class Recalled {
  readonly #sql: Sql;
  readonly #exists: () => boolean;

  constructor(sql: Sql, exists: () => boolean) {
    this.#sql = sql;
    this.#exists = exists;
  }

  get(id: string): HistoryRow | undefined {
    if (!this.#exists()) return undefined;
    const [found] = this.#sql.all<{ row: string }>('SELECT row FROM recalled WHERE id = ?', id);
    return found && JSON.parse(found.row);
  }

  of(conversation: string): PlacedRow[] {
    if (!this.#exists()) return [];
    return this.#sql
      .all<{ position: number; row: string }>(
        'SELECT position, row FROM recalled WHERE conversation = ?',
        conversation,
      )
      .map(({ position, row }) => ({ position, row: JSON.parse(row) }));
  }

  /** Inside a transaction. */
  add({ position, row }: PlacedRow): void {
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
    this.#sql.run('DELETE FROM recalled');
  }

  /** Those of one conversation. Inside a transaction. */
  drop(conversation: string): void {
    this.#sql.run('DELETE FROM recalled WHERE conversation = ?', conversation);
  }
}
