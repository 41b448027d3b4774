import { AsyncLocalStorage } from 'node:async_hooks';
import { type Metering, NOTHING, type Usage } from '../usage.ts';

interface Rows {
  rowsRead: number;
  rowsWritten: number;
}

/**
 * Counts what this isolate is billed for. All objects of a local run live in one isolate, so that one meter sees them all.
 * Rows are read off the cursors at the end: a cursor knows them only when it has been read.
 */
export class Meter {
  #usage: Usage = { ...NOTHING };
  #cursors: { statement: string; cursor: Rows }[] = [];
  #writers = new Map<string, number>();
  readonly #objects = new AsyncLocalStorage<Activity>();

  add(counter: keyof Usage, amount = 1): void {
    this.#usage[counter] += amount;
  }

  cursor<C extends Rows>(statement: string, cursor: C): C {
    this.#cursors.push({ statement, cursor });
    return cursor;
  }

  /** Rows that one kind of statement has written. */
  wrote(statement: string, rows: number): void {
    this.#usage.rows_written += rows;
    this.#writers.set(statement, (this.#writers.get(statement) ?? 0) + rows);
  }

  /** Runs an event of an object; it is active until everything that the event began has ended. */
  during<T>(activity: Activity, work: () => T): T {
    return this.#objects.run(activity, () => activity.hold(work));
  }

  /** The object in whose event this runs. */
  get object(): Activity | undefined {
    return this.#objects.getStore();
  }

  /** What was counted since the last time. */
  take(): Metering {
    for (const { statement, cursor } of this.#cursors) {
      this.#usage.rows_read += cursor.rowsRead;
      if (cursor.rowsWritten > 0) this.wrote(statement, cursor.rowsWritten);
    }
    const taken = { usage: this.#usage, writers: Object.fromEntries(this.#writers) };
    this.#usage = { ...NOTHING };
    this.#writers = new Map();
    this.#cursors = [];
    return taken;
  }
}

/** One object's time: active while at least one thing holds it. */
export class Activity {
  readonly #meter: Meter;
  #held = 0;
  #since = 0;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Holds the object until `work` has ended, also where it ends later. */
  hold<T>(work: () => T): T {
    this.begin();
    let result: T;
    try {
      result = work();
    } catch (error) {
      this.end();
      throw error;
    }
    if (result instanceof Promise) {
      const end = () => this.end();
      result.then(end, end);
    } else this.end();
    return result;
  }

  begin(): void {
    if (this.#held++ > 0) return;
    this.#since = Date.now();
    this.#meter.add('wakes');
  }

  end(): void {
    if (--this.#held > 0) return;
    this.#meter.add('active_ms', Date.now() - this.#since);
  }
}
