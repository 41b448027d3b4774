import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface Lock {
  release(): void;
}

/** A database that nothing refers to is closed when it is collected, and its lock with it. */
const held = new Set<DatabaseSync>();

/**
 * Holds `path` for this process, or gives null where another process holds it.
 *
 * An open exclusive transaction is a lock that the kernel takes back when its process ends, however it ends.
 * A file with a pid in it would have to be judged stale, and two starts can judge the same one at once.
 *
 * @param wait_ms how long to wait for another holder (blocks the process)
 */
export function takeLock(path: string, wait_ms = 0): Lock | null {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: wait_ms });
  try {
    // Nothing is ever written: no journal file need stand beside the lock.
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
  held.add(database);
  return {
    release() {
      held.delete(database);
      database.close();
    },
  };
}

/** SQLITE_BUSY is 5; its extended codes keep that in the low byte. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'errcode' in error &&
    typeof error.errcode === 'number' &&
    (error.errcode & 0xff) === 5
  );
}
