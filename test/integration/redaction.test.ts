import { afterAll, beforeAll, expect, test } from 'vitest';
import { isTerminal } from '../../src/protocol/server-frames.ts';
import { RANDOM, SHAPES, shows } from '../secrets.ts';
import { type Answer, chunk, FakeOpenAi, plain, streamed } from './fake-openai.ts';
import { FakeUpstream } from './fake-upstream.ts';
import { startServer } from './server.ts';
import { all, apiKey, complete } from './v1.ts';
import { World } from './world.ts';

/** P-BR-5 end to end: canaries that an upstream lets slip, everywhere it can. */

const leaking = (secret: string): string => `It said: ${secret} and no more.`;

/** A tool that has to do with it. */
const using = (secret: string) => ({
  ...{ tool_call_id: secret, name: secret, status: 'completed', preview: leaking(secret) },
  args: { cmd: `run ${secret}`, [secret]: [secret], env: [{ name: 'API_KEY', value: RANDOM }] },
  result: JSON.stringify({ stdout: leaking(secret) }),
});

/** An upstream that repeats the secret in its errors, and one that uses it. */
const answers = (secret: string, i: number): [string, Answer][] => [
  [`refuse ${i}`, plain(401, JSON.stringify({ error: { message: leaking(secret) } }))],
  [`fail ${i}`, streamed(chunk({ content: 'x' }), JSON.stringify({ error: leaking(secret) }))],
  [
    `use ${i}`,
    streamed(
      `event: hermes.tool.progress\ndata: ${JSON.stringify(using(secret))}`,
      chunk({ content: leaking(secret) }),
      chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: leaking(secret) } }] }),
      chunk({}, 'stop'),
    ),
  ],
];

let fake: FakeOpenAi;
let world: World;
beforeAll(async () => {
  fake = await FakeOpenAi.start(Object.fromEntries(SHAPES.flatMap(answers)));
  world = new World(await startServer({ env: fake.env }));
});
afterAll(async () => {
  await world?.server.stop();
  await fake?.stop();
});

test('there are fifty shapes or more', () => {
  expect(new Set(SHAPES).size).toBeGreaterThanOrEqual(50);
});

test.concurrent.each(SHAPES.map((secret, i) => [secret, i] as const))(
  'P-BR-5 %s: in no error, tool frame or log line; in the text and in tool calls of /v1 as it is',
  async (secret, i) => {
    const person = await world.person();
    const client = await world.connect(person);
    for (const text of [`refuse ${i}`, `fail ${i}`, `use ${i}`])
      client.send({ type: 'message', client_id: text, text });
    await client.until(
      () => client.all('turn').filter(({ status }) => isTerminal(status)).length === 3 || undefined,
      'three ends',
    );
    const { results } = (await world.outbound({ channel: person.channel, kind: 'turn' })).body;
    const told = { label: leaking(secret), type: secret, message: leaking(secret), hint: leaking(secret) };
    const to = { channel: person.channel, turn: results[0]?.id };
    const { tool_call_id: tool, ...rest } = using(secret);
    await world.outbound([
      { ...to, kind: 'tool', tool: tool.slice(0, 128), ...rest },
      { ...to, kind: 'error', ...told },
    ]);
    await client.frame('turn', ({ turn, status }) => turn === results[0]?.id && isTerminal(status));

    const frames = client.frames.filter(({ type }) => type !== 'message' && type !== 'chunk');
    expect(client.all('tool')).toHaveLength(3);
    expect(client.all('turn').filter(({ error }) => error)).toHaveLength(3);
    expect(frames.filter((frame) => shows(JSON.stringify(frame)))).toEqual([]);
    expect(client.all('message').at(-1)?.text).toBe(leaking(secret));

    const key = await apiKey(world, person.id);
    const ask = (content: string) =>
      complete(world, key, { messages: [{ role: 'user', content }], stream: true }).then(all);
    const [refused, failed, used] = await Promise.all([
      ask(`refuse ${i}`),
      ask(`fail ${i}`),
      ask(`use ${i}`),
    ]);
    for (const list of [refused, failed]) expect(shows(JSON.stringify(list))).toBe(false);
    const deltas = used.flatMap(({ data }) => data?.choices?.map(({ delta }) => delta) ?? []);
    expect(deltas.map(({ content }) => content ?? '').join('')).toBe(leaking(secret));
    expect(JSON.stringify(deltas)).toContain(JSON.stringify({ name: 'f', arguments: leaking(secret) }));
    expect(shows(world.server.output())).toBe(false);
  },
);

test('P-BR-5 the same of a tenant’s own webhook, whose secret is in no answer or log line either', async () => {
  const own = await FakeUpstream.start();
  try {
    const webhook_secret = `whsec_${Buffer.from(`tenant ${RANDOM}`).toString('base64')}`;
    const tenant = 'leaky';
    const upstream = { mode: 'webhook', url: own.url, webhook_secrets: [webhook_secret] };
    const made = await world.internal(`/tenants/${tenant}`, { method: 'PUT', body: { upstream } });
    expect(made.status).toBe(201);
    const frames: object[] = [];
    for (const secret of [...SHAPES, webhook_secret]) {
      const client = await world.connect(await world.person({ tenant }));
      const told = { label: leaking(secret), type: secret, message: leaking(secret), hint: leaking(secret) };
      const { tool_call_id: tool, ...rest } = using(secret);
      const events = [
        { kind: 'tool', tool: tool.slice(0, 128), ...rest },
        // No channel of the tenant's: the refusal is logged.
        { kind: 'edit', id: secret.slice(0, 128), text: secret },
        { kind: 'message', channel: 'sse:req_none', text: secret },
        { kind: 'error', ...told },
      ];
      own.answer = ({ response }) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ events }));
      const turn = await world.turn(client, { text: 'go' });
      await client.frame('turn', (frame) => frame.turn === turn && frame.status === 'failed');
      expect(client.all('tool')).toHaveLength(1);
      frames.push(...client.frames);
      await client.close();
    }
    const shown = [made.body, (await world.internal('/tenants')).body, ...frames];
    for (const one of [...shown.map((each) => JSON.stringify(each)), world.server.output()]) {
      expect(shows(one)).toBe(false);
      expect(one).not.toContain(webhook_secret.slice('whsec_'.length));
    }
  } finally {
    await own.stop();
  }
});
