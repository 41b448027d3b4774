import { connect } from 'node:net';
import OpenAI, { APIError, AuthenticationError, InternalServerError } from 'openai';
import { beforeAll, describe, expect, test } from 'vitest';
import { apiKey, complete, requestIdOf, statusOf, turnFacts } from './v1.ts';
import { useWorld } from './world.ts';

/** The `openai` package as its users have it, against the demo upstream of the production bundle. */

const world = useWorld({ env: { LIMITS: JSON.stringify({ turn_silence_ms: 2_000 }) } });
let client: OpenAI;
let key: string;

beforeAll(async () => {
  key = await apiKey(world(), 'ada');
  client = clientWith(key);
});

const clientWith = (apiKey: string, baseURL = `${world().origin}/v1`): OpenAI =>
  new OpenAI({ apiKey, baseURL, maxRetries: 0 });

const ask = (content: string) => ({
  model: 'starwire-demo',
  messages: [{ role: 'user' as const, content }],
});

describe('the openai package', () => {
  test('P-OA-1 models.list() names the model', async () => {
    const { data } = await client.models.list();
    expect(data).toEqual([
      { id: 'starwire-demo', object: 'model', created: expect.any(Number), owned_by: expect.any(String) },
    ]);
  });

  test('P-OA-2 create() gives one whole answer', async () => {
    const { data, response } = await client.chat.completions.create(ask('good morning')).withResponse();
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: 'starwire-demo',
      id: requestIdOf(response),
    });
    expect(data.choices).toHaveLength(1);
    const [choice] = data.choices;
    expect(choice).toMatchObject({ index: 0, finish_reason: 'stop', message: { role: 'assistant' } });
    expect(choice?.message.content).toContain('> good morning');
    const { prompt_tokens = 0, completion_tokens = 0, total_tokens } = data.usage ?? {};
    expect(completion_tokens).toBeGreaterThan(0);
    expect(total_tokens).toBe(prompt_tokens + completion_tokens);
  });

  test('P-OA-3 create() streams the same answer', async () => {
    const whole = await client.chat.completions.create(ask('good evening'));
    const stream = await client.chat.completions.create({ ...ask('good evening'), stream: true });
    const reasons: (string | null)[] = [];
    let content = '';
    for await (const { choices } of stream) {
      expect(choices).toHaveLength(1);
      for (const { delta, finish_reason } of choices) {
        content += delta.content ?? '';
        reasons.push(finish_reason);
      }
    }
    expect(content).toBe(whole.choices[0]?.message.content);
    expect(reasons.length).toBeGreaterThan(10);
    expect(reasons.pop()).toBe('stop');
    expect(reasons.every((reason) => reason === null)).toBe(true);
  });

  test('P-OA-3 the .stream() helper ends with the content, the completion and the usage', async () => {
    const runner = client.chat.completions.stream({
      ...ask('good night'),
      stream_options: { include_usage: true },
    });
    const deltas: string[] = [];
    runner.on('content', (delta) => deltas.push(delta));
    const content = await runner.finalContent();
    expect(content).toContain('> good night');
    expect(deltas.join('')).toBe(content);
    const completion = await runner.finalChatCompletion();
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { role: 'assistant', content },
    });
    expect((await runner.totalUsage()).total_tokens).toBeGreaterThan(0);
  });

  test('P-OA-3 usage comes only where it was asked for, in one chunk without choices', async () => {
    const usages = async (stream_options?: { include_usage: boolean }) => {
      const stream = await client.chat.completions.create({
        ...ask('buttons'),
        stream: true,
        stream_options,
      });
      const found: number[] = [];
      for await (const { usage, choices } of stream) if (usage) found.push(choices.length);
      return found;
    };
    expect(await usages({ include_usage: true })).toEqual([0]);
    expect(await usages({ include_usage: false })).toEqual([]);
    expect(await usages()).toEqual([]);
  });

  test.each(['//v1', '/v1/', '/v1//', '//v1//'])('P-OA-2 a base address ending in %s works', async (path) => {
    const client = clientWith(key, `${world().origin}${path}`);
    expect((await client.models.list()).data).toHaveLength(1);
    const { choices } = await client.chat.completions.create(ask('buttons'));
    expect(choices[0]?.message.content).toContain('Tea');
  });
});

describe('who is asking', () => {
  test('P-ID-2 a user token does as well as an API key', async () => {
    const client = clientWith(await world().token({ sub: 'grace', name: 'Grace' }));
    const { choices } = await client.chat.completions.create(ask('it is me'));
    expect(choices[0]?.message.content).toContain('Hello Grace!');
  });

  test('P-OA-4 a wrong key, a foreign token and none are 401 in the OpenAI shape', async () => {
    for (const wrong of ['sk-sw-wrong', 'sk-other', 'not.a.token']) {
      const failed = clientWith(wrong).models.list();
      await expect(failed).rejects.toBeInstanceOf(AuthenticationError);
      await expect(failed).rejects.toMatchObject({
        status: 401,
        code: 'unauthorized',
        type: 'authentication_error',
      });
    }
    const { status, body } = await world().http<object>('/v1/models');
    expect(status).toBe(401);
    expect(Object.keys(body)).toEqual(['error']);
  });

  test('P-ID-1 an expired token is told as such', async () => {
    const token = await world().token({ sub: 'ada', exp: Math.floor(Date.now() / 1000) - 60 });
    await expect(clientWith(token).models.list()).rejects.toMatchObject({
      status: 401,
      code: 'token_expired',
    });
  });

  test('P-OA-2 X-Request-Id is made by the server, whatever the client says', async () => {
    const headers = { 'x-request-id': 'req_mine' };
    const ids = await Promise.all(
      [1, 2].map(async () => {
        const response = await complete(world(), key, ask('buttons'), { headers });
        await response.body?.cancel();
        return requestIdOf(response);
      }),
    );
    expect(new Set([...ids, 'req_mine']).size).toBe(3);
    for (const id of ids) expect(await turnFacts(world(), id)).toMatchObject({ channel: `sse:${id}` });
    const refused = await complete(world(), 'sk-sw-wrong', {}, { headers });
    expect(requestIdOf(refused)).toMatch(/^(?!req_mine$)./);
  });
});

describe('failures', () => {
  test('P-OA-4 a failure in the middle of a stream is thrown, never a short answer that looks complete', async () => {
    const stream = await client.chat.completions.create({ ...ask('fail'), stream: true });
    let content = '';
    const reasons: (string | null | undefined)[] = [];
    const read = async () => {
      for await (const { choices } of stream) {
        content += choices[0]?.delta.content ?? '';
        reasons.push(choices[0]?.finish_reason);
      }
    };
    await expect(read()).rejects.toMatchObject({ type: 'upstream_http', code: 'upstream_http' });
    expect(content).toBe('This reply will not come to its');
    expect(reasons.every((reason) => reason === null)).toBe(true);
  });

  test('P-OA-4 the .stream() helper rejects as well', async () => {
    const runner = client.chat.completions.stream(ask('fail'));
    await expect(runner.finalContent()).rejects.toBeInstanceOf(APIError);
  });

  test('P-OA-4 with stream: false a failure is a 5xx with the OpenAI error object', async () => {
    const failed = client.chat.completions.create(ask('fail'));
    await expect(failed).rejects.toBeInstanceOf(InternalServerError);
    await expect(failed).rejects.toMatchObject({
      status: 502,
      type: 'upstream_http',
      param: null,
      error: { message: expect.stringContaining('asked to fail') },
    });
  });

  test('P-UP-3 an upstream that accepts and stays silent ends as an error too', async () => {
    const [streamed, whole] = await Promise.allSettled([
      client.chat.completions.stream(ask('silent')).finalContent(),
      client.chat.completions.create(ask('silent')),
    ]);
    expect(streamed).toMatchObject({ status: 'rejected', reason: { type: 'upstream_silent' } });
    expect(whole).toMatchObject({ status: 'rejected', reason: { status: 504, type: 'upstream_silent' } });
  });

  const bad: [string, string, string | null][] = [
    ['that is not JSON', '{"messages":', null],
    ['without messages', '{}', 'messages'],
    ['with no message', '{"messages":[]}', 'messages'],
    ['whose "stream" is a word', '{"messages":[{"role":"user"}],"stream":"yes"}', 'stream'],
  ];
  test.each(bad)('P-OA-4 a body %s is refused before anything is done', async (_, body, param) => {
    expect(await world().as({ token: key }, '/v1/chat/completions', { body })).toMatchObject({
      status: 400,
      body: {
        error: { message: expect.any(String), type: 'invalid_request_error', param, code: 'bad_request' },
      },
    });
  });

  test('P-OA-4 an address that is not there answers in the OpenAI shape', async () => {
    expect(await world().as({ token: key }, '/v1/nothing')).toMatchObject({
      status: 404,
      body: { error: { type: 'invalid_request_error', code: 'not_found' } },
    });
  });
});

describe.concurrent('P-OA-6 a client that goes away', () => {
  const contract = { timeout: 30_000, interval: 200 };

  test('P-OA-6 by aborting has its turn cancelled within 30 s', async ({ expect }) => {
    const stream = await client.chat.completions.create({ ...ask('slow'), stream: true });
    let id = '';
    for await (const chunk of stream) {
      id = chunk.id;
      stream.controller.abort();
    }
    expect(await statusOf(world(), id)).toBe('running');
    await expect.poll(() => statusOf(world(), id), contract).toBe('cancelled');
  });

  test('P-OA-6 by breaking its connection has its turn cancelled within 30 s', async ({ expect }) => {
    const { port } = world().server;
    const socket = connect(port, '127.0.0.1');
    const body = JSON.stringify({ ...ask('slow'), stream: true });
    const head = [
      'POST /v1/chat/completions HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${key}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    let seen = '';
    for await (const bytes of socket) {
      seen += bytes;
      if (seen.includes('"content"')) break;
    }
    socket.resetAndDestroy();
    const id = /x-request-id: (\S+)/i.exec(seen)?.[1] ?? '';
    await expect.poll(() => statusOf(world(), id), contract).toBe('cancelled');
  });
});
