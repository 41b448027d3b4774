import { afterAll, beforeAll, expect, test } from 'vitest';
import { isTerminal } from '../../src/protocol/server-frames.ts';
import { chunk, FakeOpenAi, opened, plain, streamed } from './fake-openai.ts';
import { startServer } from './server.ts';
import { apiKey } from './v1.ts';
import { World } from './world.ts';

/** What an OpenAI-compatible upstream says besides its answer, and what it is not asked. */

let fake: FakeOpenAi;
let world: World;
beforeAll(async () => {
  const busy = (headers: Record<string, string>) => plain(429, '{}', 'application/json', headers);
  fake = await FakeOpenAi.start({
    hello: streamed(chunk({ content: 'Hi.' }), chunk({}, 'stop')),
    hangs: opened(chunk({ content: 'Well' })),
    'busy for 7 s': busy({ 'retry-after': '7' }),
    'busy until then': busy({ 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }),
    'busy for ever': busy({ 'retry-after': '1e300' }),
    'busy in words': busy({ 'retry-after': 'soon' }),
    busy: busy({}),
  });
  world = new World(await startServer({ env: fake.env }));
});
afterAll(async () => {
  await world?.server.stop();
  await fake?.stop();
});

test.each([
  ['busy for 7 s', /^7$/],
  ['busy until then', /^3[56]\d\d$/],
  ['busy for ever', /^86400$/],
  ['busy in words', /^\d+$/],
  ['busy', /^\d+$/],
])('P-OA-4 %s: with stream: false the 429 says when to come back', async (content, wait) => {
  const body = { model: 'm', messages: [{ role: 'user', content }] };
  const reply = await world.as({ token: await apiKey(world, 'ada') }, '/v1/chat/completions', { body });
  expect(reply).toMatchObject({
    status: 429,
    body: {
      error: {
        message: expect.stringContaining('429'),
        type: 'upstream_rate_limited',
        param: null,
        code: 'upstream_rate_limited',
      },
    },
  });
  expect(reply.headers.get('retry-after')).toMatch(wait);
});

test('P-WS-10 an answer is for whoever asked: it makes no generation, and ends no turn of others', async () => {
  const person = await world.person();
  const client = await world.connect(person);
  const ask = async (fields: object) => {
    const { body } = await world.outbound({
      ...{ channel: person.channel, kind: 'prompt', question: 'Which?', choices: ['hello', 'no'] },
      ...fields,
    });
    return body.results[0]?.id;
  };
  const answer = async (prompt: string | undefined) => {
    client.send({ type: 'answer', client_id: `of ${prompt}`, prompt, value: 'hello' });
    const { turn } = await client.frame('ack', ({ client_id }) => client_id === `of ${prompt}`);
    return turn;
  };

  // A question of no turn: its answer's turn ends at once, and without a word.
  const alone = await answer(await ask({}));
  const end = await client.frame('turn', ({ turn, status }) => turn === alone && isTerminal(status));
  expect(end.status).toBe('completed');

  // One within a turn that the service opened: that goes on, and is the service's to end.
  const { results } = (await world.outbound({ channel: person.channel, kind: 'turn' })).body;
  const turn = results[0]?.id;
  expect(await answer(await ask({ turn }))).toBe(turn);
  await world.outbound({ channel: person.channel, kind: 'done', turn, text: 'Thanks.' });
  await client.frame('message', ({ text }) => text === 'Thanks.');

  // One within a generation: nothing waits behind that.
  const hanging = await world.turn(client, { text: 'hangs' });
  await client.frame('chunk', (frame) => frame.turn === hanging);
  expect(await answer(await ask({ turn: hanging }))).toBe(hanging);
  client.send({ type: 'cancel', turn: hanging });
  await client.frame('turn', (frame) => frame.turn === hanging && frame.status === 'cancelled');

  const next = await world.turn(client, { text: 'hello' });
  await client.frame('turn', (frame) => frame.turn === next && frame.status === 'completed');
  expect(fake.calls.filter(({ body }) => body.messages.at(-1)?.content === 'hello')).toHaveLength(1);
  expect(
    client.all('message').filter(({ role, text }) => role === 'assistant' && text === 'Hi.'),
  ).toHaveLength(1);
});
