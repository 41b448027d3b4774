import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeUpstream, verify } from './fake-upstream.ts';
import { startServer } from './server.ts';
import { refused, World } from './world.ts';

/** Upstreams of tenants: each has its own service, and the one of the variables serves all others. */

const secretOf = () => `whsec_${randomBytes(32).toString('base64')}`;
const name = () => `t-${randomUUID()}`;

let common: FakeUpstream;
let acme: FakeUpstream;
let globex: FakeUpstream;
let world: World;

beforeAll(async () => {
  [common, acme, globex] = await Promise.all([
    FakeUpstream.start(),
    FakeUpstream.start(),
    FakeUpstream.start(),
  ]);
  world = new World(await startServer({ env: common.env }));
});
afterAll(async () => {
  await world?.server.stop();
  await Promise.all([common, acme, globex].map((one) => one?.stop()));
});

interface View {
  tenant: string;
  name: string;
  updated_at: number;
  upstream: { mode: string; url?: string; api_key_set: boolean; webhook_secrets_set: boolean };
  webhook_secret?: string;
}

const put = (tenant: string, upstream: object, more: object = {}) =>
  world.internal<View>(`/tenants/${tenant}`, { method: 'PUT', body: { upstream, ...more } });
const webhookAt = ({ url }: FakeUpstream, fields: object = {}) => ({ mode: 'webhook', url, ...fields });

/** A tenant whose service is there, and the secret of it. */
async function tenantAt(upstream: FakeUpstream): Promise<{ tenant: string; secret: string }> {
  const tenant = name();
  const secret = secretOf();
  const { status } = await put(tenant, webhookAt(upstream, { webhook_secrets: [secret] }));
  expect(status).toBe(201);
  return { tenant, secret };
}

/** Asks as a user of a tenant, and gives the turn. */
async function ask(tenant: string, text: string) {
  const person = await world.person({ tenant });
  const client = await world.connect(person);
  return { person, client, turn: await world.turn(client, { text }) };
}

describe('messages of a tenant', () => {
  test('go to its own service alone, signed by its own secret; those of others to that of the variables', async () => {
    const [one, two] = [await tenantAt(acme), await tenantAt(globex)];
    const word = randomUUID();
    const turns = {
      one: (await ask(one.tenant, word)).turn,
      two: (await ask(two.tenant, word)).turn,
      none: (await ask(name(), word)).turn,
      usual: (await ask('default', word)).turn,
    };
    const [ofOne] = await acme.of(turns.one);
    const [ofTwo] = await globex.of(turns.two);
    const [ofNone] = await common.of(turns.none);
    const [usual] = await common.of(turns.usual);
    if (!ofOne || !ofTwo || !ofNone || !usual) return expect.fail('something was not delivered');
    verify(one.secret, ofOne);
    verify(two.secret, ofTwo);
    for (const delivered of [ofNone, usual]) verify(world.server.secrets.UPSTREAM_WEBHOOK_SECRET, delivered);
    expect(() => verify(one.secret, ofTwo)).toThrow();
    const turnsOf = ({ deliveries }: FakeUpstream) =>
      deliveries.filter(({ body }) => body.text === word).map(({ body }) => body.turn);
    expect(turnsOf(acme)).toEqual([turns.one]);
    expect(turnsOf(globex)).toEqual([turns.two]);
    expect(turnsOf(common)).toEqual([turns.none, turns.usual]);
  });

  test('of /v1 go to its own service as well', async () => {
    const { tenant } = await tenantAt(acme);
    const { token } = await world.person({ tenant });
    acme.answer = ({ body, response }) =>
      body.type === 'completion'
        ? response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(JSON.stringify({ events: [{ kind: 'done', text: `heard ${body.text}` }] }))
        : response.end();
    const body = { model: 'any', messages: [{ role: 'user', content: 'by the API' }] };
    expect(await world.as({ token }, '/v1/chat/completions', { body })).toMatchObject({
      status: 200,
      body: { choices: [{ message: { content: 'heard by the API' } }] },
    });
    expect(common.deliveries.filter(({ body }) => body.text === 'by the API')).toEqual([]);
  });

  test('are answered by it in its own channels only: another tenant’s are not touched', async () => {
    const { tenant } = await tenantAt(acme);
    const victim = await world.person({ tenant: (await tenantAt(globex)).tenant });
    const events = [
      { kind: 'message', tenant: victim.tenant, channel: victim.channel, text: 'forged' },
      { kind: 'done', text: 'the answer' },
    ];
    acme.answer = ({ response }) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ events }));
    const { client, turn } = await ask(tenant, 'say something to somebody else');
    await client.frame('turn', (frame) => frame.turn === turn && frame.status === 'completed');
    acme.answer = ({ response }) => response.end();
    expect(client.all('message').at(-1)?.text).toBe('the answer');
    expect((await world.connect(victim)).all('message')).toEqual([]);
  });

  test('are answered by it in no stream of another tenant either, whatever id it knows', async () => {
    const { tenant } = await tenantAt(acme);
    const [victim, own] = [
      await world.person({ tenant: (await tenantAt(globex)).tenant }),
      await world.person({ tenant }),
    ];
    const streamOf = async ({ token }: { token: string }, content: string) => {
      const response = await fetch(`${world.origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ stream: true, messages: [{ role: 'user', content }] }),
      });
      return { response, id: response.headers.get('x-request-id') ?? '' };
    };
    const [theirs, mine] = [await streamOf(victim, 'theirs'), await streamOf(own, 'mine')];
    const events = [
      ...[theirs, mine].map(({ id }) => ({ kind: 'chunk', channel: `sse:${id}`, text: `from ${tenant}` })),
      { kind: 'done', channel: `sse:${mine.id}` },
      { kind: 'done', text: 'the answer' },
    ];
    acme.answer = ({ response }) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ events }));
    const { client, turn } = await ask(tenant, 'say something into two streams');
    await client.frame('turn', (frame) => frame.turn === turn && frame.status === 'completed');
    acme.answer = ({ response }) => response.end();
    expect(await mine.response.text()).toContain(`from ${tenant}`);
    await world.outbound({ channel: `sse:${theirs.id}`, kind: 'done', text: 'their own' });
    const told = await theirs.response.text();
    expect(told).toContain('their own');
    expect(told).not.toContain(`from ${tenant}`);
  });

  test('go to the new service once it has changed, without a restart; a turn stays where it began', async () => {
    const { tenant } = await tenantAt(acme);
    const begun = await ask(tenant, 'before');
    await acme.of(begun.turn);
    expect((await put(tenant, webhookAt(globex))).status).toBe(200);
    const later = await ask(tenant, 'after');
    await globex.of(later.turn);
    begun.client.send({ type: 'cancel', turn: begun.turn });
    const [, cancel] = await acme.of(begun.turn, 2);
    expect(cancel?.body).toMatchObject({ type: 'cancel', tenant });
    expect(globex.deliveries.filter(({ body }) => body.turn === begun.turn)).toEqual([]);
    expect(await world.internal(`/tenants/${tenant}`, { method: 'DELETE' })).toMatchObject({ status: 204 });
    await common.of((await ask(tenant, 'without one of its own')).turn);
  });

  test('P-WS-15 follow each other as their own upstream takes them, whatever that of the variables is', async () => {
    const tenant = name();
    expect((await put(tenant, { mode: 'demo' })).status).toBe(201);
    const { client, turn } = await ask(tenant, 'hello');
    const next = await world.turn(client, { text: 'hello' });
    await client.frame('turn', (frame) => frame.turn === next && frame.status === 'completed');
    const lives = client.all('turn').filter(({ status }) => status !== 'queued');
    expect(lives.map((frame) => [frame.turn, frame.status])).toEqual([
      [turn, 'running'],
      [turn, 'completed'],
      [next, 'running'],
      [next, 'completed'],
    ]);
  });
});

describe('/internal/tenants', () => {
  test('keeps a tenant, shows it without its secrets, and forgets it', async () => {
    const tenant = name();
    const api_key = `sk-${randomUUID()}`;
    const upstream = {
      ...{ mode: 'openai', url: 'https://llm.example.com/v1', api_key, model: 'large' },
      models: ['small', { id: 'large', upstream: 'vendor/large-2' }],
    };
    const made = await put(tenant, upstream, { name: 'Acme Ltd' });
    const shown = {
      ...{ tenant, name: 'Acme Ltd', updated_at: expect.any(Number) },
      upstream: {
        ...{ mode: 'openai', url: 'https://llm.example.com/v1', model: 'large' },
        models: [{ id: 'small' }, { id: 'large', upstream: 'vendor/large-2' }],
        ...{ api_key_set: true, webhook_secrets_set: false },
      },
    };
    expect(made).toMatchObject({ status: 201, body: shown });
    const [one, list] = [
      await world.internal<View>(`/tenants/${tenant}`),
      await world.internal<{ tenants: View[] }>('/tenants'),
    ];
    expect(one.body).toEqual(shown);
    expect(list.body.tenants.find((each) => each.tenant === tenant)).toEqual(shown);
    for (const { body } of [made, one, list]) expect(JSON.stringify(body)).not.toContain(api_key);
    expect(await world.internal(`/tenants/${tenant}`, { method: 'DELETE' })).toMatchObject({
      status: 204,
      body: '',
    });
    for (const method of ['GET', 'DELETE'])
      expect(await world.internal(`/tenants/${tenant}`, { method })).toMatchObject(refused(404, 'not_found'));
  });

  test('keeps secrets nowhere in the state of the server but sealed', async () => {
    const secret = secretOf();
    const label = `a name that is stored ${randomUUID()}`;
    await put(name(), webhookAt(acme, { webhook_secrets: [secret] }), { name: label });
    const files = await readdir(join(world.server.state, 'storage'), {
      recursive: true,
      withFileTypes: true,
    });
    const contents = await Promise.all(
      files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name))),
    );
    expect(contents.some((bytes) => bytes.includes(label))).toBe(true);
    expect(contents.some((bytes) => bytes.includes(secret))).toBe(false);
  });

  test('makes a webhook secret where none is given, shows it once, and replaces it on request', async () => {
    const tenant = name();
    const { body } = await put(tenant, webhookAt(acme));
    const first = body.webhook_secret ?? expect.fail('no secret was made');
    expect((await put(tenant, webhookAt(acme))).body).not.toHaveProperty('webhook_secret');
    const [before] = await acme.of((await ask(tenant, 'first secret')).turn);
    verify(first, before ?? expect.fail('nothing came'));

    const rotated = await world.internal<{ webhook_secret: string }>(`/tenants/${tenant}/webhook-secret`, {
      method: 'POST',
    });
    expect(rotated.status).toBe(201);
    const second = rotated.body.webhook_secret;
    expect(second).not.toBe(first);
    const [during] = await acme.of((await ask(tenant, 'both secrets')).turn);
    for (const secret of [first, second]) verify(secret, during ?? expect.fail('nothing came'));

    await put(tenant, webhookAt(acme, { webhook_secrets: [second] }));
    const [after] = await acme.of((await ask(tenant, 'second secret')).turn);
    verify(second, after ?? expect.fail('nothing came'));
    expect(() => verify(first, after ?? expect.fail('nothing came'))).toThrow();
  });

  test('keeps a secret that is not given again for the same origin only', async () => {
    const tenant = name();
    const url = 'https://llm.example.com/v1';
    const keyIsSet = async (upstream: object) => {
      const { status, body } = await put(tenant, { mode: 'openai', ...upstream });
      expect(status).toBeLessThan(300);
      return body.upstream.api_key_set;
    };
    expect(await keyIsSet({ url, api_key: 'sk-one' })).toBe(true);
    expect(await keyIsSet({ url: `${url}/other` })).toBe(true);
    expect(await keyIsSet({ url: 'https://elsewhere.example.com/v1' })).toBe(false);
    expect(await keyIsSet({ url: 'https://elsewhere.example.com/v1', api_key: 'sk-two' })).toBe(true);
    expect(await keyIsSet({ url: 'https://elsewhere.example.com/v1', api_key: null })).toBe(false);
  });

  const url = 'https://example.com/hook';
  const wrong: [string, unknown, string | undefined][] = [
    ['no upstream', {}, 'upstream'],
    ['no mode', { upstream: { url } }, 'upstream.mode'],
    ['an unknown mode', { upstream: { mode: 'telepathy' } }, 'upstream.mode'],
    ['no url', { upstream: { mode: 'webhook' } }, 'upstream.url'],
    ['a url that is none', { upstream: { mode: 'webhook', url: 'here' } }, 'upstream.url'],
    [
      'a url with credentials',
      { upstream: { mode: 'webhook', url: 'https://a:b@example.com' } },
      'upstream.url',
    ],
    ['http to elsewhere', { upstream: { mode: 'webhook', url: 'http://example.com' } }, 'upstream.url'],
    ['a base with a query', { upstream: { mode: 'openai', url: `${url}?a=b` } }, 'upstream.url'],
    ['a field of another mode', { upstream: { mode: 'demo', url } }, 'upstream.url'],
    ['a key that is no header', { upstream: { mode: 'openai', url, api_key: 'a\r\nb' } }, 'upstream.api_key'],
    [
      'a short secret',
      { upstream: { mode: 'webhook', url, webhook_secrets: ['canary-secret'] } },
      'upstream.webhook_secrets.0',
    ],
    [
      'a secret without a list',
      { upstream: { mode: 'webhook', url, webhook_secrets: 'canary-secret' } },
      'upstream.webhook_secrets',
    ],
    ['a model twice', { upstream: { mode: 'demo', models: ['a', { id: 'a' }] } }, 'upstream.models'],
    ['a model without a name', { upstream: { mode: 'demo', models: [''] } }, undefined],
    ['an unknown field', { upstream: { mode: 'demo' }, limits: {} }, 'limits'],
    ['no JSON', '{', undefined],
  ];
  test.each(wrong)('refuses %s, and stores nothing', async (_, body, field) => {
    const tenant = name();
    const reply = await world.internal(`/tenants/${tenant}`, { method: 'PUT', body });
    expect(reply).toMatchObject(refused(400, 'bad_request', field));
    expect(JSON.stringify(reply.body)).not.toContain('canary-secret');
    expect((await world.internal(`/tenants/${tenant}`)).status).toBe(404);
  });

  test('takes no name that is none, and not the tenant of the variables', async () => {
    for (const tenant of ['default', 'UPPER', '.hidden', 'a'.repeat(64)])
      expect(await put(tenant, { mode: 'demo' })).toMatchObject({ status: 400 });
  });

  test('is the operator’s: without the internal token it is closed', async () => {
    const tenant = name();
    const person = await world.person({ tenant, roles: ['admin'] });
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/reseal'],
      ['GET', `/${tenant}`],
      ['PUT', `/${tenant}`],
      ['DELETE', `/${tenant}`],
      ['POST', `/${tenant}/webhook-secret`],
    ] as const) {
      const reply = await world.as(person, `/internal/tenants${path}`, { method });
      expect(reply).toMatchObject(refused(401, 'unauthorized'));
    }
  });
});

describe('ENCRYPTION_KEY', () => {
  const key = () => randomBytes(32).toString('base64');

  test('is replaced by two starts: with both keys, and after sealing anew with the new one alone', async () => {
    const state = await mkdtemp(join(tmpdir(), 'starwire-'));
    const [old, fresh] = [key(), key()];
    const secret = secretOf();
    const tenant = name();
    /** Starts with these keys, and says whether the tenant's message still comes, signed as ever. */
    const during = async (ENCRYPTION_KEY: string, work: (on: World) => Promise<void>) => {
      const on = new World(await startServer({ state, env: { ...common.env, ENCRYPTION_KEY } }));
      try {
        await work(on);
      } finally {
        await on.server.stop();
      }
    };
    const turnOf = async (on: World) => {
      const client = await on.connect(await on.person({ tenant }));
      return { client, turn: await on.turn(client) };
    };
    const delivered = async (on: World) => {
      const [came] = await acme.of((await turnOf(on)).turn);
      verify(secret, came ?? expect.fail('nothing came'));
    };
    try {
      await during(old, async (on) => {
        const upstream = webhookAt(acme, { webhook_secrets: [secret] });
        await on.internal(`/tenants/${tenant}`, { method: 'PUT', body: { upstream } });
        await delivered(on);
      });
      await during(`${fresh},${old}`, async (on) => {
        await delivered(on);
        const resealed = await on.internal('/tenants/reseal', { method: 'POST' });
        expect(resealed).toMatchObject({ status: 200, body: { resealed: 1, next: null } });
      });
      await during(fresh, delivered);
      await during(old, async (on) => {
        const { client, turn } = await turnOf(on);
        const failed = await client.frame('turn', (one) => one.turn === turn && one.status === 'failed');
        expect(failed.error).toMatchObject({ type: 'upstream_not_configured' });
        expect(on.server.output()).toContain('ENCRYPTION_KEY');
        expect(acme.deliveries.filter(({ body }) => body.turn === turn)).toEqual([]);
        const upstream = webhookAt(acme);
        const put = (fields: object) =>
          on.internal(`/tenants/${tenant}`, {
            method: 'PUT',
            body: { upstream: { ...upstream, ...fields } },
          });
        expect(await put({})).toMatchObject(refused(503, 'upstream_not_configured'));
        expect(await put({ webhook_secrets: [secret] })).toMatchObject({ status: 200 });
        await delivered(on);
      });
    } finally {
      await rm(state, { recursive: true, force: true });
    }
  });

  test('is named where it is missing and a secret is to be stored; without a secret none is needed', async () => {
    const on = new World(await startServer({ env: { ENCRYPTION_KEY: '', DEV_AUTH: '' } }));
    try {
      const ask = (upstream: object) =>
        on.internal(`/tenants/${name()}`, { method: 'PUT', body: { upstream } });
      const url = 'https://example.com/v1';
      expect(await ask({ mode: 'openai', url })).toMatchObject({ status: 201 });
      // Nor is this a development: what is on this machine is not for tenants.
      expect(await ask(webhookAt(acme))).toMatchObject(refused(400, 'bad_request', 'upstream.url'));
      for (const upstream of [
        { mode: 'openai', url, api_key: 'sk-one' },
        { mode: 'webhook', url },
      ])
        expect(await ask(upstream)).toMatchObject({
          status: 503,
          body: {
            error: { code: 'upstream_not_configured', message: expect.stringContaining('ENCRYPTION_KEY') },
          },
        });
    } finally {
      await on.server.stop();
    }
  });
});
