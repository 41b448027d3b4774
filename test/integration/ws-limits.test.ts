import { describe, expect, test } from 'vitest';
import { useWorld } from './world.ts';

const limits = {
  sessions_per_user: 3,
  messages_burst: 4,
  messages_per_minute: 1,
  refusals_per_minute: 3,
  open_turns: 2,
  message_text: 100,
  reply_text: 1_000,
  frame_bytes: 2_048,
  turn_silence_ms: 300,
  unseen_bytes: 10_000,
};
const world = useWorld({ env: { LIMITS: JSON.stringify(limits) } });

describe('limits are settable, told, and kept', () => {
  test('welcome and GET /api/me tell them', async () => {
    const person = await world().person();
    const { sessions_per_user, message_text, frame_bytes, open_turns } = limits;
    const told = { sessions_per_user, message_text, frame_bytes, open_turns };
    expect((await world().connect(person)).all('welcome')[0]?.limits).toMatchObject(told);
    expect((await world().as(person, '/api/me')).body).toMatchObject({ limits: told });
  });

  test('one session too many is told and closed with 4014; a place that is free again is taken', async () => {
    const person = await world().person();
    const tabs = [];
    for (let n = 0; n < 3; n++) tabs.push(await world().connect(person));
    const extra = await world().open(person);
    expect((await extra.closed).code).toBe(4014);
    expect(extra.frames).toMatchObject([{ type: 'error', code: 'rate_limited' }]);
    const { body } = await world().internal(`/users/${person.id}`);
    expect(body).toMatchObject({ sessions: [{}, {}, {}] });

    const gone = await tabs[0]?.close();
    expect(gone?.code).toBe(1000);
    const next = await world().connect(person);
    await next.close();
  });

  test('messages over the rate are refused one by one with a time to wait; after too many: 4008', async () => {
    const client = await world().connect(await world().person());
    const send = (n: number) => client.send({ type: 'message', client_id: `m${n}`, text: 'silent' });
    for (let n = 0; n < 4; n++) {
      send(n);
      const { turn } = await client.frame('ack', ({ client_id }) => client_id === `m${n}`);
      client.send({ type: 'cancel', turn });
      await client.frame('turn', (frame) => frame.turn === turn && frame.status === 'cancelled');
    }
    send(0);
    expect(await client.frame('ack', ({ duplicate }) => duplicate)).toMatchObject({ client_id: 'm0' });
    for (let n = 4; n < 6; n++) {
      send(n);
      const error = await client.frame('error', ({ client_id }) => client_id === `m${n}`);
      expect(error).toMatchObject({ code: 'rate_limited', retryable: true });
      expect(error.retry_after).toBeGreaterThan(30);
    }
    send(6);
    expect((await client.closed).code).toBe(4008);
    expect(client.all('message')).toHaveLength(4);
  });

  test('the rate is the user’s, whichever way messages come; over HTTP it is 429 with Retry-After', async () => {
    const person = await world().person();
    const send = (n: number) =>
      world().as(person, '/api/messages', { body: { client_id: `m${n}`, text: 'help' } });
    for (let n = 0; n < 4; n++) {
      const { status, body } = await send(n);
      expect(status).toBe(202);
      const { turn } = body as { turn: string };
      await world().as(person, `/api/turns/${turn}/cancel`, { method: 'POST' });
    }
    const { status, headers, body } = await send(4);
    expect([status, body]).toEqual([
      429,
      { error: expect.objectContaining({ code: 'rate_limited', retryable: true }) },
    ]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(30);
  });

  test('one open turn too many is rate_limited, and nothing is stored of it', async () => {
    const person = await world().person();
    const { channel } = person;
    await world().outbound([
      { channel, kind: 'turn' },
      { channel, kind: 'turn' },
    ]);
    const refusal = { error: { code: 'rate_limited' } };
    expect(await world().outbound({ channel, kind: 'turn' })).toMatchObject({ status: 429, body: refusal });
    const message = { body: { client_id: 'c', text: 'silent' } };
    expect(await world().as(person, '/api/messages', message)).toMatchObject({ status: 429, body: refusal });
    const history = await world().as(person, '/api/conversations/default/messages');
    expect(history.body).toEqual({ messages: [], next: null });
  });

  test('a frame over the limit closes 1009, a text over it is too_large', async () => {
    const client = await world().connect(await world().person());
    client.send({ type: 'message', client_id: 'c', text: 'x'.repeat(101) });
    expect(await client.frame('error')).toMatchObject({ code: 'too_large', field: 'text', client_id: 'c' });
    client.send({ type: 'message', client_id: 'c', text: 'x'.repeat(2_048) });
    expect((await client.closed).code).toBe(1009);
  });

  test('a reply over the limit fails its turn and keeps what fits', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const turn = await world().turn(client);
    const event = { channel: person.channel, turn, kind: 'chunk' };
    await world().outbound([
      { ...event, text: 'x'.repeat(990) },
      { ...event, text: 'y'.repeat(20) },
    ]);
    const end = await client.frame('turn', ({ status }) => status === 'failed');
    expect(end.error).toMatchObject({ type: 'too_large' });
    const message = await client.frame('message', ({ id }) => id === end.message);
    expect(message).toMatchObject({ text: 'x'.repeat(990) + 'y'.repeat(10), partial: true });
  });

  test('P-WS-14 a client that has seen too little is closed 4013, and resumes by cursor', async () => {
    const person = await world().person();
    const { channel } = person;
    const [slow, quick] = [await world().connect(person), await world().connect(person)];
    slow.send({ type: 'seen', seq: 0 });
    await slow.settled();
    const text = 'x'.repeat(900);
    for (let n = 0; n < 14; n++) await world().outbound({ channel, kind: 'message', text });
    expect((await slow.closed).code).toBe(4013);
    await quick.until(() => quick.all('message').length === 14 || undefined);
    const again = await world().reconnect(person, slow);
    const seqs = [...slow.durable(), ...again.durable()].map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 14 }, (_, n) => n + 1));
  });

  test('silence after the upstream accepted ends the turn as expired, its text kept', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const turn = await world().turn(client);
    await world().outbound({ channel: person.channel, turn, kind: 'chunk', text: 'and then' });
    const end = await client.frame('turn', ({ status }) => status === 'expired');
    expect(end.error).toMatchObject({ type: 'upstream_silent' });
    expect(await client.frame('message', ({ id }) => id === end.message)).toMatchObject({
      text: 'and then',
      partial: true,
    });
  });
});
