import { afterAll, beforeAll, expect, test } from 'vitest';
import { chunk, FakeOpenAi, opened } from './fake-openai.ts';
import { WebUi } from './hermes.ts';
import { startServer } from './server.ts';
import { World } from './world.ts';

const KEY = 'gateway-key-that-nobody-sees';

let gateway: FakeOpenAi;
let world: World;
beforeAll(async () => {
  gateway = await FakeOpenAi.start({
    hello: (response) =>
      opened(
        chunk({ reasoning_content: 'hm' }),
        'event: hermes.tool.progress\ndata: {"tool":"search","toolCallId":"c1","status":"running","label":"cats"}',
        'event: hermes.tool.progress\ndata: {"tool":"search","toolCallId":"c1","status":"completed"}',
        chunk({ content: 'Hello' }),
        chunk({}, 'stop'),
        '{"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":1}}',
        '[DONE]',
      )(response).end(),
    secret: (response) => response.writeHead(401).end(`{"error":{"message":"bad key ${KEY}"}}`),
  });
  const env = {
    HERMES_WEBUI_CHAT_BACKEND: 'api-server',
    HERMES_WEBUI_GATEWAY_BASE_URL: gateway.env.UPSTREAM_URL?.replace('/v1', '/') ?? '',
    API_SERVER_KEY: KEY,
  };
  world = new World(await startServer({ env }));
});
afterAll(async () => {
  await world?.server.stop();
  await gateway?.stop();
});

test('its own variables name the gateway; a run goes there, with tools, reasoning and usage', async () => {
  const ui = await WebUi.of(world);
  const stream = await ui.stream(await ui.start(await ui.newSession(), 'hello'));
  await stream.ended;
  expect(stream.names).toEqual([
    ...['context_status', 'reasoning', 'tool', 'tool_complete', 'token', 'metering', 'done', 'stream_end'],
  ]);
  expect(stream.events.find(({ event }) => event === 'tool')?.data).toMatchObject({
    ...{ name: 'search', preview: 'cats', tid: 'c1' },
  });
  expect(stream.events.find(({ event }) => event === 'done')?.data).toMatchObject({
    usage: { input_tokens: 4, output_tokens: 1 },
  });
  const { headers, path } = gateway.call('hello');
  expect(path).toBe('/v1/chat/completions');
  expect(headers.authorization).toBe(`Bearer ${KEY}`);
  expect(JSON.stringify(headers)).not.toContain(ui.person.token);
});

test('a key that the gateway refuses: gateway_auth_error, with a hint and without the key', async () => {
  const ui = await WebUi.of(world);
  const stream = await ui.stream(await ui.start(await ui.newSession(), 'secret'));
  await stream.ended;
  expect(stream.events.at(-1)).toMatchObject({
    event: 'apperror',
    data: {
      type: 'gateway_auth_error',
      label: 'Gateway authentication failed',
      hint: expect.stringMatching(/./),
    },
  });
});

test('its status says what is configured, and no word of what', async () => {
  const ui = await WebUi.of(world);
  const { body } = await ui.ask('/api/health/agent');
  expect(body).toMatchObject({
    gateway_chat: {
      ...{ enabled: true, backend: 'gateway', base_url_configured: true, api_key_configured: true },
    },
  });
  expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|gateway-key/);
});
