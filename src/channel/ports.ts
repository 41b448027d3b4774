/** What a Channel needs from its surroundings. A Durable Object gives the real ones, tests give their own. */

export type SqlValue = string | number | null;
export type Row = Record<string, SqlValue>;

/** A synchronous SQLite database. The caller of `all` states the row's columns, which the schema guarantees. */
export interface Sql {
  all<R extends object>(query: string, ...values: SqlValue[]): R[];
  run(query: string, ...values: SqlValue[]): void;
  /** All or nothing: what `work` wrote is undone if it throws. */
  transaction<T>(work: () => T): T;
}

/** A live connection. `load` and `save` keep a value (at most 16 KiB) beside the socket through hibernation. */
export interface Socket {
  send(text: string): void;
  close(code: number, reason: string): void;
  load(): unknown;
  save(value: unknown): void;
  /** Bytes that the network has not taken yet, where the runtime tells. */
  readonly buffered?: number | undefined;
}

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
}
