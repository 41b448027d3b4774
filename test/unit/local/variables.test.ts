import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { ensureDevVars, readVariables } from '../../../src/local/variables.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'starwire-vars-'));
  path = join(folder, '.dev.vars');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('P-RUN-1 .dev.vars', () => {
  test('is created for its owner alone, and nothing is left beside it', () => {
    expect(ensureDevVars(path)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['.dev.vars']);
  });

  test('holds what the Worker needs to start in demo mode with the development sign-in', () => {
    ensureDevVars(path);
    const variables = readVariables(path, {});
    expect(variables).toMatchObject({ DEV_AUTH: 'true', UPSTREAM_MODE: 'demo' });
    expect(Buffer.from(variables.AUTH_SECRET ?? '').byteLength).toBeGreaterThanOrEqual(32);
    expect(() => readConfig(variables)).not.toThrow();
  });

  test('has a webhook secret that Standard Webhooks libraries take', () => {
    ensureDevVars(path);
    const webhook = new Webhook(readVariables(path, {}).UPSTREAM_WEBHOOK_SECRET ?? '');
    const headers = { 'webhook-id': 'a', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)) };
    const signature = webhook.sign('a', new Date(), '{}');
    expect(webhook.verify('{}', { ...headers, 'webhook-signature': signature })).toEqual({});
  });

  test('has a key under which secrets of tenants can be stored', () => {
    ensureDevVars(path);
    expect(readConfig(readVariables(path, {})).encryption_keys.map(({ byteLength }) => byteLength)).toEqual([
      32,
    ]);
  });

  test('is different on every machine', () => {
    ensureDevVars(path);
    const other = join(folder, 'other');
    ensureDevVars(other);
    for (const name of [
      'AUTH_SECRET',
      'INTERNAL_TOKEN',
      'UPSTREAM_WEBHOOK_SECRET',
      'ENCRYPTION_KEY',
    ] as const) {
      expect(readVariables(path, {})[name]).not.toBe(readVariables(other, {})[name]);
    }
  });

  test('is never overwritten', () => {
    writeFileSync(path, 'AUTH_SECRET=mine\n');
    expect(ensureDevVars(path)).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe('AUTH_SECRET=mine\n');
    expect(readdirSync(folder)).toEqual(['.dev.vars']);
  });
});

describe('P-RUN-2 the environment', () => {
  test('wins over .dev.vars', () => {
    writeFileSync(path, 'UPSTREAM_MODE=demo\nINTERNAL_TOKEN="in # quotes"\n# UPSTREAM_URL=comment\n');
    const variables = readVariables(path, {
      UPSTREAM_MODE: 'webhook',
      UPSTREAM_URL: 'http://127.0.0.1:9000/hook',
    });
    expect(variables).toEqual({
      UPSTREAM_MODE: 'webhook',
      UPSTREAM_URL: 'http://127.0.0.1:9000/hook',
      INTERNAL_TOKEN: 'in # quotes',
    });
  });

  test('gives the Worker no variable that is not its own', () => {
    writeFileSync(path, 'HOME=/somewhere\n');
    expect(readVariables(path, { PATH: '/bin' })).toEqual({});
  });
});
