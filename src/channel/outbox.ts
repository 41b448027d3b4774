import type { Delivery } from '../protocol/delivery.ts';
import type { Clock, Sql } from './ports.ts';
import type { Tables } from './tables.ts';

/** A call that a turn's own object has not answered yet. */
export type Call =
  | { type: 'start'; delivery: Delivery }
  | { type: 'deliver'; delivery: Delivery }
  | { type: 'register' }
  | { type: 'cancel' };

export interface Pending {
  n: number;
  turn: string;
  conversation: string;
  call: Call;
}

/** Calls from the channel to the turns' own objects, stored with the events that caused them (DESIGN 5). */
export class Outbox {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #tables: Tables;
  /** The highest number that was given. */
  #last = 0;
  /** undefined: not read since the last change. */
  #pending: Pending[] | undefined;

  constructor(sql: Sql, clock: Clock, tables: Tables) {
    this.#sql = sql;
    this.#clock = clock;
    this.#tables = tables;
  }

  /** In the order in which they were added. */
  get pending(): readonly Pending[] {
    if (!this.#tables.has('outbox')) return [];
    this.#pending ??= this.#sql
      .all<{ n: number; turn: string; conversation: string; call: string }>(
        'SELECT n, turn, conversation, call FROM outbox ORDER BY n',
      )
      .map(({ call, ...row }) => ({ ...row, call: JSON.parse(call) }));
    return this.#pending;
  }

  /** Adds a call, inside a transaction. */
  add(turn: string, conversation: string, call: Call): void {
    // Numbers are never given twice: an answer that comes late must not be taken for that of another call.
    this.#last = Math.max(this.#last + 1, (this.pending.at(-1)?.n ?? 0) + 1, this.#clock.now());
    this.#pending = undefined;
    this.#tables.make('outbox');
    this.#sql.run(
      'INSERT INTO outbox (n, turn, conversation, call) VALUES (?, ?, ?, ?)',
      this.#last,
      turn,
      conversation,
      JSON.stringify(call),
    );
  }

  remove(n: number): void {
    this.#pending = undefined;
    this.#sql.run('DELETE FROM outbox WHERE n = ?', n);
  }

  /** The turn has ended: what was not sent of it need not be. */
  drop(turn: string): void {
    if (!this.pending.some((one) => one.turn === turn)) return;
    this.#pending = undefined;
    this.#sql.run("DELETE FROM outbox WHERE turn = ? AND json_extract(call, '$.type') <> 'cancel'", turn);
  }
}
