import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import {
  chunk,
  connect,
  hubOf,
  internal,
  journalOf,
  openLines,
  openTurn,
  placeOf,
  post,
  someone,
} from './harness.ts';

/** All objects lose their memory and their connections at once. */
const crash = () => abortAllDurableObjects();

describe('a crash of the objects', () => {
  test('P-UP-6 what was acknowledged survives, and clients resume with what they had', async () => {
    const user = someone();
    const client = await connect(user);
    const turn = await openTurn(user);
    await post(user, [{ kind: 'message', text: 'kept' }, chunk(turn, 'Hello ')]);
    await client.until((frame) => frame.type === 'chunk');
    await crash();
    await client.untilClosed();
    await post(user, [{ kind: 'message', text: 'while away' }, chunk(turn, 'world', 6)]);
    const again = await connect(user, placeOf(client));
    expect(again.of('welcome')).toMatchObject([{ resumed: true }]);
    expect([...client.seqs, ...again.seqs]).toEqual([1, 2, 3, 4]);
    expect(again.of('chunk')).toMatchObject([{ offset: 6, text: 'world' }]);
    const { text_length }: { text_length: number } = await internal(`/turns/${turn}`);
    expect(text_length).toBe(11);
  });

  test('P-WS-5 a send whose ack was lost is made once', async () => {
    const user = someone();
    const client = await connect(user);
    client.send({ type: 'message', client_id: 'c1', text: 'silent' });
    const first = await client.until((frame) => frame.type === 'ack');
    await crash();
    const again = await connect(user, placeOf(client));
    again.send({ type: 'message', client_id: 'c1', text: 'silent' });
    expect(await again.until((frame) => frame.type === 'ack')).toEqual({ ...first, duplicate: true });
    const journal = await runInDurableObject(hubOf(user), (_, state) => journalOf(state));
    expect(journal.filter(({ type }) => type === 'message')).toHaveLength(1);
  });

  test('P-WS-9 what nobody had been written waits through it', async () => {
    const user = someone();
    expect(await post(user, [{ kind: 'message', text: 'offline' }])).toMatchObject([{ delivered: false }]);
    await crash();
    expect((await connect(user)).of('message')).toMatchObject([{ text: 'offline' }]);
    expect((await connect(user)).of('message')).toEqual([]);
  });

  test('P-UP-7 an NDJSON request goes on over crashes of its channel: nothing lost, nothing doubled', async () => {
    const user = someone();
    const turn = await openTurn(user);
    const lines = openLines(user);
    let text = '';
    let client = await connect(user);
    for (let i = 0; i < 24; i += 1) {
      const word = `${i} 😀 `;
      text += word;
      await lines.write(chunk(turn, word));
      if (i % 6 !== 3) continue;
      await client.until(() => client.of('chunk').some((frame) => frame.text.includes(`${i} `)));
      await crash();
      await client.untilClosed();
      client = await connect(user, placeOf(client));
    }
    await lines.write({ kind: 'message', text: 'beside it' }, { kind: 'done', turn });
    const results = await lines.end();
    expect(results.map(({ error }) => error)).toEqual(results.map(() => undefined));
    const journal = await runInDurableObject(hubOf(user), (_, state) => journalOf(state));
    expect(journal.slice(-2)).toMatchObject([
      { type: 'message', text },
      { type: 'turn', status: 'completed' },
    ]);
    expect(journal.filter(({ type }) => type === 'message')).toHaveLength(2);
    await client.until((frame) => frame.type === 'turn' && frame.status === 'completed');
  });

  test('P-UP-7 the same Idempotency-Key before and after it: the same ids', async () => {
    const user = someone();
    const key = { 'idempotency-key': user };
    const events = [{ kind: 'message', text: 'once' }];
    const [first] = await post(user, events, key);
    await crash();
    expect(await post(user, events, key)).toMatchObject([{ id: first?.id, seq: 1, duplicate: true }]);
  });

  test('P-UP-4 one NDJSON request for many channels: each gets its own events in their order, whatever crashes between', async () => {
    const people = [someone(), someone(), someone()];
    const turns = new Map<string, string>();
    for (const user of people) turns.set(user, await openTurn(user));
    const [first = ''] = people;
    const lines = openLines(first);
    const sent = new Map(people.map((user) => [user, '']));
    for (let i = 0; i < 30; i += 1) {
      const user = people[(i * i + (i >> 2)) % people.length] ?? first;
      sent.set(user, `${sent.get(user)}${i} `);
      await lines.write({ channel: `webchat:${user}`, ...chunk(turns.get(user) ?? '', `${i} `) });
      if (i % 12 === 7) await crash();
    }
    for (const [user, turn] of turns) await lines.write({ channel: `webchat:${user}`, kind: 'done', turn });
    await lines.end();
    for (const user of people) {
      const journal = await runInDurableObject(hubOf(user), (_, state) => journalOf(state));
      expect(journal.at(-2)).toMatchObject({ type: 'message', text: sent.get(user) });
      expect(journal.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    }
  });
});
