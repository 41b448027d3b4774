import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sign } from '../../src/upstream/webhook.ts';
import { Bot } from './bots.ts';
import type { Client } from './client.ts';
import { all, apiKey, complete, told } from './v1.ts';

/** The bots of examples/, as a reader of examples/README.md starts them, against the production bundle. */

const ended = (client: Client, turn?: string) =>
  client.frame(
    'turn',
    (frame) => (turn ?? frame.turn) === frame.turn && !['queued', 'running'].includes(frame.status),
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

describe.each(['streaming-bot.ts', 'python/streaming_bot.py'])('examples/%s', (file) => {
  const bot = useBot(file);
  const counted = (last: number) => Array.from({ length: last }, (_, n) => `${n + 1} `).join('');

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
      await client.until(
        () => ((client.texts.get(turn)?.text.length ?? 0) >= length ? true : undefined),
        `${length} units`,
      );
      await bot().end('SIGKILL');
      await bot().begin();
    }
    await ended(client, turn);
    expect(replies(client)).toEqual([counted(120)]);
    expect(client.texts.get(turn)).toEqual({
      text: counted(120),
      reasoning: 'They want me to count to 120.',
    });
    const statuses = client.all('turn').map(({ status }) => status);
    expect(statuses).toEqual(['queued', 'running', 'completed']);
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
