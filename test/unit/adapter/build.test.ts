import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildAdapter } from '../../../src/local/build-adapter.ts';
import { inRoot } from '../../../src/local/paths.ts';

/** The SDK as others take it: one file and its types, outside of this project. */

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starwire-adapter-'));
  await buildAdapter(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('adapter.js', () => {
  test('is one file that needs no other', async () => {
    expect((await readdir(folder)).sort()).toEqual(['adapter.d.ts', 'adapter.js']);
    for (const name of ['adapter.js', 'adapter.d.ts'])
      expect(await readFile(join(folder, name), 'utf8')).not.toMatch(/^import |from '|require\(/m);
  });

  test('gives what src/adapter/index.ts gives', async () => {
    const [copied, own] = await Promise.all([
      import(/* @vite-ignore */ join(folder, 'adapter.js')),
      import('../../../src/adapter/index.ts'),
    ]);
    expect(Object.keys(copied).sort()).toEqual(Object.keys(own).sort());
  });

  test('has types of its own, which know a right program from a wrong one', async () => {
    const program = (id: string) => `
      import { type Asked, StarwireError, verifyWebhook, WebChatPlatform } from './adapter.js';
      const starwire = new WebChatPlatform({ url: 'https://chat.example.com', token: 't', secrets: ['s'] });
      export const handler = starwire.handler(async (message: Asked, reply) => {
        if (message.type === 'action') await reply.text(message.extra.${id});
        const id: string = await starwire.send('ada', 'Hello', { key: 'k' });
        await starwire.editMessage('ada', id, 'Hi');
      });
      export const inline = starwire.handler(async function* ({ text }) { yield text; });
      export const code = (error: unknown) => (error instanceof StarwireError ? error.code : verifyWebhook.name);
    `;
    const compilerOptions = { strict: true, noEmit: true, target: 'es2024', module: 'nodenext', types: [] };
    const check = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [name] }));
      return run(inRoot('node_modules/.bin/tsc'), ['-p', folder]);
    };
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    await check('right.ts', program('custom_id'));
    await expect(check('wrong.ts', program('customId'))).rejects.toMatchObject({
      stdout: expect.stringContaining("'customId' does not exist"),
    });
  });
});
