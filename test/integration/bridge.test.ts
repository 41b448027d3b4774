import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { jsonSchema, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isTerminal } from '../../src/protocol/server-frames.ts';
import type { Client } from './client.ts';
import { type Answer, chunk, FakeOpenAi, opened, plain, streamed } from './fake-openai.ts';
import { startServer } from './server.ts';
import { all, apiKey, blocks, complete, requestIdOf, statusOf, told } from './v1.ts';
import { World } from './world.ts';

/** What goes up over the bridge, and what comes down, against the production bundle. */

const usage = (fields: object) => JSON.stringify({ choices: [], usage: fields });
const end = (reason = 'stop') => chunk({}, reason);
const call = (fields: object) => chunk({ tool_calls: [fields] });
const progress = (fields: object) => `event: hermes.tool.progress\ndata: ${JSON.stringify(fields)}`;

/** Fits no journal row that is cut, and no event of 64 KiB. */
const long = JSON.stringify({ path: 'notes.txt', text: `${'wörld "😀" \u2028 '.repeat(20_000)}` });
const weather = [
  call({ id: 'call_a', function: { name: 'get_weather', arguments: '{"city"' } }),
  call({ id: 'call_b', function: { name: 'get_time', arguments: '{}' } }),
  call({ id: 'call_a', function: { arguments: ':"Oslo"}' } }),
];

const ANSWERS: Record<string, Answer> = {
  hello: streamed(chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hi.' }), end(), '[DONE]'),
  hangs: opened(chunk({ content: 'Wait' })),
  thinks: streamed(chunk({ reasoning: 'Hm.' }), chunk({ content: 'So.' }), end('length'), '[DONE]'),
  'openai usage': streamed(
    chunk({ content: 'x' }),
    end(),
    usage({ prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }),
    '[DONE]',
  ),
  'anthropic usage': streamed(chunk({ content: 'x' }), end(), usage({ input_tokens: 3, output_tokens: 4 })),
  weather: streamed(...weather, end('tool_calls'), '[DONE]'),
  'weather at once': plain(
    200,
    JSON.stringify({
      choices: [
        {
          message: { tool_calls: [{ function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } }] },
          finish_reason: 'tool_calls',
        },
      ],
    }),
  ),
  'a long call': streamed(
    call({ index: 0, id: 'call_a', function: { name: 'write', arguments: long } }),
    end('tool_calls'),
    '[DONE]',
  ),
  'a call that cannot be cut': streamed(
    chunk({ content: 'Well' }),
    call({ index: 0, id: 'x'.repeat(200_000), function: { name: 'write' } }),
    end('tool_calls'),
    '[DONE]',
  ),
  agent: streamed(
    chunk({ content: 'Looking. ' }),
    progress({ tool_call_id: 't1', name: 'grep', status: 'running', preview: 'TODO', args: { q: 'TODO' } }),
    progress({ tool_call_id: 't1', name: 'grep', status: 'completed', result: { hits: 2 } }),
    chunk({ content: 'Done.' }),
    end(),
    '[DONE]',
  ),
};

let fake: FakeOpenAi;
let world: World;
let key: string;
let openai: OpenAI;
beforeAll(async () => {
  fake = await FakeOpenAi.start({
    ...ANSWERS,
    ...Object.fromEntries(
      ['verbatim', 'whole', 'first', 'second'].map((name) => [name, ANSWERS['hello'] as Answer]),
    ),
    'socket hangs': ANSWERS['hangs'] as Answer,
    'v1 hangs': ANSWERS['hangs'] as Answer,
  });
  world = new World(
    await startServer({
      env: { ...fake.env, LIMITS: JSON.stringify({ sse_grace_ms: 300, sse_heartbeat_ms: 300 }) },
    }),
  );
  key = await apiKey(world, 'ada');
  openai = new OpenAI({ apiKey: key, baseURL: `${world.origin}/v1`, maxRetries: 0 });
});
afterAll(async () => {
  await world?.server.stop();
  await fake?.stop();
});

const asked = (content: string) => ({ model: 'm', messages: [{ role: 'user' as const, content }] });

let sent = 0;
async function say(client: Client, text: string, fields: object = {}) {
  const client_id = `c${++sent}`;
  client.send({ type: 'message', client_id, text, ...fields });
  const { turn } = await client.frame('ack', (ack) => ack.client_id === client_id);
  return turn ?? expect.fail('the ack names no turn');
}

/** Says something and waits for the end of its turn. */
async function answered(client: Client, text: string, fields: object = {}) {
  const turn = await say(client, text, fields);
  return client.frame('turn', (frame) => frame.turn === turn && isTerminal(frame.status));
}

const someone = async () => world.connect(await world.person());

describe('what goes up', () => {
  test('P-BR-1 a message goes with its history, its conversation and the key of the upstream', async () => {
    const client = await someone();
    await answered(client, 'first', { conversation: 'trip' });
    await answered(client, 'hello', { conversation: 'elsewhere' });
    await answered(client, 'second', { conversation: 'trip' });
    const { path, headers, body } = fake.call('second');
    expect(path).toBe('/v1/chat/completions');
    expect(headers).toMatchObject({ authorization: 'Bearer key-of-upstream', 'x-starwire-session': 'trip' });
    expect(body).toEqual({
      model: 'default',
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: 'user', content: 'first' },
        { role: 'assistant', content: 'Hi.' },
        { role: 'user', content: 'second' },
      ],
    });
  });

  test('P-BR-1 the body of a /v1 client goes as it is, and nothing that it presents goes with it', async () => {
    const body = {
      ...asked('verbatim'),
      ...{ stream: true, temperature: 0.25, seed: null, response_format: { type: 'json_object' }, top_k: 5 },
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' }, strict: true } }],
      tool_choice: { type: 'function', function: { name: 'f' } },
      messages: [
        { role: 'system', content: 'be brief', cache_control: { type: 'ephemeral' } },
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }] },
        { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function', function: {} }] },
        { role: 'tool', tool_call_id: 'a', content: '' },
        { role: 'user', content: 'verbatim', name: 'ada' },
      ],
      metadata: { nested: [1, { deep: 'wörld\u2028' }] },
    };
    const credentials = {
      cookie: 'sid=1',
      'x-api-key': 'mine',
      'proxy-authorization': 'Basic x',
      origin: world.origin,
    };
    const list = await all(await complete(world, key, body, { headers: credentials }));
    expect(told(list)).toMatchObject({ content: 'Hi.', finishes: ['stop'], errors: [], usages: [], ends: 1 });
    const seen = fake.call('verbatim');
    expect(seen.body).toEqual(body);
    expect(seen.headers['authorization']).toBe('Bearer key-of-upstream');
    expect(JSON.stringify(seen.headers)).not.toMatch(/sid=1|mine|Basic x/);
    expect(JSON.stringify(seen.headers)).not.toContain(key);
  });

  test('P-OA-2 for a client that wants the whole, the stream is asked for its usage', async () => {
    const body = { ...asked('whole'), stream_options: null, n: 1 };
    await openai.chat.completions.create(body);
    expect(fake.call('whole').body).toEqual({
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test('P-WS-11 a cancel of the socket ends the request of the upstream, and keeps the text', async () => {
    const client = await someone();
    const turn = await say(client, 'socket hangs');
    await client.frame('chunk', (frame) => frame.turn === turn);
    client.send({ type: 'cancel', turn });
    expect(await fake.call('socket hangs').closed).toEqual({ answered: false });
    const ended = await client.frame('turn', (frame) => frame.turn === turn && isTerminal(frame.status));
    expect(ended.status).toBe('cancelled');
    expect(client.all('message').at(-1)).toMatchObject({ text: 'Wait', partial: true });
  });

  test('P-OA-6 a client of /v1 that goes away ends the request of the upstream', async () => {
    const abort = new AbortController();
    const response = await complete(
      world,
      key,
      { ...asked('v1 hangs'), stream: true },
      { signal: abort.signal },
    );
    for await (const { data } of blocks(response)) if (data?.includes('Wait')) break;
    abort.abort();
    expect(await fake.call('v1 hangs').closed).toEqual({ answered: false });
    await expect.poll(() => statusOf(world, requestIdOf(response))).toBe('cancelled');
  });
});

describe('what comes down', () => {
  test('P-BR-3 text, reasoning and finish reason', async () => {
    const client = await someone();
    expect(await answered(client, 'thinks')).toMatchObject({ status: 'completed', finish_reason: 'length' });
    expect(client.all('message').at(-1)).toMatchObject({ text: 'So.', reasoning: 'Hm.' });
    expect(told(await all(await complete(world, key, { ...asked('thinks'), stream: true })))).toMatchObject({
      ...{ content: 'So.', reasoning: 'Hm.', finishes: ['length'], errors: [] },
    });
  });

  test.each(['openai usage', 'anthropic usage'])('P-BR-3 %s', async (name) => {
    const { usage } = await answered(await someone(), name);
    expect(usage).toEqual({ input_tokens: 3, output_tokens: 4 });
    const body = { ...asked(name), stream: true, stream_options: { include_usage: true } };
    const expected = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
    expect(told(await all(await complete(world, key, body))).usages).toEqual([expected]);
    expect((await openai.chat.completions.create(asked(name))).usage).toEqual(expected);
  });

  test('P-BR-3 tool progress becomes tool frames, placed in the text', async () => {
    const client = await someone();
    await answered(client, 'agent');
    const same = { type: 'tool', tool: 't1', name: 'grep', offset: 'Looking. '.length };
    expect(client.all('tool')).toMatchObject([
      { ...same, status: 'running', preview: 'TODO', args: { q: 'TODO' } },
      { ...same, status: 'completed', result: { hits: 2 } },
    ]);
    expect(client.all('message').at(-1)?.text).toBe('Looking. Done.');
  });

  test('P-BR-3 tool calls of the model are shown to a person', async () => {
    const client = await someone();
    expect(await answered(client, 'weather')).toMatchObject({
      status: 'completed',
      finish_reason: 'tool_calls',
    });
    expect(client.all('tool')).toMatchObject([
      { tool: 'call_a', name: 'get_weather', status: 'completed', args: { city: 'Oslo' } },
      { tool: 'call_b', name: 'get_time', status: 'completed', args: {} },
    ]);
  });

  test('P-BR-4 a call whose id no event holds fails the turn in words, and keeps the text', async () => {
    const list = await all(
      await complete(world, key, { ...asked('a call that cannot be cut'), stream: true }),
    );
    expect(told(list)).toMatchObject({
      ...{ content: 'Well', finishes: [], ends: 1 },
      errors: [{ type: 'upstream_stream', message: expect.stringContaining('tool_calls') }],
    });
    // A person is shown it all the same: there the id is ours to shorten.
    expect(await answered(await someone(), 'a call that cannot be cut')).toMatchObject({
      status: 'completed',
    });
  });

  test('P-OA-3 a long call comes in events of less than 64 KiB each', async () => {
    const response = await complete(world, key, { ...asked('a long call'), stream: true });
    const sizes: number[] = [];
    for await (const { size } of blocks(response)) sizes.push(size);
    expect(sizes.length).toBeGreaterThan(20);
    expect(Math.max(...sizes)).toBeLessThan(65_536);
  });
});

describe('P-BR-3 tool calls reach the clients that execute them', () => {
  const calls = [
    { id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } },
    { id: 'call_b', type: 'function', function: { name: 'get_time', arguments: '{}' } },
  ];

  test('P-BR-3 openai: streamed and whole', async () => {
    const streamed = await openai.chat.completions.stream(asked('weather')).finalChatCompletion();
    expect(streamed.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: calls },
    });
    const { choices } = await openai.chat.completions.create(asked('weather'));
    expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: calls } });
    const [once] = (await openai.chat.completions.create(asked('weather at once'))).choices;
    expect(once?.message.tool_calls).toEqual([{ ...calls[0], id: expect.stringMatching(/^call_/) }]);
  });

  test('P-BR-3 openai: a long call, streamed and whole', async () => {
    const streamed = await openai.chat.completions.stream(asked('a long call')).finalChatCompletion();
    const { choices } = await openai.chat.completions.create(asked('a long call'));
    for (const choice of [streamed.choices[0], choices[0]])
      expect(choice?.message.tool_calls).toMatchObject([{ function: { name: 'write', arguments: long } }]);
  });

  test('P-BR-3 ai', async () => {
    const provider = createOpenAICompatible({ name: 'starwire', baseURL: `${world.origin}/v1`, apiKey: key });
    const inputSchema = jsonSchema({ type: 'object', additionalProperties: true });
    const { toolCalls } = streamText({
      ...{ model: provider.chatModel('m'), prompt: 'weather', maxRetries: 0 },
      tools: { get_weather: tool({ inputSchema }), get_time: tool({ inputSchema }) },
    });
    expect(await toolCalls).toMatchObject([
      { toolCallId: 'call_a', toolName: 'get_weather', input: { city: 'Oslo' } },
      { toolCallId: 'call_b', toolName: 'get_time', input: {} },
    ]);
  });

  test('P-BR-3 langchain', async () => {
    const model = new ChatOpenAI({
      ...{ model: 'm', apiKey: key, maxRetries: 0 },
      configuration: { baseURL: `${world.origin}/v1` },
    });
    const expected = [
      { id: 'call_a', name: 'get_weather', args: { city: 'Oslo' } },
      { id: 'call_b', name: 'get_time', args: {} },
    ];
    expect((await model.invoke('weather')).tool_calls).toMatchObject(expected);
    const [first, ...rest] = await Array.fromAsync(await model.stream('weather'));
    const whole = rest.reduce((sum, part) => sum.concat(part), first ?? expect.fail('nothing came'));
    expect(whole.tool_calls).toMatchObject(expected);
  });
});
