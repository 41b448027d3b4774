import { mkdirSync } from 'node:fs';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { runtimeMark } from './orphans.ts';
import { pageDir, root, workerScript } from './paths.ts';
import { migrations, prepareRecords } from './records.ts';
import { endOnSignal } from './signals.ts';
import type { Variables } from './variables.ts';

export interface RuntimeOptions {
  port: number;
  /** The state folder, absolute. */
  state: string;
  variables: Variables;
}

/** Serves the production bundle in workerd; gives its origin when it listens and its D1 has the schema. */
export async function startRuntime(options: RuntimeOptions): Promise<string> {
  const storage = `${options.state}/storage`;
  mkdirSync(storage, { recursive: true, mode: 0o700 });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...describeWorker(options.variables),
      host: '127.0.0.1',
      port: options.port,
      resourcePersistencePath: storage,
      unsafeRuntimeEnv: runtimeMark(options.state),
      cf: false, // true asks the network what request.cf would be
      telemetry: { enabled: false },
      unsafeLocalExplorer: false,
      logRequests: false,
      log: new Log(LogLevel.WARN),
    }),
  );
  endOnSignal(miniflare);
  const { origin } = await miniflare.ready;
  await prepareRecords(await miniflare.getD1Database('DB'), migrations());
  const worker = await miniflare.getWorker('starwire');
  const clearUp = async () => {
    try {
      await worker.scheduled();
    } catch (error) {
      console.error('The scheduled work failed:', error);
    }
  };
  void clearUp();
  setInterval(() => void clearUp(), SCHEDULED_MS).unref();
  return origin;
}

/** As often as the cron trigger of wrangler.toml. */
export const SCHEDULED_MS = 900_000;

/** wrangler.toml in Miniflare's words; test/unit/local/wrangler.test.ts holds the two together. */
export function describeWorker(bindings: Variables) {
  return {
    name: 'starwire',
    rootPath: root,
    modules: [{ type: 'ESModule' as const, path: workerScript }],
    compatibilityDate: '2026-11-02',
    compatibilityFlags: ['nodejs_compat'],
    bindings,
    durableObjects: {
      USER_HUB: { className: 'UserHub', useSQLite: true },
      REQUEST_STREAM: { className: 'RequestStream', useSQLite: true },
      DIRECTORY: { className: 'Directory', useSQLite: true },
    },
    d1Databases: { DB: 'starwire' },
    r2Buckets: { FILES: 'starwire-files' },
    assets: {
      directory: pageDir,
      binding: 'ASSETS',
      run_worker_first: true,
      routerConfig: { has_user_worker: true },
    },
  };
}
