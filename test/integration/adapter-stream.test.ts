import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StarwireError, WebChatPlatform } from '../../src/adapter/index.ts';
import type { Client } from './client.ts';
import { CutProxy } from './cut-proxy.ts';
import { startServer } from './server.ts';
import { turnFacts } from './v1.ts';
import { World } from './world.ts';

/** `stream(turn)` of the SDK against the running bundle, over a network that breaks. */

let world: World;
let proxy: CutProxy;
let starwire: WebChatPlatform;

beforeAll(async () => {
  world = new World(await startServer());
  proxy = await CutProxy.start(world.server.port);
  starwire = platform();
});
afterAll(async () => {
  await proxy?.stop();
  await world?.server.stop();
});

const platform = (options: object = {}) =>
  new WebChatPlatform({ url: proxy.origin, token: world.server.secrets.INTERNAL_TOKEN, ...options });

/** A user with a turn whose reply the test gives. */
async function asked() {
  const person = await world.person();
  const client = await world.connect(person);
  const turn = await world.turn(client);
  return { person, client, turn, to: { channel: person.channel, turn } };
}

const ended = (client: Client, turn: string) =>
  client.frame('turn', (frame) => frame.turn === turn && !['queued', 'running'].includes(frame.status));
const replies = (client: Client) =>
  client.all('message').flatMap(({ role, text }) => (role === 'assistant' ? [text] : []));
/** Resolves when the client has seen so much of the turn's text. */
const seen = (client: Client, turn: string, length: number) =>
  client.until(
    () => ((client.texts.get(turn)?.text.length ?? 0) >= length ? true : undefined),
    `${length} units`,
  );

/** The one final message and the one terminal frame, and drafts that never differed from it. */
function expectExact(client: Client, turn: string, text: string): void {
  expect(replies(client)).toEqual([text]);
  expect(client.texts.get(turn)?.text).toBe(text);
  const endings = client
    .all('turn')
    .filter((frame) => frame.turn === turn && !['queued', 'running'].includes(frame.status));
  expect(endings).toHaveLength(1);
  expect(endings[0]).toMatchObject({ status: 'completed' });
}

describe('stream(turn)', () => {
  test('P-UP-4 sends text, reasoning, tools and prompts as they come, over one request', async () => {
    const { client, turn, to } = await asked();
    proxy.cut();
    const before = proxy.connections;
    const reply = starwire.stream(to);
    await reply.text('A 😀');
    await seen(client, turn, 4);
    await reply.reasoning('Hm.');
    await reply.tool({ tool: 't', name: 'search', status: 'running' });
    const prompt = await reply.prompt({ question: 'Which?', choices: ['a', 'b'] });
    await reply.text(' B');
    const result = await reply.done({ usage: { input_tokens: 1, output_tokens: 2 } });
    expect(result).toMatchObject({ delivered: true, id: expect.any(String), seq: expect.any(Number) });
    expect(await ended(client, turn)).toMatchObject({ status: 'completed', usage: { output_tokens: 2 } });
    expectExact(client, turn, 'A 😀 B');
    expect(client.all('message').at(-1)?.reasoning).toBe('Hm.');
    expect(client.all('tool')).toMatchObject([{ name: 'search', offset: 4 }]);
    expect(client.all('prompt')).toMatchObject([{ prompt, kind: 'choice' }]);
    expect(proxy.connections).toBe(before + 1);
  });

  test('P-UP-7 goes on where a connection broke: again and again, at any byte, the text is exact', async () => {
    const { client, turn, to } = await asked();
    proxy.cut();
    const before = proxy.connections;
    // Within the head, within the first lines, and within a character of several bytes.
    proxy.cuts = [50, 700, 901, 1_203, 2_007];
    const words = Array.from({ length: 200 }, (_, n) => `wörd 漢😀 ${n} `);
    const reply = starwire.stream(to);
    for (const [n, word] of words.entries()) {
      await reply.text(word);
      if (n % 50 === 0) await reply.tool({ tool: `t${n}`, name: 'count', status: 'completed' });
    }
    expect(await reply.done()).not.toHaveProperty('error');
    await ended(client, turn);
    expectExact(client, turn, words.join(''));
    expect(client.all('tool').map(({ tool }) => tool)).toEqual(['t0', 't50', 't100', 't150']);
    expect(proxy.connections).toBe(before + 6);
  });

  test('P-UP-7 a connection that breaks while the model thinks is made again', async () => {
    const { client, turn, to } = await asked();
    const reply = starwire.stream(to);
    await reply.text('Let me think. ');
    await seen(client, turn, 14);
    proxy.cut();
    await reply.text('Yes.');
    await reply.done();
    await ended(client, turn);
    expectExact(client, turn, 'Let me think. Yes.');
  });

  test('P-UP-7 another life of the bot says it from the beginning, cut otherwise; the older one is fenced off', async () => {
    const { client, turn, to } = await asked();
    const first = platform().stream(to);
    await first.reasoning('I think');
    await first.prompt({ prompt: `p-${turn.slice(0, 20)}`, question: 'Sure?' });
    await first.text('One, two, th');
    await seen(client, turn, 12);
    const second = platform().stream(to);
    await second.reasoning('I think, therefore I count.');
    await second.prompt({ prompt: `p-${turn.slice(0, 20)}`, question: 'Sure?' });
    for (const part of ['One', ', two, three', ', four']) await second.text(part);
    await seen(client, turn, 21);
    await expect(first.text('ree').then(() => first.done())).rejects.toMatchObject({ code: 'forbidden' });
    await second.done();
    await ended(client, turn);
    expectExact(client, turn, 'One, two, three, four');
    expect(client.all('message').at(-1)?.reasoning).toBe('I think, therefore I count.');
    expect(client.all('prompt')).toHaveLength(1);
  });

  test('P-UP-7 another life that says something else has the last word', async () => {
    const { client, turn, to } = await asked();
    await platform().stream(to).text('The answer is 41, I belie');
    await seen(client, turn, 25);
    const second = platform().stream(to);
    await second.text('The answer is 42.');
    await second.done();
    await ended(client, turn);
    expect(replies(client)).toEqual(['The answer is 42.']);
  });

  test('P-UP-7 an epoch of the future, left by a wrong clock, is passed', async () => {
    const { client, turn, person, to } = await asked();
    const headers = {
      'producer-id': `turn ${turn}`,
      'producer-epoch': String(Date.now() + 86_400_000),
      'producer-seq': '0',
    };
    await world.outbound({ channel: person.channel, kind: 'chunk', turn, text: 'Early' }, headers);
    const reply = starwire.stream(to);
    await reply.text('Early bird');
    await reply.done();
    await ended(client, turn);
    expectExact(client, turn, 'Early bird');
  });

  test('a stream that continues goes on behind what is there', async () => {
    const { client, turn, person, to } = await asked();
    await world.outbound({ channel: person.channel, kind: 'chunk', turn, text: 'They said: ' });
    const reply = starwire.stream({ ...to, continues: true });
    await reply.text('hello');
    await reply.done();
    await ended(client, turn);
    expectExact(client, turn, 'They said: hello');
  });

  test('a reply that is said whole is one message, with its buttons', async () => {
    const { client, turn, to } = await asked();
    const reply = starwire.stream(to);
    await reply.text('Let me see');
    await reply.message('Coffee?', { buttons: [{ label: 'Yes', custom_id: 'yes' }] });
    await reply.done();
    expect(await ended(client, turn)).toMatchObject({ status: 'completed' });
    expect(client.all('message').slice(1)).toMatchObject([
      { text: 'Coffee?', buttons: [{ custom_id: 'yes' }], turn },
    ]);
  });

  test('backpressure: whoever writes is held up while nothing is taken', async () => {
    const { client, turn, to } = await asked();
    // It takes a connection and then nothing more.
    const reply = platform({ fetch: () => new Promise<Response>(() => undefined) }).stream(to);
    const piece = 'x'.repeat(40_000);
    await reply.text(piece);
    const second = reply.text(piece);
    const state = await Promise.race([second.then(() => 'written'), client.settled().then(() => 'held up')]);
    expect(state).toBe('held up');
    reply.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    expect((await turnFacts(world, turn)).text_length).toBe(0);
  });

  test('P-UP-7 text beyond any buffer arrives whole', async () => {
    const { client, turn, to } = await asked();
    const pieces = Array.from({ length: 300 }, (_, n) => `${n} ${'y'.repeat(2_000)} `);
    await starwire.stream(to).pipe(pieces);
    await ended(client, turn);
    expectExact(client, turn, pieces.join(''));
  });

  test('P-WS-11 a turn that was cancelled refuses what comes later: turn_finished', async () => {
    const { client, turn, to } = await asked();
    const reply = starwire.stream(to);
    await reply.text('so far');
    await seen(client, turn, 6);
    client.send({ type: 'cancel', turn });
    await ended(client, turn);
    await reply.text(' and further');
    await expect(reply.done()).rejects.toMatchObject({ code: 'turn_finished', retryable: false });
    expect(replies(client)).toEqual(['so far']);
  });

  test('P-ID-3 a wrong token is told, and ends the stream', async () => {
    const { to } = await asked();
    const reply = platform({ token: 'wrong' }).stream(to);
    await expect(reply.text('x').then(() => reply.done())).rejects.toMatchObject({
      code: 'unauthorized',
      status: 401,
    });
    await expect(reply.text('y')).rejects.toBeInstanceOf(StarwireError);
  });

  test('P-UP-4 a turn that does not exist is not_found', async () => {
    const { person } = await asked();
    const reply = starwire.stream({ channel: person.channel, turn: 'turn_of_nobody' });
    await reply.text('x');
    await expect(reply.done()).rejects.toMatchObject({ code: 'not_found' });
  });

  test('a server that stays away is given up in the end: unreachable', async () => {
    const { to } = await asked();
    const gone = new WebChatPlatform({ url: 'http://127.0.0.1:9', token: 'x', retry_ms: 500 });
    const reply = gone.stream(to);
    await expect(reply.text('x').then(() => reply.done())).rejects.toMatchObject({
      code: 'unreachable',
      retryable: true,
    });
  });
});
