import { StarwireError } from '../protocol/errors.ts';
import type { OutboundResult } from '../protocol/outbound.ts';
import type { Sql } from './ports.ts';
import type { Tables } from './tables.ts';

/** What of a request is remembered, so that its events count once however often it is sent (P-UP-7). */
interface Row {
  /** Hash of the body where it is known beforehand; a key names one body. */
  body: string | null;
  /** All events below it were seen … */
  next: number;
  /** … and applied, but for these, which were refused and may be tried again. */
  failed: number[];
  done: boolean;
}

const MOST_FAILED = 1_000;

/**
 * Keys that we make ourselves name a request only while it lasts, and nobody asks for its results later. Should its events come
 * again after a crash, those of turns that have ended since are known by that (see `ingest`): they need no row.
 */
const PASSING = '~';

/** Requests that are told of in one mark. */
const MOST_MARKED = 4;

/** How far a request has come, as it is stored beside the text that came with it: both in one row. */
interface Mark {
  key: string;
  body: string | null;
  next: number;
}

export class Ingest {
  readonly key: string;
  readonly #sql: Sql;
  readonly #tables: Tables;
  readonly #row: Row;
  dirty: boolean;
  /** Its state is stored in a mark only. */
  #marked: boolean;
  /** There are rows of it. */
  #rows: boolean;

  constructor(
    sql: Sql,
    tables: Tables,
    key: string,
    row: Row,
    { dirty = false, marked = false, rows = false } = {},
  ) {
    this.#sql = sql;
    this.#tables = tables;
    this.key = key;
    this.#row = row;
    this.dirty = dirty;
    this.#marked = marked;
    this.#rows = rows;
  }

  /** Whether it is one of ours. */
  get passing(): boolean {
    return this.key.startsWith(PASSING);
  }

  /** What a mark must tell of it; undefined where its row tells, or must. */
  get mark(): Mark | undefined {
    const { body, next, failed, done } = this.#row;
    return (this.dirty || this.#marked) && !done && failed.length === 0
      ? { key: this.key, body, next }
      : undefined;
  }

  marked(): void {
    this.dirty = false;
    this.#marked = true;
  }

  get body(): string | null {
    return this.#row.body;
  }

  get done(): boolean {
    return this.#row.done;
  }

  get next(): number {
    return this.#row.next;
  }

  /** The earlier result of event `n`; undefined where it is still to be applied. */
  earlier(n: number): OutboundResult | undefined {
    if (n >= this.#row.next || this.#row.failed.includes(n)) return undefined;
    const row = this.#tables.has('results')
      ? this.#sql.all<{ result: string }>(
          'SELECT result FROM results WHERE key = ? AND n = ?',
          this.key,
          n,
        )[0]
      : undefined;
    const result: OutboundResult = row ? JSON.parse(row.result) : { delivered: false };
    return { ...result, duplicate: true };
  }

  /** Whether neither event `n` nor any later one was ever seen. */
  isNew(n: number): boolean {
    return n >= this.#row.next;
  }

  /** Event `n` was applied, inside a transaction where `result` names something that must be found again. */
  applied(n: number, result: OutboundResult | undefined): void {
    this.#row.failed = this.#row.failed.filter((one) => one !== n);
    this.#row.next = Math.max(this.#row.next, n + 1);
    this.dirty = true;
    if (!result) return;
    this.#rows = true;
    this.#tables.make('results');
    this.#sql.run(
      'INSERT OR REPLACE INTO results (key, n, result) VALUES (?, ?, ?)',
      this.key,
      n,
      JSON.stringify(result),
    );
  }

  /** Whether event `n` can no longer be remembered as refused. */
  isFull(n: number): boolean {
    return this.#row.failed.length >= MOST_FAILED && !this.#row.failed.includes(n);
  }

  refused(n: number): void {
    if (this.#row.failed.includes(n)) return;
    this.#row.failed.push(n);
    this.#row.next = Math.max(this.#row.next, n + 1);
    this.dirty = true;
  }

  /** The request has come to its end. */
  end(): void {
    if (this.#row.done) return;
    this.#row.done = true;
    this.dirty = true;
  }

  /**
   * Stores it in a row of its own, where it is not stored, or only in a mark. `texts`: there is text of open turns that no mark
   * tells of.
   */
  store(now: number, texts: boolean): void {
    if (!this.dirty && !this.#marked) return;
    this.dirty = false;
    const { body, next, failed, done } = this.#row;
    if (this.passing && !this.#rows && !texts && failed.length === 0) return;
    this.#marked = false;
    if (this.passing && done) {
      for (const table of ['ingests', 'results'] as const)
        if (this.#tables.has(table)) this.#sql.run(`DELETE FROM ${table} WHERE key = ?`, this.key);
      return;
    }
    this.#rows = true;
    this.#tables.make('ingests');
    this.#sql.run(
      'INSERT OR REPLACE INTO ingests (key, body, next, failed, done, at) VALUES (?, ?, ?, ?, ?, ?)',
      this.key,
      body,
      next,
      JSON.stringify(failed),
      done ? 1 : 0,
      now,
    );
  }
}

/**
 * The requests of upstreams that one channel remembers. Each is a row; but while a request only adds text, how far it has come is
 * a mark beside that text, so that a flush writes one row and not two. A mark tells of all requests that no row tells of:
 * the newest one counts, and where texts are dropped with their marks, the requests get rows again.
 */
export class Ingests {
  readonly #sql: Sql;
  readonly #tables: Tables;
  /** Requests under way. */
  readonly #open = new Map<string, Ingest>();

  constructor(sql: Sql, tables: Tables, marks: readonly string[]) {
    this.#sql = sql;
    this.#tables = tables;
    for (const mark of marks) for (const one of JSON.parse(mark) as Mark[]) this.#restore(one);
  }

  #restore({ key, body, next }: Mark): void {
    const known = this.#open.get(key) ?? this.#load(key);
    if (known && (known.done || known.next >= next)) return;
    this.#open.set(
      key,
      new Ingest(this.#sql, this.#tables, key, { body, next, failed: [], done: false }, { marked: true }),
    );
  }

  /** What is to be stored beside the next text; null where it cannot tell of all that it must. */
  get mark(): string | null {
    const marks = [...this.#open.values()].flatMap((ingest) => ingest.mark ?? []);
    return marks.length === 0 || marks.length > MOST_MARKED ? null : JSON.stringify(marks);
  }

  /** Throws `idempotency_mismatch` where the key came with another body. */
  open(key: string, body: string | null): Ingest {
    const ingest =
      this.#open.get(key) ??
      this.#load(key) ??
      new Ingest(this.#sql, this.#tables, key, { body, next: 0, failed: [], done: false }, { dirty: true });
    if (ingest.body !== body) {
      throw new StarwireError('idempotency_mismatch', 'the Idempotency-Key was used with another body');
    }
    this.#open.set(key, ingest);
    return ingest;
  }

  #load(key: string): Ingest | undefined {
    if (!this.#tables.has('ingests')) return undefined;
    const row = this.#sql.all<{ body: string | null; next: number; failed: string; done: number }>(
      'SELECT body, next, failed, done FROM ingests WHERE key = ?',
      key,
    )[0];
    if (!row) return undefined;
    const { body, next, failed, done } = row;
    const state = { body, next, failed: JSON.parse(failed), done: done === 1 };
    return new Ingest(this.#sql, this.#tables, key, state, { rows: true });
  }

  get dirty(): boolean {
    for (const ingest of this.#open.values()) if (ingest.dirty) return true;
    return false;
  }

  /**
   * Stores what is not stored yet, inside a transaction, and forgets ended requests from memory. `marked`: the mark was
   * written. `dropped`: marks were dropped, with their turns; `texts`: or beside texts that are still there.
   */
  storeAll(
    now: number,
    { marked, dropped, texts }: { marked: boolean; dropped: boolean; texts: boolean },
  ): void {
    for (const ingest of this.#open.values()) {
      if (marked && ingest.mark) ingest.marked();
      else if (ingest.dirty || dropped || texts) ingest.store(now, texts);
      if (ingest.done) this.#open.delete(ingest.key);
    }
  }
}
