import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { inRoot } from '../../../src/local/paths.ts';
import { gateway, page, SCHEDULED_MS } from '../../../src/local/runtime.ts';

/** What this test looks at; wrangler's own type of it refers to a package that is not published. */
interface Deployed {
  name: string;
  compatibility_date: string;
  compatibility_flags: string[];
  durable_objects: { bindings: { name: string; class_name: string }[] };
  migrations: { new_sqlite_classes: string[] }[];
  d1_databases: { binding: string }[];
  r2_buckets: { binding: string }[];
  assets: { directory: string; binding: string; run_worker_first: boolean };
  triggers: { crons: string[] };
  vars: Record<string, string>;
}

const deployed: Deployed = unstable_readConfig({ config: inRoot('wrangler.toml') }, { hideWarnings: true });

test('`npm start` serves what wrangler.toml deploys', () => {
  expect(gateway.name).toBe(deployed.name);
  expect(gateway.compatibilityDate).toBe(deployed.compatibility_date);
  expect(gateway.compatibilityFlags).toEqual(deployed.compatibility_flags);
  const objects = deployed.durable_objects.bindings.map(({ name, class_name }) => [
    name,
    { className: class_name, useSQLite: true },
  ]);
  expect(gateway.durableObjects).toEqual(Object.fromEntries(objects));
  expect(Object.keys(gateway.d1Databases)).toEqual(deployed.d1_databases.map(({ binding }) => binding));
  expect(Object.keys(gateway.r2Buckets)).toEqual(deployed.r2_buckets.map(({ binding }) => binding));
  // There the Worker is asked first; here nothing stands in front of it, and it asks for the page's files by the same name.
  expect(deployed.assets.run_worker_first).toBe(true);
  expect(gateway.serviceBindings).toEqual({ [deployed.assets.binding]: page.name });
  expect(page.assets.directory).toBe(inRoot(deployed.assets.directory));
});

test('scheduled work runs as often on one machine as where it is deployed', () => {
  expect(deployed.triggers.crons).toEqual([`*/${SCHEDULED_MS / 60_000} * * * *`]);
});

test('every object class is born with SQLite', () => {
  const classes = deployed.durable_objects.bindings.map(({ class_name }) => class_name);
  expect(deployed.migrations.flatMap(({ new_sqlite_classes }) => new_sqlite_classes)).toEqual(classes);
});

test('the compatibility date is the newest that the pinned workerd takes', () => {
  const require = createRequire(createRequire(import.meta.url).resolve('miniflare'));
  expect(deployed.compatibility_date).toBe(require('workerd').compatibilityDate);
});

test('P-ID-4 P-ID-5 a deployment ships neither the development sign-in nor a default secret', () => {
  expect(deployed.vars).toEqual({ UPSTREAM_MODE: 'demo', ALLOWED_ORIGINS: '' });
});
