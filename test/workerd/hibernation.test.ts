import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { chunk, connect, hubOf, journalOf, openLines, openTurn, placeOf, post, someone } from './harness.ts';

describe('a hub that hibernated goes on as if nothing had happened', () => {
  test('P-WS-4 in the middle of an idle conversation: the same sockets get what comes next', async () => {
    const user = someone();
    const [one, two] = [await connect(user), await connect(user, { batch: true })];
    one.send({ type: 'message', client_id: 'c1', text: 'silent please' });
    await two.until((frame) => frame.type === 'turn');
    await evictDurableObject(hubOf(user));
    two.send({ type: 'message', client_id: 'c2', text: 'silent again' });
    await one.until((frame) => frame.type === 'message' && frame.client_id === 'c2');
    await evictDurableObject(hubOf(user));
    const [result] = await post(user, [{ kind: 'message', text: 'hello' }]);
    expect(result).toMatchObject({ delivered: true });
    for (const client of [one, two])
      await client.until((frame) => frame.type === 'message' && frame.text === 'hello');
    expect(one.seqs).toEqual(one.seqs.map((_, i) => i + 1));
    expect(two.seqs).toEqual(one.seqs);
    expect([one.closed, two.closed]).toEqual([undefined, undefined]);
  });

  test('P-WS-5 what was sent before it is known after it', async () => {
    const user = someone();
    const client = await connect(user);
    client.send({ type: 'message', client_id: 'c1', text: 'silent' });
    const first = await client.until((frame) => frame.type === 'ack');
    await evictDurableObject(hubOf(user));
    client.send({ type: 'message', client_id: 'c1', text: 'silent' });
    const again = await client.until((frame) => frame.type === 'ack' && frame.duplicate);
    expect(again).toEqual({ ...first, duplicate: true });
  });

  test('P-WS-6 in the middle of a streaming turn: the text goes on where it was', async () => {
    const user = someone();
    const client = await connect(user);
    const turn = await openTurn(user);
    const words = Array.from({ length: 12 }, (_, i) => `word${i} 😀 `);
    for (const [i, word] of words.entries()) {
      await post(user, [chunk(turn, word)]);
      if (i % 3 === 1) await evictDurableObject(hubOf(user));
    }
    await post(user, [{ kind: 'done', turn }]);
    await client.until((frame) => frame.type === 'turn' && frame.status === 'completed');
    expect(client.textOf(turn)).toBe(words.join(''));
    expect(client.of('message')).toMatchObject([{ text: words.join('') }]);
    expect(client.seqs).toEqual([1, 2, 3, 4]);
  });

  test('P-UP-4 in the middle of an NDJSON request: nothing is lost, nothing doubled', async () => {
    const user = someone();
    let client = await connect(user);
    const turn = await openTurn(user);
    const lines = openLines(user);
    let text = '';
    for (let i = 0; i < 30; i += 1) {
      text += `${i} `;
      await lines.write(chunk(turn, `${i} `));
      if (i % 10 !== 5) continue;
      await client.until(() => client.textOf(turn).endsWith(`${i} `));
      await evictDurableObject(hubOf(user));
      // What was shown and not stored went with the memory: everybody begins again from what is stored.
      await post(user, [{ kind: 'typing', active: true }]);
      expect(await client.untilClosed()).toBe(1012);
      client = await connect(user, placeOf(client));
      await client.until(() => client.textOf(turn) === text);
    }
    await lines.write({ kind: 'done', turn });
    expect((await lines.end()).every(({ error }) => error === undefined)).toBe(true);
    await client.until((frame) => frame.type === 'turn' && frame.status === 'completed');
    expect(client.textOf(turn)).toBe(text);
    expect(client.of('message')).toMatchObject([{ text }]);
  });

  test('P-WS-10 P-WS-11 prompts, buttons and cancel work after it', async () => {
    const user = someone();
    const client = await connect(user);
    const turn = await openTurn(user);
    const buttons = [{ label: 'Yes', custom_id: 'y' }];
    const [, said] = await post(user, [
      { kind: 'prompt', question: 'which?', choices: ['a'] },
      { kind: 'message', text: 'press', buttons },
      chunk(turn, 'half'),
    ]);
    await evictDurableObject(hubOf(user));
    const prompt = client.of('prompt')[0]?.prompt;
    client.send({ type: 'answer', client_id: 'c1', prompt, value: 'a' });
    await client.until((frame) => frame.type === 'prompt_closed');
    await evictDurableObject(hubOf(user));
    client.send({ type: 'action', client_id: 'c2', message: said?.id, custom_id: 'y' });
    await client.until((frame) => frame.type === 'message' && frame.custom_id === 'y');
    await evictDurableObject(hubOf(user));
    client.send({ type: 'cancel', turn });
    await client.until(
      (frame) => frame.type === 'turn' && frame.turn === turn && frame.status === 'cancelled',
    );
    const journal = await runInDurableObject(hubOf(user), (_, state) => journalOf(state));
    expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, i) => i + 1));
  });

  test('natural hibernation: sockets that only ping let it sleep; it is rebuilt by the next event, and all get it', async () => {
    const user = someone();
    const clients = [await connect(user), await connect(user), await connect(user)];
    await post(user, [{ kind: 'message', text: 'before' }]);
    const lives = new WeakSet<object>();
    await runInDurableObject(hubOf(user), (instance) => void lives.add(instance));
    // An object sleeps after some ten seconds without an event; pings are none.
    const until = Date.now() + 14_000;
    for (let pings = 1; Date.now() < until; pings += 1) {
      for (const client of clients) client.send('ping');
      for (const client of clients) await client.untilPong(pings);
      await scheduler.wait(1_000);
    }
    await post(user, [{ kind: 'message', text: 'after' }]);
    expect(await runInDurableObject(hubOf(user), (instance) => lives.has(instance))).toBe(false);
    for (const client of clients) {
      await client.until((frame) => frame.type === 'message' && frame.text === 'after');
      expect(client.seqs).toEqual([1, 2]);
      expect(client.closed).toBeUndefined();
    }
  });
});
