import type { Sql } from './ports.ts';

/** Rows read cost a thousandth of rows written, so there is no index that a scan of a bounded table can replace. */
const TABLES = {
  meta: '(key TEXT PRIMARY KEY, value) WITHOUT ROWID',
  // frame: the JSON as it is sent, but for signed urls and file data, which are added when it is.
  events:
    '(seq INTEGER PRIMARY KEY, type TEXT, id TEXT, conversation TEXT, frame TEXT, at INTEGER, bytes INTEGER)',
  // state: JSON of TurnState. Finished turns stay for a while, to be refused by name.
  turns: '(turn TEXT PRIMARY KEY, open INTEGER, state TEXT, at INTEGER) WITHOUT ROWID',
  // Streamed text of open turns in parts, so that a flush rewrites the last part only. carry: the half of a character behind
  // it, as a number; mark: how far the requests have come that it is from (see Ingests).
  texts:
    '(turn TEXT, kind TEXT, start INTEGER, text TEXT, carry INTEGER, at INTEGER, mark TEXT, PRIMARY KEY (turn, kind, start)) WITHOUT ROWID',
  prompts:
    '(prompt TEXT PRIMARY KEY, open INTEGER, frame TEXT, expires_at INTEGER, at INTEGER) WITHOUT ROWID',
  sends: '(client_id TEXT PRIMARY KEY, content TEXT, result TEXT, at INTEGER) WITHOUT ROWID',
  pressed: '(message TEXT, custom_id TEXT, at INTEGER, PRIMARY KEY (message, custom_id)) WITHOUT ROWID',
  ingests:
    '(key TEXT PRIMARY KEY, body TEXT, next INTEGER, failed TEXT, done INTEGER, at INTEGER) WITHOUT ROWID',
  results: '(key TEXT, n INTEGER, result TEXT, PRIMARY KEY (key, n)) WITHOUT ROWID',
  producers: '(producer TEXT PRIMARY KEY, epoch INTEGER, seq INTEGER, at INTEGER) WITHOUT ROWID',
  // Calls to the turns' own objects that have not been answered yet.
  outbox: '(n INTEGER PRIMARY KEY, turn TEXT, conversation TEXT, call TEXT)',
  blobs: '(id TEXT PRIMARY KEY, data TEXT) WITHOUT ROWID',
  // Rows of history that the journal no longer holds and that its entries change again.
  recalled: '(id TEXT PRIMARY KEY, conversation TEXT, position INTEGER, row TEXT) WITHOUT ROWID',
  // Files of the upstream that were deleted before they were recorded: still to be removed from R2.
  disposals: '(file TEXT PRIMARY KEY) WITHOUT ROWID',
} as const;

export type Table = keyof typeof TABLES;

/**
 * The tables of one channel. Each is made with the first write to it, since making one costs two rows: an object that stores
 * nothing opens nothing, and a `/v1` request has but those that it needs. Who reads one asks first whether it is there.
 */
export class Tables {
  readonly #sql: Sql;
  /** undefined: not looked at since something was undone. */
  #known: Set<string> | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get #there(): Set<string> {
    this.#known ??= new Set(
      this.#sql
        .all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
        .map(({ name }) => name),
    );
    return this.#known;
  }

  has(table: Table): boolean {
    return this.#there.has(table);
  }

  /** Makes a table where it is missing, inside the transaction of a write to it. */
  make(table: Table): void {
    if (this.has(table)) return;
    this.#sql.run(`CREATE TABLE ${table} ${TABLES[table]}`);
    this.#there.add(table);
  }

  /** A transaction was undone, and with it perhaps tables. */
  undone(): void {
    this.#known = undefined;
  }

  /** Drops everything that the channel ever stored. Inside a transaction. */
  drop(): void {
    for (const table of Object.keys(TABLES)) this.#sql.run(`DROP TABLE IF EXISTS ${table}`);
    this.#known = undefined;
  }
}
