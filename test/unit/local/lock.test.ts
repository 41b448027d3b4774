import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { takeLock } from '../../../src/local/lock.ts';
import { inRoot } from '../../../src/local/paths.ts';

function lockPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'starwire-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'lock');
}

/** Another process that holds the lock until it is killed. */
async function holder(path: string) {
  const script = `
    import { takeLock } from ${JSON.stringify(pathToFileURL(inRoot('src/local/lock.ts')).href)};
    console.log(takeLock(${JSON.stringify(path)}) !== null);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  expect(String(line).trim()).toBe('true');
  return child;
}

test('a lock has one holder at a time', () => {
  const path = lockPath();
  const first = takeLock(path);
  expect(takeLock(path)).toBeNull();
  first?.release();
  const second = takeLock(path);
  expect(second).not.toBeNull();
  second?.release();
});

test('P-RUN-2 a lock holds between processes, and ends with a holder that is killed', async () => {
  const path = lockPath();
  const child = await holder(path);
  expect(takeLock(path)).toBeNull();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = takeLock(path);
  expect(lock).not.toBeNull();
  lock?.release();
});
