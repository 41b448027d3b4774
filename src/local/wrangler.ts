import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { inRoot, root } from './paths.ts';

/** Runs wrangler for what it does on this machine alone; throws with all that it said where it fails. */
export function runWrangler(...words: string[]): void {
  const result = spawnSync(process.execPath, [inRoot('node_modules/wrangler/bin/wrangler.js'), ...words], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // The build command is `vite`, by name; npm's scripts have it on their path, a plain `node` has not.
      PATH: `${inRoot('node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
      CI: 'true',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_SEND_ERROR_REPORTS: 'false',
      WRANGLER_HIDE_BANNER: 'true', // the banner asks the registry for updates
      WRANGLER_WRITE_LOGS: 'false',
    },
  });
  if (result.status === 0) return;
  const said = [result.stdout, result.stderr, result.error].filter(Boolean).join('\n');
  throw new Error(`wrangler ${words.join(' ')} failed.\n${said}`);
}
