import type { Sql } from './ports.ts';

/**
 * The tables of one channel. They are made with the first write: an object that stores nothing opens nothing.
 * Rows read cost a thousandth of rows written, so there is no index that a scan of a bounded table can replace.
 */
const TABLES = [
  'CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID',
  // frame: the JSON as it is sent, but for signed urls and file data, which are added when it is.
  'CREATE TABLE events (seq INTEGER PRIMARY KEY, type TEXT, id TEXT, conversation TEXT, frame TEXT, at INTEGER, bytes INTEGER)',
  // state: JSON of TurnState. Finished turns stay for a while, to be refused by name.
  'CREATE TABLE turns (turn TEXT PRIMARY KEY, open INTEGER, state TEXT, at INTEGER) WITHOUT ROWID',
  // Streamed text of open turns in parts, so that a flush rewrites the last part only. carry: the half of a character behind it, as a number;
  // mark: how far the request has come that the text is from (see Ingests).
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
];

export const SCHEMA_VERSION = 1;

/** Whether the channel has been written to. */
export function schemaExists(sql: Sql): boolean {
  return (
    sql.all<{ n: number }>("SELECT 1 AS n FROM sqlite_master WHERE type = 'table' AND name = 'meta'").length >
    0
  );
}

export function createSchema(sql: Sql): void {
  for (const table of TABLES) sql.run(table);
  sql.run("INSERT INTO meta (key, value) VALUES ('version', ?)", SCHEMA_VERSION);
}
