import type { Sql } from './ports.ts';

/**
 * The tables of one channel, by the version that added them. They are made with the first write: an object that stores
 * nothing opens nothing. Rows read cost a thousandth of rows written, so there is no index that a scan of a bounded table
 * can replace.
 */
const VERSIONS = [
  [
    'CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID',
    // frame: the JSON as it is sent, but for signed urls and file data, which are added when it is.
    'CREATE TABLE events (seq INTEGER PRIMARY KEY, type TEXT, id TEXT, conversation TEXT, frame TEXT, at INTEGER, bytes INTEGER)',
    // state: JSON of TurnState. Finished turns stay for a while, to be refused by name.
    'CREATE TABLE turns (turn TEXT PRIMARY KEY, open INTEGER, state TEXT, at INTEGER) WITHOUT ROWID',
    // Streamed text of open turns in parts, so that a flush rewrites the last part only. carry: the half of a character behind
    // it, as a number; mark: how far the requests have come that it is from (see Ingests).
    'CREATE TABLE texts (turn TEXT, kind TEXT, start INTEGER, text TEXT, carry INTEGER, at INTEGER, mark TEXT, PRIMARY KEY (turn, kind, start)) WITHOUT ROWID',
    'CREATE TABLE prompts (prompt TEXT PRIMARY KEY, open INTEGER, frame TEXT, expires_at INTEGER, at INTEGER) WITHOUT ROWID',
    'CREATE TABLE sends (client_id TEXT PRIMARY KEY, content TEXT, result TEXT, at INTEGER) WITHOUT ROWID',
    'CREATE TABLE pressed (message TEXT, custom_id TEXT, at INTEGER, PRIMARY KEY (message, custom_id)) WITHOUT ROWID',
    'CREATE TABLE ingests (key TEXT PRIMARY KEY, body TEXT, next INTEGER, failed TEXT, done INTEGER, at INTEGER) WITHOUT ROWID',
    'CREATE TABLE results (key TEXT, n INTEGER, result TEXT, PRIMARY KEY (key, n)) WITHOUT ROWID',
    'CREATE TABLE producers (producer TEXT PRIMARY KEY, epoch INTEGER, seq INTEGER, at INTEGER) WITHOUT ROWID',
    // Calls to the turns' own objects that have not been answered yet.
    'CREATE TABLE outbox (n INTEGER PRIMARY KEY, turn TEXT, conversation TEXT, call TEXT)',
    'CREATE TABLE blobs (id TEXT PRIMARY KEY, data TEXT) WITHOUT ROWID',
  ],
  [
    // Rows of history that the journal no longer holds and that its entries change again.
    'CREATE TABLE recalled (id TEXT PRIMARY KEY, conversation TEXT, position INTEGER, row TEXT) WITHOUT ROWID',
    // Files of deleted conversations that are still to be removed from R2.
    'CREATE TABLE disposals (file TEXT PRIMARY KEY) WITHOUT ROWID',
  ],
];

/** Whether the channel has been written to. */
export function schemaExists(sql: Sql): boolean {
  return (
    sql.all<{ n: number }>("SELECT 1 AS n FROM sqlite_master WHERE type = 'table' AND name = 'meta'").length >
    0
  );
}

/** Makes the tables that came after `version`; of a new channel (0) all of them. Inside a transaction. */
export function raiseSchema(sql: Sql, version: number): void {
  if (version >= VERSIONS.length) return;
  for (const table of VERSIONS.slice(version).flat()) sql.run(table);
  sql.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('version', ?)", VERSIONS.length);
}

/** Drops everything that the channel ever stored. Inside a transaction. */
export function dropSchema(sql: Sql): void {
  for (const table of VERSIONS.flat()) {
    const [, name = ''] = /^CREATE TABLE (\w+)/.exec(table) ?? [];
    sql.run(`DROP TABLE IF EXISTS ${name}`);
  }
}
