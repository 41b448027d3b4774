import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { takeLock } from './lock.ts';
import { inRoot, pageDir, root, workerDir, workerScript } from './paths.ts';
import { runWrangler } from './wrangler.ts';

const stampFile = inRoot('dist/stamp');
const build_ms = 120_000;

/** What the page and the Worker are made of. What runs on this machine or at the service is not part of either. */
const inputs = [
  'src/**/*',
  'schema.sql',
  'wrangler.toml',
  'vite.config.ts',
  'tsconfig.json',
  'package-lock.json',
];
const notInputs = ['src/local/**', 'src/adapter/**'];

/** Builds the page and the Worker where their inputs have changed; says whether it did. */
export function ensureBuilt(say: (line: string) => void): boolean {
  if (isCurrent(fingerprint())) return false;
  // Tests and servers may start together on a fresh clone: one builds, the rest wait for it.
  const lock = takeLock(inRoot('dist/build.lock'), build_ms);
  if (lock === null) throw new Error('Another build has held dist/build.lock for two minutes.');
  try {
    const now = fingerprint();
    if (isCurrent(now)) return false;
    say('Building the page and the Worker …');
    rmSync(stampFile, { force: true });
    // The very bundle that a deployment uploads, the page included (`[build]` in wrangler.toml); a dry run stops
    // before it needs an account or a network.
    runWrangler('deploy', '--dry-run', '--outdir', workerDir);
    writeFileSync(stampFile, now);
    return true;
  } finally {
    lock.release();
  }
}

function isCurrent(now: string): boolean {
  return (
    existsSync(stampFile) &&
    readFileSync(stampFile, 'utf8') === now &&
    existsSync(workerScript) &&
    existsSync(`${pageDir}/index.html`)
  );
}

/** One hash over the names and contents of all inputs. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const files = globSync(inputs, { cwd: root, exclude: notInputs, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .sort();
  for (const file of files) {
    hash.update(`${file.slice(root.length)}\0`);
    hash.update(readFileSync(file));
    hash.update('\0');
  }
  return hash.digest('hex');
}

if (import.meta.main) ensureBuilt(console.log);
