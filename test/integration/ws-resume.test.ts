import { describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { type Person, useWorld } from './world.ts';

const world = useWorld();

const say = ({ channel }: Person, text: string) => world().outbound({ channel, kind: 'message', text });
const textsOf = (client: Client) => client.all('message').map(({ text }) => text);
/** What came between `welcome` and `ready`. */
const replay = (client: Client) =>
  client.frames.slice(
    1,
    client.frames.findIndex(({ type }) => type === 'ready'),
  );

describe('P-WS-8 resume', () => {
  test('by cursor: exactly the durable frames after it, in order, then ready', async () => {
    const person = await world().person();
    const before = await world().connect(person);
    await say(person, 'one');
    await before.frame('message');
    await before.drop();
    for (const text of ['two', 'three', 'four']) await say(person, text);
    const after = await world().reconnect(person, before);
    const [welcome] = after.all('welcome');
    expect(welcome).toMatchObject({ resumed: true, seq: 4 });
    expect(replay(after).map((frame) => 'seq' in frame && frame.seq)).toEqual([2, 3, 4]);
    expect(textsOf(after)).toEqual(['two', 'three', 'four']);
    expect(after.all('ready')).toEqual([{ type: 'ready', seq: 4 }]);
    expect(after.all('reset')).toEqual([]);

    const again = await world().reconnect(person, after);
    expect(replay(again)).toEqual([]);
  });

  test('before anything was stored: nothing is missing and nothing is reset', async () => {
    const person = await world().person();
    const before = await world().connect(person);
    await before.drop();
    await say(person, 'first');
    const after = await world().reconnect(person, before);
    expect(after.all('reset')).toEqual([]);
    expect(textsOf(after)).toEqual(['first']);
  });

  test('in the middle of a stream, again and again: the text is exact and nothing comes twice', async () => {
    const person = await world().person();
    let client = await world().connect(person);
    const turn = await world().turn(client);
    const words = Array.from({ length: 60 }, (_, n) => `wörd${n}🌟 `);
    const event = { channel: person.channel, turn };
    for (const [n, text] of words.entries()) {
      const reasoning = n % 3 === 0 ? { reasoning: `r${n} ` } : {};
      await world().outbound({ ...event, kind: 'chunk', text, ...reasoning });
      if (n % 10 !== 5) continue;
      const shown = client.texts.get(turn)?.text ?? '';
      await client.drop();
      const next = await world().reconnect(person, client, n % 20 === 5 ? { batch: '1' } : {});
      expect(next.frames.filter((frame) => 'snapshot' in frame)).toMatchObject([
        { type: 'turn', turn, status: 'running' },
      ]);
      for (const { kind, offset } of next.all('chunk'))
        if (kind === 'text') expect(offset).toBeGreaterThanOrEqual(shown.length);
      client = next;
    }
    await world().outbound({ ...event, kind: 'done' });
    const { text, reasoning } = await client.frame('message', ({ role }) => role === 'assistant');
    expect(text).toBe(words.join(''));
    expect(client.texts.get(turn)).toEqual({ text, reasoning });
  });

  test('a client that was away at the end of a turn gets its message and its end', async () => {
    const person = await world().person();
    const before = await world().connect(person);
    const turn = await world().turn(before);
    const event = { channel: person.channel, turn };
    await world().outbound({ ...event, kind: 'chunk', text: 'half' });
    await before.frame('chunk');
    await before.drop();
    await world().outbound([
      { ...event, kind: 'chunk', text: ' and half' },
      { ...event, kind: 'done' },
    ]);
    const after = await world().reconnect(person, before);
    expect(replay(after)).toMatchObject([
      { type: 'message', text: 'half and half' },
      { type: 'turn', status: 'completed' },
    ]);
  });

  test('a snapshot keeps its seq and moves no cursor', async () => {
    const person = await world().person();
    const before = await world().connect(person);
    const turn = await world().turn(before);
    await say(person, 'in between');
    await before.frame('message', ({ text }) => text === 'in between');
    const after = await world().reconnect(person, before);
    expect(replay(after)).toEqual([expect.objectContaining({ type: 'turn', turn, seq: 2, snapshot: true })]);
    expect(after.all('welcome')[0]?.seq).toBe(3);
    expect(after.position()).toEqual(before.position());
  });

  test('a client that claims more text than there is gets all of it from offset 0', async () => {
    const person = await world().person();
    const before = await world().connect(person);
    const turn = await world().turn(before);
    await world().outbound({ channel: person.channel, turn, kind: 'chunk', text: 'short' });
    const { cursor } = before.position();
    const after = await world().connect(person, { query: { cursor, turns: `${turn}:500:7` } });
    expect(after.all('chunk').map(({ kind, offset, text }) => [kind, offset, text])).toEqual([
      ['reasoning', 0, ''],
      ['text', 0, 'short'],
    ]);
  });

  test.each([
    ['ahead', 'a seq that never was', (epoch: string) => `${epoch}.99`],
    ['unknown', 'an epoch of another life', () => 'AAAAAAAAAAAA.1'],
    ['unknown', 'an empty epoch of another life', () => 'AAAAAAAAAAAA.0'],
    ['unknown', 'no cursor at all', () => 'nonsense'],
    ['unknown', 'an empty one', () => ''],
  ])('reset %s: %s gets one reset, the open state and ready', async (reason, _, cursorOf) => {
    const person = await world().person();
    const before = await world().connect(person);
    const turn = await world().turn(before);
    await world().outbound({ channel: person.channel, turn, kind: 'chunk', text: 'so far' });
    await before.frame('chunk');
    const [{ epoch } = expect.fail('no welcome')] = before.all('welcome');
    const after = await world().connect(person, { query: { cursor: cursorOf(epoch) } });
    expect(after.frames).toMatchObject([
      { type: 'welcome', resumed: false, epoch, seq: 3 },
      { type: 'reset', reason, epoch, seq: 3 },
      { type: 'turn', turn, snapshot: true },
      { type: 'chunk', turn, offset: 0, text: 'so far' },
      { type: 'ready', seq: 3 },
    ]);
    const next = await world().reconnect(person, after);
    expect(next.all('reset')).toEqual([]);
  });

  test('a cursor of somebody else’s channel is unknown', async () => {
    const [one, other] = [await world().person(), await world().person()];
    await say(one, 'x');
    await say(other, 'y');
    const foreign = (await world().connect(one)).position();
    const client = await world().connect(other, { query: { cursor: foreign.cursor } });
    expect(client.all('reset')).toMatchObject([{ reason: 'unknown' }]);
  });
});

describe('P-WS-9 offline', () => {
  test('one event to a user with no session: not delivered, there at the next connection, and only then', async () => {
    const person = await world().person();
    const { body } = await say(person, 'while you were away');
    expect(body.results).toEqual([{ id: expect.stringMatching(/^msg_/), seq: 1, delivered: false }]);
    const first = await world().connect(person);
    expect(replay(first)).toMatchObject([
      { type: 'message', id: body.results[0]?.id, text: 'while you were away', seq: 1 },
    ]);
    await first.close();
    const second = await world().connect(person);
    expect(replay(second)).toEqual([]);
  });

  test('what one tab was given is not given again to the next, what came after it is', async () => {
    const person = await world().person();
    const tab = await world().connect(person);
    await say(person, 'here');
    await tab.frame('message');
    await tab.close();
    await say(person, 'away');
    expect(textsOf(await world().connect(person))).toEqual(['away']);
  });

  test('a file and a prompt wait as well', async () => {
    const person = await world().person();
    const { channel } = person;
    await world().outbound([
      { channel, kind: 'file', filename: 'a.txt', mimetype: 'text/plain', data: btoa('hello') },
      { channel, kind: 'prompt', question: 'Well?' },
      { channel, kind: 'typing', active: true },
    ]);
    const client = await world().connect(person);
    expect(replay(client)).toMatchObject([
      { type: 'file', filename: 'a.txt', size: 5, data: btoa('hello') },
      { type: 'prompt', question: 'Well?' },
      { type: 'prompt', question: 'Well?', snapshot: true },
    ]);
  });
});

describe('P-WS-10 open prompts', () => {
  test('come with every connection until closed; only the first valid answer counts', async () => {
    const person = await world().person();
    const { channel } = person;
    const { body } = await world().outbound({
      channel,
      kind: 'prompt',
      prompt_kind: 'choice',
      question: 'Tea?',
      choices: ['yes', { value: 'no', label: 'No, thanks' }],
    });
    const prompt = body.results[0]?.id;
    const one = await world().connect(person);
    const other = await world().connect(person);
    for (const client of [one, other])
      expect(client.all('prompt').at(-1)).toMatchObject({ prompt, kind: 'choice', snapshot: true });

    one.send({ type: 'answer', client_id: 'bad', prompt, value: 'maybe' });
    expect(await one.frame('error')).toMatchObject({
      code: 'bad_request',
      field: 'value',
      client_id: 'bad',
    });
    other.send({ type: 'answer', client_id: 'good', prompt, value: 'no' });
    const closed = await one.frame('prompt_closed');
    expect(closed).toMatchObject({ prompt, reason: 'answered', value: 'no' });
    expect(await other.frame('ack')).toMatchObject({ client_id: 'good', id: prompt, duplicate: false });
    one.send({ type: 'answer', client_id: 'late', prompt, value: 'yes' });
    expect(await one.frame('error', ({ client_id }) => client_id === 'late')).toMatchObject({
      code: 'already_answered',
    });
    const later = await world().connect(person);
    expect(later.all('prompt')).toEqual([]);
  });

  test('end with their turn where it did not complete', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const turn = await world().turn(client);
    await world().outbound({ channel: person.channel, turn, kind: 'prompt', question: 'Really?' });
    await client.frame('prompt');
    client.send({ type: 'cancel', turn });
    expect(await client.frame('prompt_closed')).toMatchObject({ reason: 'cancelled' });
  });

  test('expire by themselves', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const expires_at = Date.now() / 1000 + 0.3;
    await world().outbound({ channel: person.channel, kind: 'prompt', question: 'Quick?', expires_at });
    expect(await client.frame('prompt')).toMatchObject({ expires_at });
    expect(await client.frame('prompt_closed')).toMatchObject({ reason: 'expired' });
  });
});
