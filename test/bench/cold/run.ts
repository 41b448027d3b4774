import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ensureBuilt } from '../../../src/local/build.ts';
import { inRoot, workerScript } from '../../../src/local/paths.ts';
import { cpuOf } from '../harness/process-tree.ts';
import { type Figures, medians } from '../harness/statistics.ts';
import { startListening } from '../systems/listening.ts';
import { bundleAgent, requirePackages } from '../systems/packages.ts';
import { Absent } from '../systems/system.ts';

interface Bundle {
  title: string;
  path: string;
  /** The process that serves it, given a state folder. */
  words(state: string): string[];
}

const ROUNDS = 5;
/** Answered by the router of each alike, without an object. */
const UNKNOWN = '/nothing-is-here';

/** From the start of a process to its first answer, and how long the bundle's text takes to be parsed. */
export async function coldStart(): Promise<string> {
  ensureBuilt(console.log);
  const bundles = [starwire(), floor(), ...agents()];
  const rounds = bundles.map((): Figures[] => []);
  for (let n = 0; n < ROUNDS; n += 1)
    for (const [index, bundle] of bundles.entries()) rounds[index]?.push(await round(bundle));
  return [
    '### Cold start of workerd',
    '',
    '|  | gzip, KiB | parse, ms | until it listens, ms | first request, ms | second, ms | CPU, ms |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...bundles.map(({ title }, index) => {
      const { gzip_kib, parse_ms, listen_ms, first_ms, second_ms, cpu_ms } = medians(rounds[index] ?? []);
      const cells = [gzip_kib, parse_ms, listen_ms, first_ms, second_ms, cpu_ms].map((one) =>
        one?.toFixed(1),
      );
      return `| ${title} | ${cells.join(' | ')} |`;
    }),
    '',
    'Parsing is that of `node --check`, less what it takes for an empty file. The request is for a path that does not exist: it goes',
    'through the router and touches no object.',
    '',
  ].join('\n');
}

async function round({ path, words }: Bundle): Promise<Figures> {
  const state = await mkdtemp(join(tmpdir(), 'starwire-bench-'));
  const began = performance.now();
  const { port, pid, stop } = await startListening(process.execPath, words(state));
  try {
    const listen_ms = performance.now() - began;
    const first_ms = await request(port);
    const second_ms = await request(port);
    return {
      gzip_kib: gzipSync(readFileSync(path)).length / 1_024,
      parse_ms: parse(path),
      listen_ms,
      first_ms,
      second_ms,
      cpu_ms: cpuOf([pid]),
    };
  } finally {
    await stop();
    await rm(state, { recursive: true, force: true });
  }
}

async function request(port: number): Promise<number> {
  const began = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}${UNKNOWN}`);
  await response.text();
  if (response.status !== 404) throw new Error(`an unknown path is answered with ${response.status}`);
  return performance.now() - began;
}

/** By the V8 of a Node, which has no cache of it. */
function parse(path: string): number {
  const check = (file: string): number => {
    const began = performance.now();
    spawnSync(process.execPath, ['--check', '--input-type=module'], { input: readFileSync(file) });
    return performance.now() - began;
  };
  return check(path) - check('/dev/null');
}

const starwire = (): Bundle => ({
  title: 'Starwire',
  path: workerScript,
  words: (state) => [inRoot('test/bench/cold/start.ts'), state],
});

const roomOf = (title: string, path: string): Bundle => ({
  title,
  path,
  words: (state) => ['workerd.ts', path, 'Room', state, ''],
});

const floor = (): Bundle => roomOf('floor of workerd', inRoot('test/bench/peers/floor.js'));

function agents(): Bundle[] {
  try {
    requirePackages();
    return [roomOf('Cloudflare Agents SDK', bundleAgent())];
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    console.warn(`\n!!! The Agents SDK is not measured: it ${error.message}\n`);
    return [];
  }
}
