import type { Button, TurnFrame, TurnStatus } from '../protocol/server-frames.ts';
import { isTerminal } from '../protocol/server-frames.ts';
import type { StartPolicy } from './calls.ts';
import type { Sql } from './ports.ts';
import { StreamedText, type TextKind } from './streamed-text.ts';
import type { Tables } from './tables.ts';

/** The stored facts of a turn. */
export interface TurnState {
  turn: string;
  /** The id of the reply. */
  message: string;
  conversation: string;
  status: TurnStatus;
  /** The `seq` of its first and of its latest `turn` frame. */
  opened: number;
  seq: number;
  /** Whether the upstream has taken the message; from then on silence counts. */
  accepted: boolean;
  /** Whether an upstream is called for it, by the turn's own object; false for turns that the upstream opened. */
  runs: boolean;
  /** Whether the turn's own object was told to start. */
  started: boolean;
  /** How others follow it, once its own object has told. */
  policy?: StartPolicy;
  /** Whether the first call of the upstream is over, well or badly: the next message may follow (P-WS-15). */
  attempted: boolean;
  /** Unix ms of the last sign of life. */
  active_at: number;
  /** Set once a `message` event gave the reply: its buttons, its lengths (chunks may follow), and the entry that gave it. */
  reply?: { buttons?: Button[]; length: number; reasoning: number; seq: number };
  /** Of a reply that was asked for again: the user's message, and the reply that this one is instead of. */
  asked?: string;
  replaces?: string;
  text_length: number;
  reasoning_length: number;
}

/** A turn that has not ended, with its text. */
export class OpenTurn {
  readonly state: TurnState;
  readonly text: StreamedText;
  readonly reasoning: StreamedText;
  /** The state differs from what is stored. */
  dirty = false;

  constructor(state: TurnState, text: StreamedText, reasoning: StreamedText) {
    this.state = state;
    this.text = text;
    this.reasoning = reasoning;
  }

  get unflushed(): number {
    return this.text.unflushed + this.reasoning.unflushed;
  }

  frame(): TurnFrame {
    const { seq, turn, conversation, message, status, replaces } = this.state;
    const again = replaces === undefined ? {} : { replaces };
    return { type: 'turn', seq, turn, conversation, message, status, ...again };
  }
}

/** Of which turns texts were dropped: of some that have ended, of some that go on with another text. */
interface Dropped {
  ended: boolean;
  replaced: boolean;
}

/** The turns of one channel: open ones in memory and storage, finished ones in storage for a while. */
export class Turns {
  readonly #sql: Sql;
  readonly #open = new Map<string, OpenTurn>();
  readonly #tables: Tables;
  #dropped: Dropped = { ended: false, replaced: false };

  constructor(sql: Sql, tables: Tables) {
    this.#sql = sql;
    this.#tables = tables;
    if (!tables.has('turns')) return;
    for (const { state } of sql.all<{ state: string }>(
      'SELECT state FROM turns WHERE open = 1 ORDER BY at',
    )) {
      this.#restore(JSON.parse(state));
    }
  }

  #restore(state: TurnState): void {
    const load = (kind: TextKind): StreamedText =>
      this.#tables.has('texts')
        ? StreamedText.load(this.#sql, state.turn, kind)
        : new StreamedText(state.turn, kind);
    const [text, reasoning] = [load('text'), load('reasoning')];
    // Text is stored without the state: it speaks for itself.
    state.text_length = text.length;
    state.reasoning_length = reasoning.length;
    state.active_at = Math.max(state.active_at, text.storedAt, reasoning.storedAt);
    this.#open.set(state.turn, new OpenTurn(state, text, reasoning));
  }

  /** Open turns in the order in which they were opened. */
  get open(): Iterable<OpenTurn> {
    return this.#open.values();
  }

  get size(): number {
    return this.#open.size;
  }

  get(turn: string): OpenTurn | undefined {
    return this.#open.get(turn);
  }

  /** The stored facts of any turn, open or finished; undefined where there is none. */
  find(turn: string): TurnState | undefined {
    const open = this.#open.get(turn);
    if (open) return open.state;
    if (!this.#tables.has('turns')) return undefined;
    const row = this.#sql.all<{ state: string }>('SELECT state FROM turns WHERE turn = ?', turn)[0];
    return row && JSON.parse(row.state);
  }

  /** The stretches of the journal that turns take: from their first frame to their last, or without an end. */
  get spans(): { from: number; to: number }[] {
    if (!this.#tables.has('turns')) return [];
    return this.#sql
      .all<{ state: string }>('SELECT state FROM turns')
      .map(({ state }): TurnState => JSON.parse(state))
      .map(({ opened, seq, status }) => ({
        from: opened,
        to: isTerminal(status) ? seq : Number.POSITIVE_INFINITY,
      }));
  }

  /** Opens a turn, inside a transaction; it must get its first frame and be stored before the transaction ends. */
  add(turn: string, message: string, conversation: string, now: number): OpenTurn {
    const state: TurnState = {
      turn,
      message,
      conversation,
      status: 'queued',
      opened: 0,
      seq: 0,
      accepted: false,
      runs: false,
      started: false,
      attempted: false,
      active_at: now,
      text_length: 0,
      reasoning_length: 0,
    };
    const open = new OpenTurn(state, new StreamedText(turn, 'text'), new StreamedText(turn, 'reasoning'));
    open.dirty = true;
    this.#open.set(turn, open);
    return open;
  }

  /** Stores what is not stored of a turn, inside a transaction; says whether text was written, and with it `mark`. */
  store(open: OpenTurn, now: number, mark: string | null = null): boolean {
    const { state } = open;
    const live = !isTerminal(state.status);
    // The text of a turn that ends is in its message.
    const written = live && this.#flush(open, now, mark);
    state.text_length = open.text.length;
    state.reasoning_length = open.reasoning.length;
    if (!open.dirty) return written;
    this.#tables.make('turns');
    // `at` orders open turns by age and lets finished ones be forgotten.
    this.#sql.run(
      'INSERT INTO turns (turn, open, state, at) VALUES (?, ?, ?, ?) ON CONFLICT (turn) DO UPDATE SET open = excluded.open, state = excluded.state, at = CASE excluded.open WHEN 1 THEN at ELSE excluded.at END',
      state.turn,
      live ? 1 : 0,
      JSON.stringify(state),
      now,
    );
    if (!live) {
      if (this.#dropTexts(state.turn)) this.#dropped.ended = true;
      this.#open.delete(state.turn);
    }
    open.dirty = false;
    return written;
  }

  #flush({ text, reasoning, unflushed }: OpenTurn, now: number, mark: string | null): boolean {
    if (unflushed === 0) return false;
    this.#tables.make('texts');
    return [text, reasoning].map((one) => one.flush(this.#sql, now, mark)).includes(true);
  }

  /** Stores all turns that have something unstored; says whether text was written, and with it `mark`. */
  storeAll(now: number, mark: string | null): boolean {
    return [...this.#open.values()].map((open) => this.store(open, now, mark)).includes(true);
  }

  /** Gives a turn another text, inside a transaction. */
  replaceText(open: OpenTurn, text: string): void {
    open.text.reset(text);
    if (this.#dropTexts(open.state.turn, 'text')) this.#dropped.replaced = true;
  }

  #dropTexts(turn: string, kind?: TextKind): boolean {
    if (!this.#tables.has('texts')) return false;
    this.#sql.run('DELETE FROM texts WHERE turn = ?1 AND (?2 IS NULL OR kind = ?2)', turn, kind ?? null);
    return true;
  }

  /** Whether texts were dropped since the last time, and with them marks: of turns that have ended, or that go on. */
  takeDropped(): Dropped {
    const dropped = this.#dropped;
    this.#dropped = { ended: false, replaced: false };
    return dropped;
  }

  /** The marks beside the texts of open turns. */
  get marks(): string[] {
    if (!this.#tables.has('texts')) return [];
    return this.#sql
      .all<{ mark: string }>('SELECT mark FROM texts WHERE mark IS NOT NULL')
      .map(({ mark }) => mark);
  }

  get unflushed(): number {
    let sum = 0;
    for (const open of this.#open.values()) sum += open.unflushed;
    return sum;
  }
}
