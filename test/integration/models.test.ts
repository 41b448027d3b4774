import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from './server.ts';
import { type Person, World } from './world.ts';

/** What `/v1` offers, and what the upstream is asked for (P-OA-1, P-OA-2). */

const asked: { path: string; authorization: string | undefined; model?: string }[] = [];
/** How the upstream answers `GET /models`, by the first part of the path. */
const offers: Record<string, (response: ServerResponse) => unknown> = {
  good: (response) =>
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'b', created: 7 }, { id: 'a' }] })),
  broken: (response) => response.writeHead(500).end('no'),
  moved: (response) => response.writeHead(302, { location: '/good/models' }).end(),
  strange: (response) => response.end('<html>'),
  huge: (response) => {
    response.on('error', () => {});
    const more = () => {
      while (response.write(' '.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  },
};
const upstream = createServer(async (request, response) => {
  const path = request.url ?? '';
  const { authorization } = request.headers;
  const body = await text(request);
  asked.push({ path, authorization, ...(body === '' ? {} : { model: JSON.parse(body).model }) });
  if (path.endsWith('/models')) return void offers[path.split('/')[1] ?? '']?.(response);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ choices: [{ message: { content: 'Said.' }, finish_reason: 'stop' }] }));
});
const at = (path: string) => `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/${path}`;

let world: World;
beforeAll(async () => {
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  world = new World(
    await startServer({
      env: {
        ...{ UPSTREAM_MODE: 'openai', UPSTREAM_URL: at('usual'), UPSTREAM_API_KEY: 'sk-of-variables' },
        UPSTREAM_MODELS: 'small, large = vendor/large-2',
      },
    }),
  );
});
afterAll(async () => {
  await world?.server.stop();
  upstream.closeAllConnections();
  upstream.close();
});

let tenants = 0;
/** A user of a tenant with that upstream. */
async function userOf(fields: object): Promise<Person> {
  const tenant = `tenant-${++tenants}`;
  const { status } = await world.internal(`/tenants/${tenant}`, {
    method: 'PUT',
    body: { upstream: fields },
  });
  expect(status).toBe(201);
  return world.person({ tenant });
}

interface List {
  object: string;
  data: { id: string; object: string; created: number; owned_by: string }[];
}
const models = (person: Person) => world.as<List>(person, '/v1/models');
const idsOf = async (person: Person) => (await models(person)).body.data.map(({ id }) => id);

const complete = (person: Person, model?: string) =>
  world.as(person, '/v1/chat/completions', {
    body: { ...(model === undefined ? {} : { model }), messages: [{ role: 'user', content: 'Hi' }] },
  });
const askedLast = () => asked.at(-1);

describe('P-OA-1 GET /v1/models', () => {
  test('P-OA-1 lists what the variables configure', async () => {
    const { status, body } = await models(await world.person());
    expect(status).toBe(200);
    const model = { object: 'model', created: expect.any(Number), owned_by: expect.any(String) };
    expect(body).toEqual({ object: 'list', data: ['small', 'large'].map((id) => ({ id, ...model })) });
  });

  test('P-OA-1 lists what the tenant configures, in every mode', async () => {
    const list = { models: ['mine'] };
    for (const fields of [
      { mode: 'openai', url: at('broken'), ...list },
      { mode: 'webhook', url: at('hook'), ...list },
      { mode: 'demo', ...list },
    ])
      expect(await idsOf(await userOf(fields))).toEqual(['mine']);
    expect(await idsOf(await userOf({ mode: 'demo' }))).toEqual(['starwire-demo']);
    expect(await idsOf(await userOf({ mode: 'webhook', url: at('hook') }))).toEqual(['starwire']);
  });

  test('P-OA-1 else what the upstream itself offers, asked with the tenant’s key, and not every time', async () => {
    const person = await userOf({ mode: 'openai', url: at('good'), api_key: 'sk-of-tenant' });
    const { body } = await models(person);
    expect(body.data).toEqual([
      { id: 'b', object: 'model', created: 7, owned_by: 'upstream' },
      { id: 'a', object: 'model', created: 0, owned_by: 'upstream' },
    ]);
    expect(askedLast()).toEqual({ path: '/good/models', authorization: 'Bearer sk-of-tenant' });
    const { length } = asked;
    expect((await models(person)).body).toEqual(body);
    expect(asked).toHaveLength(length);
  });

  test.each(['broken', 'moved', 'strange', 'huge'])(
    'P-OA-4 an upstream whose list is %s is told as such, or gives the one model that is asked for',
    async (path) => {
      expect(await models(await userOf({ mode: 'openai', url: at(path) }))).toMatchObject({
        status: 502,
        body: { error: { code: 'upstream_unreachable', type: 'server_error', param: null } },
      });
      expect(await idsOf(await userOf({ mode: 'openai', url: at(path), model: 'the-one' }))).toEqual([
        'the-one',
      ]);
    },
  );
});

describe('P-OA-2 the model of a request', () => {
  test('P-OA-2 is the upstream’s name for it, and the client hears its own', async () => {
    const person = await world.person();
    expect(await complete(person, 'large')).toMatchObject({ status: 200, body: { model: 'large' } });
    expect(askedLast()).toMatchObject({ path: '/usual/chat/completions', model: 'vendor/large-2' });
    expect(await complete(person, 'small')).toMatchObject({ status: 200, body: { model: 'small' } });
    expect(askedLast()).toMatchObject({ model: 'small' });
    expect((await complete(person)).status).toBe(200);
    expect(askedLast()).toMatchObject({ model: 'small' });
  });

  test('P-OA-4 is refused where it is not on the list, before anything is asked', async () => {
    const { length } = asked;
    for (const model of ['vendor/large-2', 'medium', 'toString'])
      expect(await complete(await world.person(), model)).toMatchObject({
        status: 404,
        body: { error: { type: 'invalid_request_error', param: 'model', code: 'model_not_found' } },
      });
    expect(asked).toHaveLength(length);
  });

  test('P-OA-2 passes as it is where there is no list', async () => {
    const person = await userOf({ mode: 'openai', url: at('good') });
    expect((await complete(person, 'whatever/it:is')).status).toBe(200);
    expect(askedLast()).toMatchObject({ path: '/good/chat/completions', model: 'whatever/it:is' });
  });

  test('P-BR-1 of a message is the one that is configured, by the upstream’s name', async () => {
    const list = { models: ['first', { id: 'second', upstream: 'vendor/second' }] };
    for (const [fields, model] of [
      [{ ...list, model: 'second' }, 'vendor/second'],
      [list, 'first'],
      [{ model: 'only' }, 'only'],
    ] as const) {
      const client = await world.connect(await userOf({ mode: 'openai', url: at('good'), ...fields }));
      const turn = await world.turn(client);
      await client.frame('turn', (frame) => frame.turn === turn && frame.status === 'completed');
      expect(askedLast()).toMatchObject({ model });
    }
  });
});
