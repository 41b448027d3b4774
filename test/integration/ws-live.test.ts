import { describe, expect, test } from 'vitest';
import { useWorld } from './world.ts';

const world = useWorld();

describe('P-WS-4 fan-out', () => {
  test('every durable frame and every chunk reaches all tabs in one order; only the ack is the sender’s', async () => {
    const person = await world().person();
    const [sender, other, third] = [
      await world().connect(person),
      await world().connect(person),
      await world().connect(person),
    ];
    const turn = await world().turn(sender);
    const { channel } = person;
    for (const event of [
      { kind: 'chunk', turn, text: 'thinking', reasoning: true },
      { kind: 'chunk', turn, text: 'Hel' },
      { kind: 'tool', turn, tool: 't1', name: 'look', status: 'running' },
      { kind: 'chunk', turn, text: 'lo' },
      { kind: 'typing', active: true },
      { kind: 'done', turn },
    ])
      expect((await world().outbound({ channel, ...event })).body.results).toMatchObject([
        { delivered: true },
      ]);

    const seen = async (client: typeof sender) => {
      await client.frame('turn', ({ status }) => status === 'completed');
      return client.raw.filter((text) => !/^\{"type":"(?:welcome|ready|ack)"/.test(text));
    };
    const order = await seen(sender);
    expect(await seen(other)).toEqual(order);
    expect(await seen(third)).toEqual(order);
    expect(order.map((text) => JSON.parse(text).type)).toEqual([
      'message',
      'turn',
      'turn',
      'chunk',
      'chunk',
      'tool',
      'chunk',
      'typing',
      'message',
      'turn',
    ]);
    expect(sender.all('ack')).toHaveLength(1);
    expect(other.all('ack')).toHaveLength(0);
    expect(sender.durable().map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('the ack comes before the message it is about, and names what it says', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    client.send({ type: 'message', client_id: 'c1', text: 'silent', conversation: 'work' });
    const message = await client.frame('message');
    const [ack] = client.all('ack');
    expect(client.frames.findIndex(({ type }) => type === 'ack')).toBeLessThan(
      client.frames.findIndex(({ type }) => type === 'message'),
    );
    expect(ack).toEqual({
      type: 'ack',
      client_id: 'c1',
      id: message.id,
      seq: message.seq,
      conversation: 'work',
      turn: message.turn,
      duplicate: false,
    });
    expect(message).toMatchObject({
      role: 'user',
      sender: person.id,
      text: 'silent',
      client_id: 'c1',
      conversation: 'work',
    });
    expect(Math.abs(message.timestamp - Date.now() / 1000)).toBeLessThan(60);
  });

  test('a tab that is gone without a word keeps nothing from the others', async () => {
    const person = await world().person();
    const [lost, here] = [await world().connect(person), await world().connect(person)];
    await lost.drop();
    const { body } = await world().outbound({ channel: person.channel, kind: 'message', text: 'hello' });
    expect(body.results).toMatchObject([{ delivered: true }]);
    expect(await here.frame('message')).toMatchObject({ text: 'hello' });
  });

  test('users of the same name in two tenants are two users', async () => {
    const one = await world().person();
    const other = await world().person({ sub: one.id, tenant: 'acme' });
    const [here, there] = [await world().connect(one), await world().connect(other)];
    const event = { channel: one.channel, kind: 'message', text: 'for acme' };
    await world().outbound({ ...event, tenant: 'acme' });
    expect(await there.frame('message')).toMatchObject({ text: 'for acme' });
    await here.settled();
    expect(here.all('message')).toEqual([]);
  });
});

describe('P-WS-5 idempotent sends', () => {
  test('a repeated client_id is acknowledged as a duplicate, from any tab and over HTTP', async () => {
    const person = await world().person();
    const [one, other] = [await world().connect(person), await world().connect(person)];
    const message = { client_id: 'again', text: 'silent' };
    one.send({ type: 'message', ...message });
    const { duplicate, ...first } = await one.frame('ack');
    expect(duplicate).toBe(false);

    one.send({ type: 'message', ...message });
    other.send({ type: 'message', ...message });
    expect(await one.frame('ack', (ack) => ack.duplicate)).toEqual({ ...first, duplicate: true });
    expect(await other.frame('ack', (ack) => ack.duplicate)).toEqual({ ...first, duplicate: true });
    const { type: _, client_id: __, ...result } = first;
    expect(await world().as(person, '/api/messages', { body: message })).toMatchObject({
      status: 202,
      body: { ...result, duplicate: true },
    });
    await one.settled();
    expect(one.all('message')).toHaveLength(1);
    expect(new Set(one.all('turn').map(({ turn }) => turn)).size).toBe(1);
  });

  test('twenty at once make one message and one turn', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    for (let i = 0; i < 20; i++) client.send({ type: 'message', client_id: 'storm', text: 'silent' });
    await client.until(() => client.all('ack').length === 20 || undefined);
    expect(client.all('ack').filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(client.all('ack').map(({ id, seq, turn }) => `${id} ${seq} ${turn}`)).size).toBe(1);
    await client.settled();
    expect(client.all('message')).toHaveLength(1);
  });

  test('other content under the same client_id is idempotency_mismatch, and changes nothing', async () => {
    const client = await world().connect(await world().person());
    client.send({ type: 'message', client_id: 'c', text: 'silent' });
    await client.frame('ack');
    client.send({ type: 'message', client_id: 'c', text: 'silent, but other' });
    expect(await client.frame('error')).toMatchObject({ code: 'idempotency_mismatch', client_id: 'c' });
    client.send({ type: 'message', client_id: 'c', text: 'silent', conversation: 'elsewhere' });
    await client.until(() => client.all('error').length === 2 || undefined);
    expect(client.all('message')).toHaveLength(1);
  });

  test('the same client_id of another user is another message', async () => {
    for (const client of [
      await world().connect(await world().person()),
      await world().connect(await world().person()),
    ]) {
      client.send({ type: 'message', client_id: 'mine', text: 'silent' });
      expect((await client.frame('ack')).duplicate).toBe(false);
    }
  });

  test('two tabs that press one button count once', async () => {
    const person = await world().person();
    const [one, other] = [await world().connect(person), await world().connect(person)];
    const buttons = [
      { label: 'Yes', custom_id: 'yes' },
      { label: 'No', custom_id: 'no' },
    ];
    const { body } = await world().outbound({
      channel: person.channel,
      kind: 'message',
      text: 'Sure?',
      buttons,
    });
    const message = body.results[0]?.id;
    expect(await other.frame('message')).toMatchObject({ id: message, buttons, sender: 'star' });
    one.send({ type: 'action', client_id: 'one', message, custom_id: 'yes' });
    const ack = await one.frame('ack');
    other.send({ type: 'action', client_id: 'other', message, custom_id: 'yes' });
    expect(await other.frame('error')).toMatchObject({ code: 'already_answered', client_id: 'other' });
    const said = await other.frame('message', ({ role }) => role === 'user');
    expect(said).toMatchObject({ text: 'Yes', reply_to: message, custom_id: 'yes', turn: ack.turn });

    one.send({ type: 'action', client_id: 'one', message, custom_id: 'yes' });
    expect(await one.frame('ack', ({ duplicate }) => duplicate)).toMatchObject({ id: said.id });
    one.send({ type: 'action', client_id: 'third', message, custom_id: 'maybe' });
    expect(await one.frame('error')).toMatchObject({ code: 'not_found', field: 'custom_id' });
  });
});

describe('what is not durable', () => {
  test('the bare text ping is answered pong', async () => {
    const client = await world().connect(await world().person());
    await client.ping();
    expect(client.all('error')).toEqual([]);
  });

  test('typing goes to the other tabs, not to its own', async () => {
    const person = await world().person();
    const [one, other] = [await world().connect(person), await world().connect(person)];
    one.send({ type: 'typing', active: true, conversation: 'work' });
    expect(await other.frame('typing')).toEqual({
      type: 'typing',
      active: true,
      sender: person.id,
      conversation: 'work',
    });
    one.send({ type: 'typing', active: false });
    await other.frame('typing', ({ active }) => !active);
    await one.settled();
    expect(one.all('typing')).toEqual([]);
  });

  test('seen needs no answer', async () => {
    const client = await world().connect(await world().person());
    client.send({ type: 'seen', seq: 0 });
    await client.settled();
    expect(client.all('error').map(({ code }) => code)).toEqual(['not_found']);
  });
});

describe('batch=1', () => {
  test('bundles a replay in its order; without it every frame is a message of its own', async () => {
    const person = await world().person();
    const { channel } = person;
    const events = Array.from({ length: 40 }, (_, n) => ({ channel, kind: 'message', text: `message ${n}` }));
    await world().outbound(events);
    const start = { cursor: `${await epochOf(person)}.0` };
    const plain = await world().connect(person, { query: start });
    const bundled = await world().connect(person, { query: { ...start, batch: '1' } });
    expect(plain.raw).toHaveLength(1 + 40 + 1);
    expect(bundled.raw.length).toBeLessThan(5);
    expect(bundled.raw[1]).toMatch(/^\{"type":"batch","frames":\[/);
    expect(bundled.frames.slice(1)).toEqual(plain.frames.slice(1));
    expect(bundled.all('message').map(({ text }) => text)).toEqual(events.map(({ text }) => text));
  });

  async function epochOf(person: { token: string }): Promise<string> {
    const client = await world().connect(person);
    const [welcome] = client.all('welcome');
    await client.close();
    return welcome?.epoch ?? expect.fail('no welcome');
  }
});
