import type { HistoryRow } from '../protocol/history.ts';
import type { PlacedRow } from './history.ts';
import type { Sql } from './ports.ts';

/**
 * Rows of history that are in the records alone and are wanted again: an edit or a pressed button changes them, whatever
 * their age. They stay until the journal is cut behind those changes.
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

  /** Keeps a row for what is appended next, after `head`. Inside a transaction. */
  add({ position, row }: PlacedRow, head: number): void {
    this.#sql.run(
      'INSERT OR IGNORE INTO recalled (id, conversation, position, row, seq) VALUES (?, ?, ?, ?, ?)',
      row.id,
      row.conversation,
      position,
      JSON.stringify(row),
      head + 1,
    );
  }

  /** The entry `seq` changes a row. Inside a transaction. */
  changed(id: string, seq: number): void {
    this.#sql.run('UPDATE recalled SET seq = ? WHERE id = ?', seq, id);
  }

  /** Nothing up to `cut` is in the journal any more. Inside a transaction. */
  trim(cut: number): void {
    this.#sql.run('DELETE FROM recalled WHERE seq <= ?', cut);
  }

  drop(conversation: string): void {
    this.#sql.run('DELETE FROM recalled WHERE conversation = ?', conversation);
  }
}
