import type { DurableFrame, MessageFrame } from '../protocol/server-frames.ts';
import type { Clock, Sql } from './ports.ts';
import type { Tables } from './tables.ts';

/** A durable frame before it has its number. */
export type Unnumbered<F extends DurableFrame = DurableFrame> = F extends unknown ? Omit<F, 'seq'> : never;

/** Epochs carry a proof of who made them, so that a foreign one is told from one that was never stored. */
export interface Epochs {
  make(): string;
  genuine(epoch: string): boolean;
}

interface Stored {
  seq: number;
  frame: string;
}

/** An entry and when it was written (Unix ms). */
export interface Entry {
  frame: DurableFrame;
  at: number;
}

const PAGE = 500;

interface JournalPorts {
  sql: Sql;
  clock: Clock;
  epochs: Epochs;
  placed?: boolean;
}

/**
 * The ordered entries of one channel: `seq` 1, 2, 3 … without gaps, in one epoch. The epoch is made in memory and stored
 * with the first entry. `undelivered` is the first entry that no session was written, kept only while there is one.
 */
export class Journal {
  readonly #sql: Sql;
  readonly #tables: Tables;
  readonly #clock: Clock;
  readonly #placed: boolean;
  #stored: boolean;
  #epoch: string;
  #head = 0;
  #cut = 0;
  #recorded = 0;
  #undelivered: number | undefined;
  #name = '';
  /** Characters appended since the journal was last looked through. */
  grown = 0;

  constructor({ sql, clock, epochs, placed = false }: JournalPorts, tables: Tables) {
    this.#sql = sql;
    this.#tables = tables;
    this.#clock = clock;
    this.#placed = placed;
    this.#stored = tables.has('meta');
    this.#epoch = epochs.make();
    if (this.#stored) this.#load();
  }

  #load(): void {
    const meta = new Map(
      this.#sql
        .all<{ key: string; value: string | number }>(
          "SELECT key, value FROM meta WHERE key IN ('epoch', 'undelivered', 'recorded', 'name')",
        )
        .map(({ key, value }) => [key, value]),
    );
    const epoch = meta.get('epoch');
    if (epoch !== undefined) this.#epoch = String(epoch);
    const undelivered = meta.get('undelivered');
    if (undelivered !== undefined) this.#undelivered = Number(undelivered);
    this.#recorded = Number(meta.get('recorded') ?? 0);
    this.#name = String(meta.get('name') ?? '');
    // Two ends of the primary key; the newest entry is never cut.
    const [ends] = this.#sql.all<{ first: number | null; head: number | null }>(
      'SELECT (SELECT min(seq) FROM events) AS first, (SELECT max(seq) FROM events) AS head',
    );
    // Where there are none yet, they begin behind what the records have.
    this.#head = ends?.head ?? this.#recorded;
    this.#cut = (ends?.first ?? this.#head + 1) - 1;
  }

  /** Whether anything was ever stored. */
  get exists(): boolean {
    return this.#stored;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** The newest `seq`; 0 where there is none. */
  get head(): number {
    return this.#head;
  }

  /** The newest entry that is no longer kept; 0 where all are. */
  get cut(): number {
    return this.#cut;
  }

  /** The newest entry that the records (D1) have. */
  get recorded(): number {
    return this.#recorded;
  }

  /** The records have everything up to `seq`. Inside a transaction. */
  record(seq: number): void {
    this.#sql.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('recorded', ?)", seq);
    this.#recorded = seq;
  }

  /** Drops the entries up to `seq`, and the bytes of their files. Inside a transaction. */
  trim(seq: number): void {
    if (this.#tables.has('blobs'))
      this.#sql.run(
        "DELETE FROM blobs WHERE id IN (SELECT id FROM events WHERE seq <= ? AND type = 'file')",
        seq,
      );
    this.#sql.run('DELETE FROM events WHERE seq <= ?', seq);
    this.#cut = seq;
  }

  /** What the user is called, as a token told it last; '' where none has. */
  get name(): string {
    return this.#name;
  }

  /** The user is called so. Inside a transaction. */
  called(name: string): void {
    if (name === this.#name) return;
    this.#sql.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('name', ?)", name);
    this.#name = name;
  }

  get undelivered(): number | undefined {
    return this.#undelivered;
  }

  /** Takes over an epoch that open sessions were told before anything was stored. */
  adopt(epoch: string): void {
    if (!this.#stored) this.#epoch = epoch;
  }

  /**
   * Goes on behind `seq`: up to there the records have the entries of an earlier life. Inside a transaction, before anything
   * else is stored.
   */
  begin(seq: number): void {
    this.prepare();
    this.record(seq);
    this.#head = seq;
    this.#cut = seq;
  }

  /** Makes the tables where they are missing. Call it inside the transaction of the first write. */
  prepare(): void {
    if (this.#stored) return;
    this.#tables.make('meta');
    this.#tables.make('events');
    this.#sql.run("INSERT INTO meta (key, value) VALUES ('epoch', ?)", this.#epoch);
    this.#stored = true;
  }

  /** Runs a transaction; tables that it made and undid are not there. */
  writing<T>(transaction: () => T): T {
    const stored = this.#stored;
    try {
      return transaction();
    } catch (error) {
      this.#stored = stored;
      throw error;
    }
  }

  /**
   * Appends one entry, inside a transaction, and returns it numbered. What is made anew at every sending (signed urls,
   * inline data) is not part of it: see render.ts. With its `conversation` it goes when that is deleted.
   */
  append<F extends DurableFrame>(entry: Unnumbered<F>, online: boolean, conversation?: string): F {
    const seq = this.#head + 1;
    const { type, ...rest } = entry;
    // `seq` stands second, so that a frame reads well on the wire.
    const frame = { type, seq, ...rest } as unknown as F;
    const json = JSON.stringify(frame);
    const { id = null, conversation: named = null } = frame as { id?: string; conversation?: string };
    this.#sql.run(
      'INSERT INTO events (seq, type, id, conversation, frame, at, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)',
      seq,
      type,
      id,
      conversation ?? named,
      json,
      this.#clock.now(),
      json.length,
    );
    if (!online) this.missed(seq);
    this.#head = seq;
    this.grown += json.length;
    return frame;
  }

  /** No session was written the entries from `seq` on. Inside a transaction. */
  missed(seq: number): void {
    if (this.#placed || this.#undelivered !== undefined) return;
    this.#sql.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('undelivered', ?)", seq);
    this.#undelivered = seq;
  }

  /** The entries up to `seq` have now been written to a session, or a client was told to read history instead. */
  delivered(seq: number): void {
    if (this.#undelivered === undefined || seq < this.#undelivered) return;
    this.#undelivered = undefined;
    if (seq < this.#head) this.missed(seq + 1);
    else this.#sql.run("DELETE FROM meta WHERE key = 'undelivered'");
  }

  /** The stored JSON of the entries after `seq`, in order, read page by page. */
  *after(seq: number): Generator<Stored> {
    if (!this.#stored) return;
    for (let from = seq; from < this.#head; ) {
      const page = this.#sql.all<Stored>(
        'SELECT seq, frame FROM events WHERE seq > ? ORDER BY seq LIMIT ?',
        from,
        PAGE,
      );
      const last = page.at(-1);
      if (!last) return;
      yield* page;
      from = last.seq;
    }
  }

  /** When an entry was written (Unix ms); undefined where there is none. */
  timeOf(seq: number): number | undefined {
    if (!this.#stored) return undefined;
    return this.#sql.all<{ at: number }>('SELECT at FROM events WHERE seq = ?', seq)[0]?.at;
  }

  /** The name of the tool that a turn used last; undefined where it has used none. */
  latestTool(turn: string, conversation: string, opened: number): string | undefined {
    if (!this.#stored) return undefined;
    return this.#sql.all<{ name: string }>(
      `SELECT frame ->> 'name' AS name FROM events
       WHERE conversation = ? AND type = 'tool' AND seq > ? AND frame ->> 'turn' = ? ORDER BY seq DESC LIMIT 1`,
      conversation,
      opened,
      turn,
    )[0]?.name;
  }

  /** The entries of a type with this id, oldest first. */
  find(type: DurableFrame['type'], id: string): DurableFrame[] {
    if (!this.#stored) return [];
    return this.#sql
      .all<{ frame: string }>('SELECT frame FROM events WHERE id = ? AND type = ? ORDER BY seq', id, type)
      .map(({ frame }) => JSON.parse(frame));
  }

  /** What the user said that a turn answers. */
  saidFor(turn: string): MessageFrame | undefined {
    if (!this.#stored) return undefined;
    const [found] = this.#sql.all<{ frame: string }>(
      "SELECT frame FROM events WHERE type = 'message' AND frame ->> 'turn' = ? AND frame ->> 'role' = 'user'",
      turn,
    );
    return found && JSON.parse(found.frame);
  }

  /** The entries of a conversation that make its history, oldest first. */
  history(conversation: string): Entry[] {
    if (!this.#stored) return [];
    return this.#sql
      .all<{ frame: string; at: number }>(
        "SELECT frame, at FROM events WHERE conversation = ? AND type IN ('message', 'edit', 'file', 'tool', 'turn') ORDER BY seq",
        conversation,
      )
      .map(({ frame, at }) => ({ frame: JSON.parse(frame), at }));
  }
}
