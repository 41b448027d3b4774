import type { ServerResponse } from 'node:http';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeOpenAi } from './fake-openai.ts';
import { startServer } from './server.ts';
import { apiKey } from './v1.ts';
import { World } from './world.ts';

/** The golden table of faults (P-BR-2 … P-BR-4), against the production bundle. */

const sse =
  (...data: string[]) =>
  (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const one of data) response.write(`data: ${one}\n\n`);
    return response;
  };
const part = JSON.stringify({ choices: [{ delta: { content: 'Part' } }] });
const stop = JSON.stringify({ choices: [{ delta: {}, finish_reason: 'stop' }] });
const status =
  (code: number, body: string, type = 'application/json') =>
  (response: ServerResponse) =>
    response.writeHead(code, { 'content-type': type, location: '/elsewhere', 'retry-after': '7' }).end(body);
const json = (message: string) => JSON.stringify({ error: { message } });
const ended =
  (...data: string[]) =>
  (response: ServerResponse) =>
    sse(...data)(response).end();

/** What the upstream does, the type of the error, and the text that is kept. */
const FAULTS: [string, (response: ServerResponse) => unknown, string, string][] = [
  ['cut without an end', ended(part), 'upstream_stream', 'Part'],
  ['in-band error', ended(part, json('overloaded'), '[DONE]'), 'upstream_stream', 'Part'],
  ['bad JSON in the middle', ended(part, '{"choi', stop, '[DONE]'), 'upstream_stream', 'Part'],
  ['silence in the middle', sse(part), 'upstream_stream', 'Part'],
  ['reset', (r) => sse(part)(r).write(':', () => r.destroy()), 'upstream_stream', 'Part'],
  ['slow headers', () => undefined, 'upstream_unreachable', ''],
  ['error body without an end', (r) => r.writeHead(500).write('x'), 'upstream_http', ''],
  ['401', status(401, json('bad key')), 'upstream_auth', ''],
  ['403', status(403, json('no')), 'upstream_auth', ''],
  ['429', status(429, json('slow down')), 'upstream_rate_limited', ''],
  ['500', status(500, json('x'.repeat(5_000))), 'upstream_http', ''],
  ['524', status(524, '<html>', 'text/html'), 'upstream_http', ''],
  ['302', status(302, ''), 'upstream_http', ''],
  ['200 with HTML', status(200, '<html>', 'text/html'), 'upstream_http', ''],
  ['empty', ended(stop, '[DONE]'), 'upstream_empty', ''],
];
const whole = { choices: [{ message: { content: 'Whole' }, finish_reason: 'stop' }] };
const GOOD: [string, (response: ServerResponse) => unknown, string][] = [
  ['[DONE] alone', ended(part, '[DONE]'), 'Part'],
  ['finish_reason alone', ended(part, stop), 'Part'],
  ['200 JSON', status(200, JSON.stringify(whole)), 'Whole'],
];

let fake: FakeOpenAi;
let world: World;
let openai: OpenAI;
beforeAll(async () => {
  fake = await FakeOpenAi.start(
    Object.fromEntries([...FAULTS, ...GOOD].map(([name, answer]) => [name, answer])),
  );
  const LIMITS = JSON.stringify({ bridge_headers_ms: 1_500, bridge_silence_ms: 1_500 });
  world = new World(await startServer({ env: { ...fake.env, LIMITS } }));
  openai = new OpenAI({ apiKey: await apiKey(world, 'ada'), baseURL: `${world.origin}/v1`, maxRetries: 0 });
});
afterAll(async () => {
  await world?.server.stop();
  await fake?.stop();
});

const asked = (content: string) => ({ model: 'm', messages: [{ role: 'user' as const, content }] });

async function bySocket(text: string) {
  const client = await world.connect(await world.person());
  client.send({ type: 'message', client_id: 'c', text });
  const turn = await client.frame('turn', ({ status }) => !['queued', 'running'].includes(status));
  return { turn, said: client.texts.get(turn.turn)?.text ?? '' };
}

test.each(FAULTS)('P-BR-4 %s: told, and what was said is kept', async (name, _, type, said) => {
  const native = await bySocket(name);
  expect(native).toMatchObject({ said, turn: { status: 'failed', error: { type } } });
  expect(native.turn.error?.message.length).toBeLessThanOrEqual(500);
  await expect(openai.chat.completions.create(asked(name))).rejects.toMatchObject({ type });
  let content = '';
  const read = async () => {
    const stream = await openai.chat.completions.create({ ...asked(name), stream: true });
    for await (const { choices } of stream) content += choices[0]?.delta.content ?? '';
  };
  await expect(read()).rejects.toMatchObject({ type });
  expect(content).toBe(said);
});

test.each(GOOD)('P-BR-3 %s is a whole answer', async (name, _, said) => {
  expect(await bySocket(name)).toMatchObject({ turn: { status: 'completed' } });
  const { choices } = await openai.chat.completions.create(asked(name));
  expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: said } });
});

test('P-BR-1 the key of the upstream goes with it, and nothing of the browser', async () => {
  await bySocket('200 JSON');
  const { headers } = fake.calls.at(-1) ?? expect.fail('no call');
  expect(headers).toMatchObject({ authorization: 'Bearer key-of-upstream', 'x-starwire-session': 'default' });
  expect(headers).not.toHaveProperty('cookie');
});
