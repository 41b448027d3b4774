import { AsyncLocalStorage } from 'node:async_hooks';
import { NOTHING, type Usage } from '../usage.ts';

/**
 * Counts what this isolate is billed for. All objects of a local run live in one isolate, so that one meter sees them all.
 * Rows are read off the cursors at the end: a cursor knows them only when it has been read.
 */
export class Meter {
  #usage: Usage = { ...NOTHING };
  #cursors: { rowsRead: number; rowsWritten: number }[] = [];
  readonly #objects = new AsyncLocalStorage<Activity>();

  add(counter: keyof Usage, amount = 1): void {
    this.#usage[counter] += amount;
  }

  cursor<C extends { rowsRead: number; rowsWritten: number }>(cursor: C): C {
    this.#cursors.push(cursor);
    return cursor;
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
  take(): Usage {
    for (const { rowsRead, rowsWritten } of this.#cursors) {
      this.#usage.rows_read += rowsRead;
      this.#usage.rows_written += rowsWritten;
    }
    const taken = this.#usage;
    this.#usage = { ...NOTHING };
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
