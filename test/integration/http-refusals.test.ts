import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { refused, useWorld } from './world.ts';

const world = useWorld();

const surfaces = {
  messages: '/api/messages',
  actions: '/api/actions',
  answer: '/api/prompts/p/answer',
} as const;

describe('malformed bodies', () => {
  const shapes: [string, string][] = [
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['half of it', '{"client_id":"c","text":'],
    ['JSON with something behind it', '{"client_id":"c","text":"x"} x'],
    ['a form', 'client_id=c&text=x'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a text', '"x"'],
    ['a number', '7'],
  ];
  for (const path of Object.values(surfaces))
    test.each(shapes)(`POST ${path} with %s is bad_request`, async (_, body) => {
      const reply = await world().as(await world().person(), path, { body, method: 'POST' });
      expect(reply).toMatchObject(refused(400, 'bad_request'));
    });

  const fields: [string, unknown, number, string, string][] = [
    [surfaces.messages, { text: 'x' }, 400, 'bad_request', 'client_id'],
    [surfaces.messages, { client_id: '', text: 'x' }, 400, 'bad_request', 'client_id'],
    [surfaces.messages, { client_id: 'c'.repeat(65), text: 'x' }, 400, 'bad_request', 'client_id'],
    [surfaces.messages, { client_id: 7, text: 'x' }, 400, 'bad_request', 'client_id'],
    [surfaces.messages, { client_id: 'c' }, 400, 'bad_request', 'text'],
    [surfaces.messages, { client_id: 'c', text: '' }, 400, 'bad_request', 'text'],
    [surfaces.messages, { client_id: 'c', text: 'x'.repeat(32_769) }, 413, 'too_large', 'text'],
    [surfaces.messages, { client_id: 'c', text: 'x', type: 'answer' }, 400, 'bad_request', 'type'],
    [surfaces.messages, { client_id: 'c', text: 'x', conversation: '' }, 400, 'bad_request', 'conversation'],
    [
      surfaces.messages,
      { client_id: 'c', text: 'x', attachments: [{ id: 'f' }] },
      404,
      'not_found',
      'attachments',
    ],
    [surfaces.actions, { client_id: 'c', custom_id: 'b' }, 400, 'bad_request', 'message'],
    [surfaces.actions, { client_id: 'c', message: 'm' }, 400, 'bad_request', 'custom_id'],
    [surfaces.actions, { client_id: 'c', message: 'm', custom_id: 'b' }, 404, 'not_found', 'message'],
    [surfaces.answer, { value: 1 }, 400, 'bad_request', 'client_id'],
    [surfaces.answer, { client_id: 'c', value: 1 }, 404, 'not_found', 'prompt'],
  ];
  test.each(fields)('POST %s with %j: %i %s, naming %s', async (path, body, status, code, field) => {
    const person = await world().person();
    expect(await world().as(person, path, { body })).toMatchObject(refused(status, code, field));
    const history = await world().as(person, '/api/conversations/default/messages');
    expect(history.body).toEqual({ messages: [], next: null });
  });

  test('a body over the frame limit is too_large, by its length and by its bytes', async () => {
    const person = await world().person();
    const body = JSON.stringify({ client_id: 'c', text: 'x'.repeat(262_144) });
    expect(await world().as(person, surfaces.messages, { body })).toMatchObject(refused(413, 'too_large'));
    const chunked = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(
        `${world().origin}${surfaces.messages}`,
        { method: 'POST', headers: { authorization: `Bearer ${person.token}` } },
        (response) => resolve(response.resume().statusCode),
      );
      sent.on('error', reject);
      for (let at = 0; at < body.length; at += 65_536) sent.write(body.slice(at, at + 65_536));
      sent.end();
    });
    expect(chunked).toBe(413);
  });

  test('a compressed body is not read: unsupported', async () => {
    const reply = await world().as(await world().person(), surfaces.messages, {
      body: JSON.stringify({ client_id: 'c', text: 'x' }),
      headers: { 'content-encoding': 'gzip' },
    });
    expect(reply).toMatchObject(refused(415, 'unsupported'));
  });
});

describe('addresses', () => {
  test.each([
    '/api',
    '/api/nothing',
    '/api/messages/x',
    '/nothing',
    '/v2/models',
    '/files/x',
    '/wss',
    '/ws/x',
  ])('GET %s is not_found, as JSON', async (path) => {
    const { status, body, headers } = await world().as(await world().person(), path);
    expect({ status, body }).toMatchObject(refused(404, 'not_found'));
    expect(headers.get('content-type')).toContain('application/json');
  });

  test('an address that is not there is not_found by any method', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      expect(await world().http('/nothing', { method })).toMatchObject(refused(404, 'not_found'));
  });

  const others: [string, string, string][] = [
    ['PUT', '/api/messages', 'POST'],
    ['GET', '/api/messages', 'POST'],
    ['DELETE', '/healthz', 'GET, HEAD'],
    ['POST', '/api/events', 'GET, HEAD'],
    ['POST', '/ws', 'GET, HEAD'],
    ['GET', '/api/turns/t/cancel', 'POST'],
    ['PATCH', '/api/prompts/p/answer', 'POST'],
    ['PUT', '/files/file_x/a.txt', 'GET, HEAD'],
    ['GET', '/v1/chat/completions', 'POST'],
    ['DELETE', '/v1/models', 'GET, HEAD'],
    ['GET', '/internal/outbound', 'POST'],
    ['PUT', '/internal/api-keys', 'GET, HEAD, POST'],
    ['POST', '/internal/users', 'GET, HEAD'],
    ['GET', '/dev/token', 'POST'],
  ];
  test.each(others)('%s %s is method_not_allowed, and Allow says what is', async (method, path, allow) => {
    const token = path.startsWith('/internal')
      ? world().server.secrets.INTERNAL_TOKEN
      : (await world().person()).token;
    const { status, body, headers } = await world().as({ token }, path, { method });
    expect([status, body]).toMatchObject([405, { error: { code: 'method_not_allowed' } }]);
    expect(headers.get('allow')).toBe(allow);
  });

  test('a method that is not possible says so only to those who may ask', async () => {
    expect(await world().http('/internal/outbound')).toMatchObject(refused(401, 'unauthorized'));
  });
});

test('no refusal shows a stack', async () => {
  const person = await world().person();
  for (const path of ['/api/conversations/%00/messages', '/files/%00/%E0%A4%A', '/api/turns/%FF/cancel'])
    for (const method of ['GET', 'POST']) {
      const { status, body } = await world().as(person, path, { method });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(JSON.stringify(body)).not.toMatch(/\.ts|\.js| at /);
    }
});
