import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inRoot } from '../../../src/local/paths.ts';

export interface Listening {
  port: number;
  pid: number;
  stop(): Promise<void>;
}

/** Starts a peer's process and waits until it says where it listens. */
export async function startListening(
  command: string,
  words: string[],
  env: Record<string, string> = {},
): Promise<Listening> {
  const child = spawn(command, words, {
    cwd: inRoot('test/bench/peers'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  children.add(child);
  const exited = once(child, 'exit').then(() => children.delete(child));
  const port = await Promise.race([portOf(child), exited.then(() => undefined)]);
  if (port === undefined) throw new Error(`${command} ${words.join(' ')} ended before it listened`);
  return {
    port,
    pid: child.pid ?? 0,
    async stop() {
      child.kill();
      await exited;
    },
  };
}

async function portOf({ stdout }: ChildProcess): Promise<number | undefined> {
  if (!stdout) return undefined;
  for await (const line of createInterface({ input: stdout })) {
    const port = /listening on (\d+)|Ready to accept connections/.exec(line);
    if (port) {
      stdout.resume();
      return Number(port[1] ?? 0);
    }
  }
  return undefined;
}

/** What a run that failed half-way has left running ends with it. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
