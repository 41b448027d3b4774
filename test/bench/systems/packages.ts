import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { inRoot } from '../../../src/local/paths.ts';
import { runWrangler } from '../../../src/local/wrangler.ts';
import { Absent } from './system.ts';

const folder = inRoot('test/bench/peers');

/** Installs the peers' packages where they are missing: they are none of the project's own. */
export function requirePackages(): void {
  if (existsSync(`${folder}/node_modules/agents`)) return;
  // Not `npm ci`: it wants builds for every platform in the lock, of a bundler that only the Agents SDK's plugins use.
  const words = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
  const installed = spawnSync('npm', words, {
    cwd: folder,
    encoding: 'utf8',
  });
  if (installed.status !== 0)
    throw new Absent(
      `needs its packages, and npm install in test/bench/peers failed: ${installed.stderr.trim()}`,
    );
}

let bundle: string | undefined;

/** The agent's bundle, made once in a run as Starwire's is made. */
export function bundleAgent(): string {
  if (bundle === undefined) {
    const outdir = inRoot('dist/bench-agent');
    runWrangler('deploy', '--config', `${folder}/wrangler.toml`, '--dry-run', '--outdir', outdir);
    bundle = `${outdir}/agent.js`;
  }
  return bundle;
}
