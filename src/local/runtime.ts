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
      ...describeWorkers(options.variables),
      ...onThisMachine(options.port, storage),
      unsafeRuntimeEnv: runtimeMark(options.state),
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

/** How Miniflare serves on one's own machine: nobody else, quietly, and without asking the network for anything. */
export const onThisMachine = (port: number, storage: string) => ({
  host: '127.0.0.1',
  port,
  resourcePersistencePath: storage,
  cf: false as const, // true asks the network what request.cf would be
  telemetry: { enabled: false },
  unsafeLocalExplorer: false,
  logRequests: false,
});

/** As often as the cron trigger of wrangler.toml. */
export const SCHEDULED_MS = 900_000;

/** All Workers of a local gateway. `script`: the bundle, where it is not the production one. */
export function describeWorkers(bindings: Variables, script = workerScript) {
  return {
    rootPath: root,
    workers: [{ ...gateway, modules: [{ type: 'ESModule' as const, path: script }], bindings }, page],
  };
}

/**
 * Miniflare puts two Workers of its own in front of every request to one that has assets, also where it runs first. So the
 * page's files are a Worker of their own, which only those pass who ask for them.
 */
export const page = {
  name: 'page',
  modules: true as const,
  script: 'export default {};',
  assets: { directory: pageDir },
};

/** wrangler.toml in Miniflare's words; test/unit/local/wrangler.test.ts holds the two together. */
export const gateway = {
  name: 'starwire',
  compatibilityDate: '2026-11-02',
  compatibilityFlags: ['nodejs_compat'],
  durableObjects: {
    USER_HUB: { className: 'UserHub', useSQLite: true },
    REQUEST_STREAM: { className: 'RequestStream', useSQLite: true },
    DIRECTORY: { className: 'Directory', useSQLite: true },
    ADMISSIONS: { className: 'Admissions', useSQLite: true },
  },
  d1Databases: { DB: 'starwire' },
  r2Buckets: { FILES: 'starwire-files' },
  serviceBindings: { ASSETS: page.name },
};
