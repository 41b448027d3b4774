import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inRoot } from '../../src/local/paths.ts';
import { startServer } from './server.ts';
import { World } from './world.ts';

/** examples/ollama.md, command by command, with a server in Ollama's place that speaks OpenAI's API as it does. */

const run = promisify(execFile);
const WORDS = ['Rayleigh ', 'scattering ', '😀.'];
/** The bodies of the requests for a completion. */
const asked: { model: string; messages: { content: string }[] }[] = [];

const ollama = createServer(async (request, response) => {
  if (request.url === '/v1/models') {
    const data = [{ id: 'llama3.2', object: 'model', created: 1, owned_by: 'library' }];
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ object: 'list', data }));
    return;
  }
  asked.push(JSON.parse(await text(request)));
  response.setHeader('content-type', 'text/event-stream');
  const choice = (delta: object, finish_reason: string | null) => ({
    choices: [{ index: 0, delta, finish_reason }],
  });
  const parts = [
    ...WORDS.map((content) => choice({ role: 'assistant', content }, null)),
    choice({ content: '' }, 'stop'),
  ];
  response.end(`${parts.map((part) => `data: ${JSON.stringify(part)}\n\n`).join('')}data: [DONE]\n\n`);
});

let world: World;
/** The shell blocks of the page. */
let blocks: string[];

beforeAll(async () => {
  const page = await readFile(inRoot('examples/ollama.md'), 'utf8');
  blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block.trim());
  await once(ollama.listen(0, '127.0.0.1'), 'listening');
  const { port } = ollama.address() as AddressInfo;
  const [start = ''] = blocks;
  expect(start).toMatch(/ npm start$/);
  const env = Object.fromEntries(
    [...start.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value]) => [name, value ?? '']),
  );
  expect(env['UPSTREAM_URL']).toBe('http://127.0.0.1:11434/v1');
  env['UPSTREAM_URL'] = `http://127.0.0.1:${port}/v1`;
  world = new World(await startServer({ env, npm: true }));
});
afterAll(async () => {
  await world?.server.stop();
  ollama.closeAllConnections();
  ollama.close();
});

describe('examples/ollama.md', () => {
  test('P-BR-1 the page talks to the model that is named', async () => {
    const client = await world.connect(await world.person());
    client.send({ type: 'message', client_id: 'c', text: 'Hello' });
    await client.frame('turn', ({ status }) => status === 'completed');
    expect(client.all('message').at(-1)?.text).toBe(WORDS.join(''));
    expect(asked.at(-1)).toMatchObject({ model: 'llama3.2', messages: [{ content: 'Hello' }] });
  });

  test('P-OA-1, P-OA-3 the calls of the page list the model and stream its answer', async () => {
    const [, calls = ''] = blocks;
    const { stdout } = await run('sh', ['-c', calls.replaceAll('http://127.0.0.1:8787', world.origin)]);
    expect(stdout).toContain('"id":"llama3.2"');
    const contents = [...stdout.matchAll(/^data: (\{.*\})$/gm)].map(
      ([, data = '']) => JSON.parse(data).choices[0]?.delta.content ?? '',
    );
    expect(contents.join('')).toBe(WORDS.join(''));
    expect(stdout.trim().endsWith('data: [DONE]')).toBe(true);
    expect(asked.at(-1)).toMatchObject({ messages: [{ content: 'Why is the sky blue?' }] });
  });
});
