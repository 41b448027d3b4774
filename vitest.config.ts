import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { variables } from './src/local/variables.ts';

/** Fixed secrets for the tests inside workerd; the rest is empty, lest the .dev.vars of this machine show through. */
const bindings = {
  ...Object.fromEntries(variables.map((name) => [name, ''])),
  AUTH_SECRET: 'test-auth-secret-test-auth-secret-00',
  INTERNAL_TOKEN: 'test-internal-token-0001,test-internal-token-0002',
  UPSTREAM_WEBHOOK_SECRET: 'whsec_dGVzdC13ZWJob29rLXNlY3JldC10ZXN0LXdlYmhvb2s=',
  DEV_AUTH: 'true',
  UPSTREAM_MODE: 'demo',
};

// The page and the bundle are made once, before the first test that needs either.
const globalSetup = './test/build.ts';

/** Groups run one after the other: two cores, and tests that watch clocks. */
export default defineConfig({
  test: {
    reporters: ['default', ['json', { outputFile: 'dist/test-report.json' }]],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.{ts,tsx}'],
          sequence: { groupOrder: 0 },
          maxWorkers: 2,
        },
      },
      {
        plugins: [
          cloudflareTest({ wrangler: { configPath: './wrangler.toml' }, miniflare: { bindings, cf: false } }),
        ],
        test: {
          name: 'workerd',
          include: ['test/workerd/**/*.test.ts'],
          globalSetup,
          setupFiles: './test/workerd/schema.ts',
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          testTimeout: 30_000,
          // It ships ESM without saying so.
          deps: { optimizer: { ssr: { enabled: true, include: ['itty-durable'] } } },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup,
          sequence: { groupOrder: 2 },
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup,
          sequence: { groupOrder: 3 },
          maxWorkers: 1,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup,
          sequence: { groupOrder: 4 },
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
