import { endsInHighSurrogate, wellFormed } from '../protocol/text.ts';
import type { Sql } from './ports.ts';

/** Code units of one stored part: a flush rewrites at most this much, and a part fits an SQLite row in any script. */
const PART = 65_536;

export type TextKind = 'text' | 'reasoning';

/**
 * One growing text of an open turn: all of it in memory, and in storage up to the last flush. Lengths are UTF-16 code units
 * and are kept as numbers, never asked of SQL. A trailing half of a surrogate pair is carried until its other half comes.
 */
export class StreamedText {
  readonly #turn: string;
  readonly #kind: TextKind;
  #text = '';
  #carry = '';
  #flushed = 0;
  /** The carry as it is stored, with the turn's state. */
  #storedCarry = '';
  /** Where the last stored part begins. */
  #part = 0;

  constructor(turn: string, kind: TextKind) {
    this.#turn = turn;
    this.#kind = kind;
  }

  static load(sql: Sql, turn: string, kind: TextKind, carry: string): StreamedText {
    const one = new StreamedText(turn, kind);
    const rows = sql.all<{ start: number; text: string }>(
      'SELECT start, text FROM texts WHERE turn = ? AND kind = ? ORDER BY start',
      turn,
      kind,
    );
    one.#text = rows.map(({ text }) => text).join('');
    one.#part = rows.at(-1)?.start ?? 0;
    one.#flushed = one.#text.length;
    one.#carry = carry;
    one.#storedCarry = carry;
    return one;
  }

  /** What can be shown. */
  get shown(): string {
    return this.#text;
  }

  get carry(): string {
    return this.#carry;
  }

  /** All that came, the carried half included: where the upstream's next chunk begins. */
  get length(): number {
    return this.#text.length + this.#carry.length;
  }

  /** Code units that are not stored as they are now; a carried half is told to the upstream as having come, too. */
  get unflushed(): number {
    return this.#text.length - this.#flushed + (this.#carry === this.#storedCarry ? 0 : 1);
  }

  /** Adds `chunk` and returns what is new to show: nothing where it was only half a character. */
  append(chunk: string): { offset: number; text: string } {
    const whole = this.#carry + chunk;
    this.#carry = '';
    const cut = endsInHighSurrogate(whole) ? whole.length - 1 : whole.length;
    this.#carry = whole.slice(cut);
    const text = wellFormed(whole.slice(0, cut));
    const offset = this.#text.length;
    this.#text += text;
    return { offset, text };
  }

  /** The carried half will not be completed any more. */
  end(): { offset: number; text: string } {
    const text = wellFormed(this.#carry);
    this.#carry = '';
    const offset = this.#text.length;
    this.#text += text;
    return { offset, text };
  }

  /** Replaces everything. */
  reset(sql: Sql, text: string): void {
    sql.run('DELETE FROM texts WHERE turn = ? AND kind = ?', this.#turn, this.#kind);
    this.#text = wellFormed(text);
    this.#carry = '';
    this.#flushed = 0;
    this.#part = 0;
  }

  /** Stores what is not stored yet, inside a transaction; the carry is stored with the turn's state. */
  flush(sql: Sql): void {
    this.#storedCarry = this.#carry;
    while (this.#flushed < this.#text.length) {
      const room = this.#part + PART - this.#flushed;
      if (room <= 1) {
        this.#part = this.#flushed;
        continue;
      }
      let end = Math.min(this.#text.length, this.#flushed + room);
      if (endsInHighSurrogate(this.#text.slice(end - 1, end))) end -= 1;
      sql.run(
        'INSERT OR REPLACE INTO texts (turn, kind, start, text) VALUES (?, ?, ?, ?)',
        this.#turn,
        this.#kind,
        this.#part,
        this.#text.slice(this.#part, end),
      );
      this.#flushed = end;
    }
  }
}
