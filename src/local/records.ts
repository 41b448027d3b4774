import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { inRoot } from './paths.ts';

/** What of a D1 database is needed here. */
interface Database {
  prepare(sql: string): Statement;
  batch(statements: Statement[]): Promise<unknown>;
}
interface Statement {
  bind(...values: unknown[]): Statement;
  run(): Promise<unknown>;
  all<T>(): Promise<{ results: T[] }>;
}

export interface Migration {
  /** Its file's name: they are applied in the order of their names. */
  name: string;
  sql: string;
}

/** As wrangler makes it, so that a database may be looked after by either. */
const NOTED = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** The migrations of this version. */
export function migrations(): Migration[] {
  return globSync(inRoot('src/records/migrations/*.sql'))
    .map((path) => ({ name: basename(path), sql: readFileSync(path, 'utf8') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Brings a database to the form of this version; each migration is applied once, and whole or not at all. */
export async function prepareRecords(database: Database, wanted: readonly Migration[]): Promise<void> {
  await database.prepare(readFileSync(inRoot('schema.sql'), 'utf8')).run();
  await database.prepare(NOTED).run();
  const { results } = await database.prepare('SELECT name FROM d1_migrations').all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  for (const { name, sql } of wanted) {
    if (applied.has(name)) continue;
    await database.batch([
      database.prepare(sql),
      database.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name),
    ]);
  }
}
