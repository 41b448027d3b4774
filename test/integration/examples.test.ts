import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { inRoot } from '../../src/local/paths.ts';
import { startServer } from './server.ts';
import { apiKey } from './v1.ts';
import { World } from './world.ts';

/** The pages and clients of examples/, against the production bundle; its bots are in example-bots.test.ts. */

const run = promisify(execFile);

describe('examples/openai-client.ts', () => {
  test('P-OA-3 writes what comes', async () => {
    const server = await startServer();
    try {
      const env = {
        PATH: process.env['PATH'] ?? '',
        STARWIRE_URL: server.origin,
        STARWIRE_API_KEY: await apiKey(new World(server), 'ada'),
      };
      const words = ['examples/openai-client.ts', 'Show', 'me', 'buttons'];
      const { stdout } = await run(process.execPath, words, { env, cwd: inRoot('.') });
      expect(stdout).toContain('- ☕ Coffee');
    } finally {
      await server.stop();
    }
  });
});

describe('examples/README.md and examples/sillytavern.md', () => {
  test('P-ID-4 the calls for a key are right', async () => {
    const server = await startServer();
    try {
      const pages = await Promise.all(
        ['README.md', 'sillytavern.md'].map((name) => readFile(inRoot(`examples/${name}`), 'utf8')),
      );
      for (const page of pages) {
        const call =
          /curl (?:-s )?http:\/\/127\.0\.0\.1:8787\/dev\/api-key.*?'\{.*?\}'/.exec(page)?.[0] ?? '';
        const { stdout } = await run('sh', ['-c', call.replace('http://127.0.0.1:8787', server.origin)]);
        const { api_key }: { api_key: string } = JSON.parse(stdout);
        expect(stdout.split('"')[3]).toBe(api_key);
        expect((await new World(server).as({ token: api_key }, '/v1/models')).status).toBe(200);
      }
    } finally {
      await server.stop();
    }
  });
});
