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
  /** The carry as it is stored. */
  #storedCarry = '';
  /** When the newest part was stored (Unix ms); 0 where there is none. */
  #storedAt = 0;
  /** Where the last stored part begins. */
  #part = 0;

  constructor(turn: string, kind: TextKind) {
    this.#turn = turn;
    this.#kind = kind;
  }

  static load(sql: Sql, turn: string, kind: TextKind): StreamedText {
    const one = new StreamedText(turn, kind);
    const rows = sql.all<{ start: number; text: string; carry: number | null; at: number }>(
      'SELECT start, text, carry, at FROM texts WHERE turn = ? AND kind = ? ORDER BY start',
      turn,
      kind,
    );
    one.#text = rows.map(({ text }) => text).join('');
    const { start = 0, carry: half = null, at = 0 } = rows.at(-1) ?? {};
    const carry = half === null ? '' : String.fromCharCode(half);
    one.#part = start;
    one.#flushed = one.#text.length;
    one.#carry = carry;
    one.#storedCarry = carry;
    one.#storedAt = at;
    return one;
  }

  /** What can be shown. */
  get shown(): string {
    return this.#text;
  }

  get storedAt(): number {
    return this.#storedAt;
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

  /** Replaces everything; what was stored is the caller's to drop. */
  reset(text: string): void {
    this.#text = wellFormed(text);
    this.#carry = '';
    this.#storedCarry = '';
    this.#flushed = 0;
    this.#part = 0;
  }

  /** Stores what is not stored yet, inside a transaction, and a mark beside it; says whether there was anything. */
  flush(sql: Sql, now: number, mark: string | null): boolean {
    if (this.unflushed === 0) return false;
    do this.#storePart(sql, now, mark);
    while (this.#flushed < this.#text.length);
    this.#storedCarry = this.#carry;
    this.#storedAt = now;
    return true;
  }

  /** Writes the last part anew with what fits into it, or a new one where it is full. */
  #storePart(sql: Sql, now: number, mark: string | null): void {
    if (this.#flushed < this.#text.length && this.#flushed - this.#part >= PART - 1)
      this.#part = this.#flushed;
    let end = Math.min(this.#text.length, this.#part + PART);
    if (endsInHighSurrogate(this.#text.slice(end - 1, end))) end -= 1;
    sql.run(
      'INSERT OR REPLACE INTO texts (turn, kind, start, text, carry, at, mark) VALUES (?, ?, ?, ?, ?, ?, ?)',
      this.#turn,
      this.#kind,
      this.#part,
      this.#text.slice(this.#part, end),
      // A lone half is no text to SQLite.
      this.#carry === '' ? null : this.#carry.charCodeAt(0),
      now,
      mark,
    );
    this.#flushed = end;
  }
}
