import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Sql, SqlValue } from '../../../src/channel/ports.ts';

/** A real SQLite database in memory behind the Channel's port; `rows` and `writes` count what it was asked. */
export class MemorySql implements Sql {
  readonly #db = new DatabaseSync(':memory:');
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;
  /** Statements that changed something. */
  writes = 0;
  /** Thrown by the next `run` whose query contains it: a fault of the disk. */
  breakOn: string | undefined;

  #prepare(query: string): StatementSync {
    let statement = this.#statements.get(query);
    if (!statement) {
      statement = this.#db.prepare(query);
      this.#statements.set(query, statement);
    }
    return statement;
  }

  /** All rows of a table; none where it was never needed. */
  rows(table: string): unknown[] {
    const [found] = this.all('SELECT 1 FROM sqlite_master WHERE name = ?', table);
    return found ? this.all(`SELECT * FROM ${table}`) : [];
  }

  all<R extends object>(query: string, ...values: SqlValue[]): R[] {
    return this.#prepare(query).all(...values) as R[];
  }

  run(query: string, ...values: SqlValue[]): void {
    if (this.breakOn !== undefined && query.includes(this.breakOn)) {
      this.breakOn = undefined;
      throw new Error('the disk is full');
    }
    this.#prepare(query).run(...values);
    this.writes += 1;
  }

  transaction<T>(work: () => T): T {
    const name = `t${this.#depth}`;
    this.#db.exec(`SAVEPOINT ${name}`);
    this.#depth += 1;
    try {
      const value = work();
      this.#db.exec(`RELEASE ${name}`);
      return value;
    } catch (error) {
      this.#db.exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  close(): void {
    this.#db.close();
  }
}
