import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inRoot } from '../../src/local/paths.ts';
import { sign } from '../../src/upstream/webhook.ts';
import { type Server, startServer } from './server.ts';
import { all, apiKey, complete, told } from './v1.ts';
import { World } from './world.ts';

/** The examples, as a reader of examples/README.md starts them, against the production bundle. */

const run = promisify(execFile);

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a bot beside a server that delivers to it; resolves when it listens. Throws where its program is missing. */
async function startBot(
  [command, ...words]: [string, ...string[]],
  { origin, secrets }: Server,
  port: number,
) {
  const { PATH = '' } = process.env;
  const env = { PATH, ...secrets, STARWIRE_URL: origin, BOT_PORT: String(port) };
  const bot = spawn(command, words, { env, cwd: inRoot('.'), stdio: ['ignore', 'pipe', 'inherit'] });
  await once(bot, 'spawn');
  for await (const line of createInterface({ input: bot.stdout })) if (line.includes('ready')) break;
  bot.stdout.resume();
  return bot;
}

const BOTS: [string, [string, ...string[]]][] = [
  ['echo-bot.ts', [process.execPath, 'examples/echo-bot.ts']],
  ['python/echo_bot.py', ['python3', 'examples/python/echo_bot.py']],
];

describe.each(BOTS)('examples/%s', (_, command) => {
  let world: World;
  let bot: ChildProcess | undefined;
  let hook: string;

  beforeAll(async () => {
    const port = await freePort();
    hook = `http://127.0.0.1:${port}/hook`;
    const env = { UPSTREAM_MODE: 'webhook', UPSTREAM_URL: hook };
    world = new World(await startServer({ env }));
    bot = await startBot(command, world.server, port);
  });
  afterAll(async () => {
    bot?.kill();
    await world?.server.stop();
  });

  test('P-UP-1 answers a message of the page word by word', async () => {
    const client = await world.connect(await world.person());
    client.send({ type: 'message', client_id: 'c', text: 'Hello, wörld 😀!' });
    const { status } = await client.frame('turn', (turn) => !['queued', 'running'].includes(turn.status));
    expect(status).toBe('completed');
    expect(client.all('message').at(-1)?.text).toBe('You said: Hello, wörld 😀!');
    expect(client.all('chunk').length).toBeGreaterThan(3);
  });

  test('P-OA-3 answers a client of /v1 in the same way', async () => {
    const key = await apiKey(world, 'ada');
    const messages = [{ role: 'user', content: 'one two three' }];
    const list = await all(await complete(world, key, { stream: true, messages }));
    expect(told(list)).toMatchObject({ content: 'You said: one two three', finishes: ['stop'], ends: 1 });
    expect(list.length).toBeGreaterThan(5);
  });

  test('P-UP-1 takes nothing that is not signed, or was signed too long ago', async () => {
    const body = '{"type":"message","channel_id":"webchat:ada","turn":"t","text":"forged"}';
    const { UPSTREAM_WEBHOOK_SECRET: secret } = world.server.secrets;
    const other = `whsec_${Buffer.alloc(32).toString('base64')}`;
    const forged: Record<string, string>[] = [
      {},
      sign([other], 'msg_1', new Date(), body),
      sign([secret], 'msg_1', new Date(Date.now() - 3_600_000), body),
      sign([secret], 'msg_1', new Date(), `${body} `),
    ];
    for (const headers of forged)
      expect((await fetch(hook, { method: 'POST', headers, body })).status).toBe(401);
  });

  test('P-UP-7 says nothing twice where a delivery comes twice', async () => {
    const person = await world.person();
    const client = await world.connect(person);
    const [{ id: turn = '' } = {}] = (await world.outbound({ channel: person.channel, kind: 'turn' })).body
      .results;
    const body = JSON.stringify({ type: 'message', channel_id: person.channel, turn, text: 'once' });
    const headers = sign([world.server.secrets.UPSTREAM_WEBHOOK_SECRET], 'msg_once', new Date(), body);
    for (const _ of [1, 2]) expect((await fetch(hook, { method: 'POST', headers, body })).status).toBe(202);
    await client.frame('turn', ({ status }) => status === 'completed');
    expect(client.texts.get(turn)?.text).toBe('You said: once');
    expect(client.all('message').map(({ text }) => text)).toEqual(['You said: once']);
  });
});

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
