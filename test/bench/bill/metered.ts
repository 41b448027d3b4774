import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { inRoot } from '../../../src/local/paths.ts';
import { describeWorkers, onThisMachine } from '../../../src/local/runtime.ts';
import { runWrangler } from '../../../src/local/wrangler.ts';
import type { Metering } from '../usage.ts';

/** The production Worker with a meter in it, running. */
export interface Metered {
  origin: string;
  secrets: { AUTH_SECRET: string; INTERNAL_TOKEN: string };
  /** What was counted since the last time. */
  take(): Promise<Metering>;
  stop(): Promise<void>;
}

const outdir = inRoot('dist/metered');
const secrets = {
  AUTH_SECRET: 'bench-auth-secret-bench-auth-secret-00',
  INTERNAL_TOKEN: 'bench-internal-token-0001',
  UPSTREAM_WEBHOOK_SECRET: 'whsec_YmVuY2gtd2ViaG9vay1zZWNyZXQtYmVuY2g=',
};

/** Bundled as the production Worker is. */
export function buildMetered(): void {
  runWrangler('deploy', inRoot('test/bench/metered/worker.ts'), '--dry-run', '--outdir', outdir);
}

export async function startMetered(variables: Record<string, string>): Promise<Metered> {
  const state = await mkdtemp(join(tmpdir(), 'starwire-bill-'));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...describeWorkers({ ...secrets, ...variables }, join(outdir, 'worker.js')),
      ...onThisMachine(0, state),
    }),
  );
  const { origin } = await miniflare.ready;
  const database = await miniflare.getD1Database('DB');
  await database.prepare(await readFile(inRoot('schema.sql'), 'utf8')).run();
  return {
    origin,
    secrets,
    take: async () => (await (await fetch(`${origin}/__usage`)).json()) as Metering,
    async stop() {
      await miniflare.dispose();
      await rm(state, { recursive: true, force: true });
    },
  };
}
