import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sign } from '../../src/upstream/webhook.ts';
import { Bot } from './bots.ts';
import type { Client } from './client.ts';
import { CutProxy } from './cut-proxy.ts';
import { startServer } from './server.ts';
import { all, apiKey, complete, told } from './v1.ts';
import { World } from './world.ts';

/** The bots of examples/, as a reader of examples/README.md starts them, against the production bundle. */

/** A bot that has lost its way to the server may wait for some seconds before it tries again. */
const PATIENCE_MS = 40_000;

const ended = (client: Client, turn?: string) =>
  client.frame(
    'turn',
    (frame) => (turn ?? frame.turn) === frame.turn && !['queued', 'running'].includes(frame.status),
    PATIENCE_MS,
  );
const replies = (client: Client) =>
  client.all('message').flatMap(({ role, text }) => (role === 'assistant' ? [text] : []));

function useBot(file: string): () => Bot {
  let bot: Bot | undefined;
  beforeAll(async () => {
    bot = await Bot.start(file);
  });
  afterAll(() => bot?.stop());
  return () => bot ?? expect.fail('the bot has not started');
}

describe.each(['echo-bot.ts', 'inline-bot.ts', 'python/echo_bot.py'])('examples/%s', (file) => {
  const bot = useBot(file);

  test('P-UP-1 answers a message of the page word by word', async () => {
    const { world } = bot();
    const client = await world.connect(await world.person());
    client.send({ type: 'message', client_id: 'c', text: 'Hello, wörld 😀!' });
    expect((await ended(client)).status).toBe('completed');
    expect(client.all('message').at(-1)?.text).toBe('You said: Hello, wörld 😀!');
    expect(client.all('chunk').length).toBeGreaterThan(3);
  });

  test('P-OA-3 answers a client of /v1 in the same way', async () => {
    const { world } = bot();
    const key = await apiKey(world, 'ada');
    const messages = [{ role: 'user', content: 'one two three' }];
    const list = await all(await complete(world, key, { stream: true, messages }));
    expect(told(list)).toMatchObject({ content: 'You said: one two three', finishes: ['stop'], ends: 1 });
    expect(list.length).toBeGreaterThan(5);
  });

  test('P-UP-1 takes nothing that is not signed, or was signed too long ago', async () => {
    const body = '{"type":"message","channel_id":"webchat:ada","turn":"t","text":"forged"}';
    const { UPSTREAM_WEBHOOK_SECRET: secret } = bot().world.server.secrets;
    const other = `whsec_${Buffer.alloc(32).toString('base64')}`;
    const forged: Record<string, string>[] = [
      {},
      sign([other], 'msg_1', new Date(), body),
      sign([secret], 'msg_1', new Date(Date.now() - 3_600_000), body),
      sign([secret], 'msg_1', new Date(), `${body} `),
    ];
    for (const headers of forged)
      expect((await fetch(bot().hook, { method: 'POST', headers, body })).status).toBe(401);
  });
});

describe.each(['echo-bot.ts', 'python/echo_bot.py'])('examples/%s', (file) => {
  const bot = useBot(file);

  test('P-UP-7 says nothing twice where a delivery comes twice', async () => {
    const { world, hook } = bot();
    const person = await world.person();
    const client = await world.connect(person);
    const opened = await world.outbound({ channel: person.channel, kind: 'turn' });
    const [{ id: turn = '' } = {}] = opened.body.results;
    const body = JSON.stringify({
      ...{ type: 'message', tenant: 'default', channel_id: person.channel, turn, text: 'once' },
    });
    const headers = sign([world.server.secrets.UPSTREAM_WEBHOOK_SECRET], 'msg_once', new Date(), body);
    for (const _ of [1, 2]) expect((await fetch(hook, { method: 'POST', headers, body })).status).toBe(202);
    await ended(client);
    expect(client.texts.get(turn)?.text).toBe('You said: once');
    expect(replies(client)).toEqual(['You said: once']);
  });
});

const counted = (last: number) => Array.from({ length: last }, (_, n) => `${n + 1} `).join('');

/** Resolves when so much of the turn's text has been shown. */
const shown = (client: Client, turn: string, length: number) =>
  client.until(() => (client.texts.get(turn)?.text ?? '').length >= length || undefined, `${length} units`);

/** The streaming bot has counted to `last`: exactly, to the very end, and once. */
function expectOnce(client: Client, turn: string, last: number): void {
  expect(replies(client)).toEqual([counted(last)]);
  expect(client.texts.get(turn)).toEqual({
    text: counted(last),
    reasoning: `They want me to count to ${last}.`,
  });
  const statuses = client.all('turn').map(({ status }) => status);
  expect(statuses).toEqual(['queued', 'running', 'completed']);
}

describe.each(['streaming-bot.ts', 'python/streaming_bot.py'])('examples/%s', (file) => {
  const bot = useBot(file);

  async function asked(text: string) {
    const { world } = bot();
    const client = await world.connect(await world.person());
    client.send({ type: 'message', client_id: 'c', text });
    const { turn = '' } = await client.frame('ack');
    return { client, turn };
  }

  test('P-WS-6 shows reasoning, its tool and its text as they come', async () => {
    const { client, turn } = await asked('Count to 12, please');
    expect(await ended(client, turn)).toMatchObject({ status: 'completed', usage: { output_tokens: 12 } });
    expect(replies(client)).toEqual([counted(12)]);
    expect(client.all('message').at(-1)?.reasoning).toBe('They want me to count to 12.');
    expect(client.all('tool').map(({ status }) => status)).toEqual(['running', 'completed']);
  });

  test('P-UP-7 killed in mid-sentence and started again, the text is exact and the turn ends once', async () => {
    const { client, turn } = await asked('Count to 120');
    for (const length of [60, 180]) {
      await shown(client, turn, length);
      await bot().end('SIGKILL');
      await bot().begin();
    }
    await ended(client, turn);
    expectOnce(client, turn, 120);
  });

  test('P-UP-7 over a network that breaks, the text is exact and the turn ends once', async () => {
    const proxy = await CutProxy.start(bot().world.server.port);
    await bot().end();
    await bot().begin(proxy.origin);
    const { client, turn } = await asked('Count to 80');
    for (const length of [20, 60, 100]) {
      await shown(client, turn, length);
      proxy.cut();
    }
    await ended(client, turn);
    expect(proxy.connections).toBeGreaterThan(3);
    await bot().end();
    await bot().begin(bot().world.origin);
    await proxy.stop();
    expectOnce(client, turn, 80);
  });

  test('P-WS-11 stops when its user does', async () => {
    const { client, turn } = await asked('Count to 100000');
    await client.frame('chunk', ({ kind }) => kind === 'text');
    client.send({ type: 'cancel', turn });
    expect(await ended(client, turn)).toMatchObject({ status: 'cancelled' });
    expect(client.all('message').at(-1)).toMatchObject({ partial: true });
    // It is free for what comes next, and a start finds nothing left to answer.
    await bot().end('SIGKILL');
    await bot().begin();
    await client.settled();
    expect(client.all('turn').filter((frame) => frame.turn === turn)).toHaveLength(3);
  });
});

describe.each(['buttons-bot.ts', 'python/buttons_bot.py'])('examples/%s', (file) => {
  const bot = useBot(file);

  test('P-UP-2 a button is pressed, a question answered, and the buttons go', async () => {
    const { world } = bot();
    const client = await world.connect(await world.person());
    client.send({ type: 'message', client_id: 'hi', text: 'Hello' });
    const { turn: first = '' } = await client.frame('ack');
    await ended(client, first);
    const menu = client.all('message').at(-1) ?? expect.fail('there is no menu');
    expect(menu).toMatchObject({
      text: 'What may it be?',
      buttons: [{ label: 'Coffee', custom_id: 'coffee', emoji: '☕' }, { custom_id: 'tea' }],
    });

    client.send({ type: 'action', client_id: 'press', message: menu.id, custom_id: 'tea' });
    const { turn = '' } = await client.frame('ack', ({ client_id }) => client_id === 'press');
    const { prompt, choices } = await client.frame('prompt', (frame) => frame.turn === turn);
    expect(choices).toEqual(['small', 'large']);
    client.send({ type: 'answer', client_id: 'size', prompt, value: 'large' });
    expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
    expect(client.all('message').findLast((frame) => frame.turn === turn)?.text).toBe(
      'One large tea, coming up.',
    );
    expect(await client.frame('edit')).toMatchObject({ id: menu.id, buttons: [] });
    expect(client.all('prompt_closed')).toMatchObject([{ prompt, reason: 'answered', value: 'large' }]);
  });
});

describe.each(['streaming-bot.ts', 'python/streaming_bot.py'])('examples/%s', (file) => {
  test('P-UP-7 goes on where a server was that is killed and started again', async () => {
    const state = await mkdtemp(join(tmpdir(), 'starwire-crash-'));
    const bot = await Bot.start(file, { state });
    const { server } = bot.world;
    const person = await bot.world.person();
    const before = await bot.world.connect(person);
    before.send({ type: 'message', client_id: 'c', text: 'Count to 150' });
    const { turn = '' } = await before.frame('ack');
    await shown(before, turn, 100);
    for (const pid of server.runtimes()) process.kill(pid, 'SIGKILL');
    await server.kill();

    const env = { UPSTREAM_MODE: 'webhook', UPSTREAM_URL: bot.hook };
    const next = new World(await startServer({ state, env, port: server.port }));
    await before.closed;
    const after = await next.reconnect(person, before);
    expect(await ended(after, turn)).toMatchObject({ status: 'completed' });
    expect(after.texts.get(turn)?.text).toBe(counted(150));
    expect(replies(after)).toEqual([counted(150)]);
    await next.server.stop();
    await bot.stop();
    await rm(state, { recursive: true, force: true });
  });
});
