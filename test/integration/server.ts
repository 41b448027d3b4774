import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseEnv } from 'node:util';
import { endRuntimes, runtimesOf } from '../../src/local/orphans.ts';
import { inRoot } from '../../src/local/paths.ts';

export interface ServerOptions {
  /** Variables over those of this process: `UPSTREAM_MODE`, `UPSTREAM_URL`, `DEV_AUTH`, `LIMITS`, … */
  env?: Record<string, string>;
  /** A state folder to start on again; it is then the caller's to remove. */
  state?: string;
  /** The port to take; a free one where none is named. */
  port?: number;
  /** How many files each of its processes may have open. */
  openFiles?: number;
  /** Through `npm start` itself, in a process group of its own; otherwise node directly, as npm would `exec` it. */
  npm?: boolean;
}

export interface Server {
  origin: string;
  port: number;
  /** The state folder, with this server's own dev vars beside its data. */
  state: string;
  secrets: { AUTH_SECRET: string; INTERNAL_TOKEN: string; UPSTREAM_WEBHOOK_SECRET: string };
  /** Of node, or of npm. */
  pid: number;
  /** Resolves when the process that was started has ended. */
  ended: Promise<void>;
  /** Everything written so far, both streams in their order. */
  output(): string;
  /** The workerd processes of this server. */
  runtimes(): number[];
  /** SIGTERM, as a person would stop it; resolves when all of it has ended, and removes a state folder of its own. */
  stop(): Promise<void>;
  /** SIGKILL to node alone: workerd is left an orphan, for a start on the same state to end. */
  kill(): Promise<void>;
}

/** What a run of `npm start` that does not get ready said, and its exit code. */
export class NotReady extends Error {
  readonly exitCode: number | null;
  readonly output: string;

  constructor(exitCode: number | null, output: string) {
    super(`The server ended with ${exitCode} before it was ready:\n${output}`);
    this.exitCode = exitCode;
    this.output = output;
  }
}

/** Variables of the person who runs the tests must not reach the servers under test. */
const inherited = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LD_LIBRARY_PATH'];

/** Runs what `npm start` runs, with a state folder, dev vars and a port of its own; resolves at the ready line. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const own = options.state === undefined;
  const state = await realpath(options.state ?? (await mkdtemp(join(tmpdir(), 'starwire-'))));
  const vars = join(state, 'dev.vars');
  const start = options.npm ? ['npm', 'start'] : [process.execPath, inRoot('src/local/start.ts')];
  const within = options.openFiles === undefined ? '' : `ulimit -n ${options.openFiles}; `;
  const child = spawn('/bin/sh', ['-c', `${within}exec "$@"`, 'sh', ...start], {
    cwd: inRoot('.'),
    detached: options.npm ?? false,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...Object.fromEntries(inherited.map((name) => [name, process.env[name]])),
      PORT: String(options.port ?? 0),
      STARWIRE_STATE: state,
      STARWIRE_VARS: vars,
      ...options.env,
    },
  });
  const exited = once(child, 'exit').then(() => undefined);
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);

  const removeOwn = async () => {
    if (own) await rm(state, { recursive: true, force: true });
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  running.set(child, state);
  void exited.then(() => {
    if (runtimesOf(state).length === 0) running.delete(child);
  });

  const origin = await Promise.race([readyOrigin(child), exited]);
  if (origin === undefined) {
    await exited;
    await removeOwn();
    throw new NotReady(child.exitCode, output);
  }
  const {
    AUTH_SECRET = '',
    INTERNAL_TOKEN = '',
    UPSTREAM_WEBHOOK_SECRET = '',
  } = {
    ...parseEnv(await readFile(vars, 'utf8')),
    ...options.env,
  };
  return {
    origin,
    port: Number(new URL(origin).port),
    state,
    secrets: { AUTH_SECRET, INTERNAL_TOKEN, UPSTREAM_WEBHOOK_SECRET },
    pid: child.pid ?? 0,
    ended: exited,
    output: () => output,
    runtimes: () => runtimesOf(state),
    async stop() {
      const killed = child.signalCode === 'SIGKILL';
      await end('SIGTERM');
      // After a kill() with no start behind it, the orphan is the test's own to end.
      if (killed && own) await endRuntimes(state);
      await removeOwn();
    },
    kill: () => end('SIGKILL'),
  };
}

async function readyOrigin(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) return undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const origin = /^Starwire ready on (\S+)$/.exec(line)?.[1];
    if (origin) return origin;
  }
  return undefined;
}

/** What a test that failed half-way has left running ends with the test process. */
const running = new Map<ChildProcess, string>();
process.on('exit', () => {
  for (const [child, state] of running) {
    child.kill('SIGKILL');
    for (const pid of runtimesOf(state)) process.kill(pid, 'SIGKILL');
  }
});
