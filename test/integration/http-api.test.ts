import { describe, expect, test } from 'vitest';
import type { SendResult } from '../../src/protocol/client-frames.ts';
import { type Person, refused, useWorld } from './world.ts';

const world = useWorld({ env: { ALLOWED_ORIGINS: 'https://chat.example.com' } });

const message = (client_id: string, fields: object = {}) => ({ client_id, text: 'silent', ...fields });
const send = (person: Person, body: unknown) => world().as<SendResult>(person, '/api/messages', { body });

test('GET /healthz needs nobody and touches nothing', async () => {
  expect(await world().http('/healthz')).toMatchObject({
    status: 200,
    body: { ok: true, version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
  });
});

test.each(['/api/me', '/api/conversations', '/api/nothing', '/v1/models', '/healthz', '/internal/users'])(
  '%s: what is said to one client is kept by no cache, and is of no other type than it says',
  async (path) => {
    const { headers } = await world().as(await world().person(), path);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  },
);

describe('GET /api/me', () => {
  test('says who the token is, and the limits', async () => {
    const person = await world().person({
      name: 'Ada',
      picture: 'https://example.com/a.png',
      tenant: 'acme',
    });
    const { status, body } = await world().as(person, '/api/me');
    expect(status).toBe(200);
    expect(body).toEqual({
      user: { id: person.id, name: 'Ada', avatar: 'https://example.com/a.png', tenant: 'acme' },
      limits: expect.objectContaining({ message_text: 32_768, sessions_per_user: 50 }),
    });
  });

  test('calls somebody without a name by the id', async () => {
    const person = await world().person();
    const { body } = await world().as(person, '/api/me');
    expect(body).toMatchObject({ user: { id: person.id, name: person.id, avatar: '', tenant: 'default' } });
  });
});

describe('POST /api/messages', () => {
  test('is taken with 202 and shown to the tabs', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const { status, body } = await send(person, message('c1', { conversation: 'work' }));
    expect(status).toBe(202);
    expect(body).toEqual({
      id: expect.stringMatching(/^msg_/),
      seq: 1,
      conversation: 'work',
      turn: expect.stringMatching(/^turn_/),
      duplicate: false,
    });
    expect(await client.frame('message')).toMatchObject({ id: body.id, turn: body.turn, client_id: 'c1' });
    expect(client.all('ack')).toEqual([]);
  });

  test('P-WS-5 counts once, also where the repetitions come at once', async () => {
    const person = await world().person();
    const replies = await Promise.all(Array.from({ length: 8 }, () => send(person, message('same'))));
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 202));
    expect(replies.filter(({ body }) => !body.duplicate)).toHaveLength(1);
    expect(new Set(replies.map(({ body: { id, turn, seq } }) => `${id} ${turn} ${seq}`)).size).toBe(1);
  });

  test('P-WS-5 other content is idempotency_mismatch', async () => {
    const person = await world().person();
    await send(person, message('same'));
    expect(await send(person, message('same', { text: 'silent!' }))).toMatchObject(
      refused(422, 'idempotency_mismatch', 'client_id'),
    );
  });

  test('works with an API key as well', async () => {
    const person = await world().person();
    const created = await world().internal<{ api_key: string }>('/api-keys', { body: { user: person.id } });
    expect(await send({ ...person, token: created.body.api_key }, message('k'))).toMatchObject({
      status: 202,
      body: { duplicate: false },
    });
  });
});

describe('POST /api/actions', () => {
  test('presses a button once', async () => {
    const person = await world().person();
    const buttons = [{ label: 'Go', custom_id: 'go' }];
    const { body } = await world().outbound({
      channel: person.channel,
      kind: 'message',
      text: 'Ready?',
      buttons,
    });
    const press = (client_id: string, custom_id = 'go') =>
      world().as(person, '/api/actions', { body: { client_id, message: body.results[0]?.id, custom_id } });
    expect(await press('a')).toMatchObject({
      status: 202,
      body: { duplicate: false, turn: expect.any(String) },
    });
    expect(await press('a')).toMatchObject({ status: 202, body: { duplicate: true } });
    expect(await press('b')).toMatchObject(refused(409, 'already_answered'));
    expect(await press('c', 'stop')).toMatchObject(refused(404, 'not_found', 'custom_id'));
  });

  test('of somebody else’s message is not_found', async () => {
    const [owner, thief] = [await world().person(), await world().person()];
    const buttons = [{ label: 'Go', custom_id: 'go' }];
    const { body } = await world().outbound({
      channel: owner.channel,
      kind: 'message',
      text: 'Ready?',
      buttons,
    });
    const press = { client_id: 'a', message: body.results[0]?.id, custom_id: 'go' };
    expect(await world().as(thief, '/api/actions', { body: press })).toMatchObject(
      refused(404, 'not_found', 'message'),
    );
  });
});

describe('POST /api/prompts/{prompt}/answer', () => {
  const ask = async (person: Person, fields: object) => {
    const { channel } = person;
    const { body } = await world().outbound({ channel, kind: 'prompt', question: 'Well?', ...fields });
    return body.results[0]?.id ?? expect.fail('no prompt');
  };
  const answer = (person: Person, prompt: string, client_id: string, value: unknown) =>
    world().as(person, `/api/prompts/${prompt}/answer`, { body: { client_id, value } });

  test('the first valid one counts', async () => {
    const person = await world().person();
    const prompt = await ask(person, { choices: ['tea', 'coffee'] });
    expect(await answer(person, prompt, 'a', 'water')).toMatchObject(refused(400, 'bad_request', 'value'));
    expect(await answer(person, prompt, 'b', 'tea')).toMatchObject({
      status: 202,
      body: { id: prompt, duplicate: false },
    });
    expect(await answer(person, prompt, 'b', 'tea')).toMatchObject({
      status: 202,
      body: { duplicate: true },
    });
    expect(await answer(person, prompt, 'c', 'coffee')).toMatchObject(refused(409, 'already_answered'));
    expect(await answer(person, 'prompt_none', 'd', 1)).toMatchObject(refused(404, 'not_found', 'prompt'));
  });

  test('each kind is checked', async () => {
    const person = await world().person();
    const schema = {
      type: 'object',
      required: ['name', 'guests'],
      properties: { name: { type: 'string' }, guests: { type: 'integer' }, place: { enum: ['in', 'out'] } },
    };
    const cases: [object, unknown[], unknown][] = [
      [{}, [7, null, undefined, { a: 1 }], 'any text'],
      [{ prompt_kind: 'approval' }, ['perhaps', 1, null], true],
      [{ prompt_kind: 'approval', choices: ['once', 'always'] }, [true, 'deny'], 'once'],
      [
        { schema },
        [
          'text',
          [],
          {},
          { name: 'Ada' },
          { name: 7, guests: 2 },
          { name: 'A', guests: 2.5 },
          { name: 'A', guests: 2, place: 'up' },
        ],
        { name: 'Ada', guests: 2, place: 'in' },
      ],
    ];
    for (const [fields, wrong, right] of cases) {
      const prompt = await ask(person, fields);
      for (const [n, value] of wrong.entries())
        expect(await answer(person, prompt, `${prompt}${n}`.slice(-60), value)).toMatchObject(
          refused(400, 'bad_request', 'value'),
        );
      expect(await answer(person, prompt, prompt.slice(0, 60), right)).toMatchObject({ status: 202 });
    }
  });

  test('goes to the turn that asked', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    const prompt = await ask(person, { turn });
    expect(await answer(person, prompt, 'a', 'yes')).toMatchObject({ status: 202, body: { turn } });
  });
});

describe('P-WS-11 POST /api/turns/{turn}/cancel', () => {
  const cancel = (person: Person, turn: string) =>
    world().as(person, `/api/turns/${turn}/cancel`, { method: 'POST' });

  test('202, then 410 turn_finished', async () => {
    const person = await world().person();
    const turn = await world().turnByHttp(person);
    expect(await cancel(person, turn)).toMatchObject({ status: 202, body: { turn, status: 'cancelled' } });
    expect(await cancel(person, turn)).toMatchObject(refused(410, 'turn_finished'));
    expect((await world().internal(`/turns/${turn}`)).body).toMatchObject({ status: 'cancelled' });
  });

  test('404 for an unknown one and for somebody else’s', async () => {
    const [owner, thief] = [await world().person(), await world().person()];
    const turn = await world().turnByHttp(owner);
    expect(await cancel(thief, turn)).toMatchObject(refused(404, 'not_found'));
    expect(await cancel(owner, 'turn_none')).toMatchObject(refused(404, 'not_found'));
    expect((await world().internal(`/turns/${turn}`)).body).not.toMatchObject({ status: 'cancelled' });
  });
});

describe('pages on other origins', () => {
  const listed = 'https://chat.example.com';

  test('a listed one may read, and is allowed before it asks', async () => {
    const person = await world().person();
    const { headers } = await world().as(person, '/api/me', { headers: { origin: listed } });
    expect(headers.get('access-control-allow-origin')).toBe(listed);
    const preflight = await world().http('/api/messages', {
      method: 'OPTIONS',
      headers: { origin: listed, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(listed);
  });

  test('any other one may not', async () => {
    const person = await world().person();
    for (const origin of ['https://evil.example', 'null', `${listed}.evil.example`]) {
      const { headers } = await world().as(person, '/api/me', { headers: { origin } });
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});
