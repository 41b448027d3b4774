import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from './variables.ts';

const markName = 'STARWIRE_RUNTIME_OF';

/** Set in the environment of a workerd and of nothing else: the state folder that it writes to, without spaces. */
export const runtimeMark = (state: string) => ({ [markName]: encodeURIComponent(state) });

/** How long a killed process may take to go: it may have to finish a write to a slow disk. */
const gone_ms = 5_000;

/**
 * The pids of the workerd processes that write to a state folder.
 *
 * They are known by their own environment, not by a pid written down: a pid can be reused, and a parent that is
 * killed just after the spawn has no time to write one.
 */
export function runtimesOf(state: string): number[] {
  const mark = `${markName}=${encodeURIComponent(state)}`;
  return process.platform === 'linux' ? fromProc(mark) : fromPs(mark);
}

/** Kills the workerd processes of a state folder and waits until they are gone; gives their number. */
export async function endRuntimes(state: string): Promise<number> {
  const pids = runtimesOf(state);
  for (const pid of pids) kill(pid);
  const deadline = Date.now() + gone_ms;
  while (runtimesOf(state).length > 0) {
    if (Date.now() > deadline)
      throw new Error(`A workerd left over from an earlier start does not end: ${pids}`);
    await delay(20);
  }
  return pids.length;
}

function fromProc(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      // Other users' processes cannot be read, and any process may end between two looks.
      const environment = read(`/proc/${pid}/environ`).split('\0');
      return environment.includes(mark) && /workerd\0serve\0/.test(read(`/proc/${pid}/cmdline`));
    })
    .map(Number);
}

/** macOS and the BSDs: `e` shows the environment of one's own processes after the command. */
function fromPs(mark: string): number[] {
  const listing = execFileSync('ps', ['axeww', '-o', 'pid=,command='], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return listing
    .split('\n')
    .filter((line) => /^\s*\d+ .*workerd serve /.test(line) && `${line} `.includes(` ${mark} `))
    .map((line) => Number.parseInt(line, 10));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}
