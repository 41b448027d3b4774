import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { contextOf } from '../../src/env.ts';
import { admissionsOf } from '../../src/objects/admissions.ts';
import type { HistoryPage } from '../../src/protocol/history.ts';
import { Drain } from '../../src/records/drain.ts';
import { connect, hubOf, journalOf, placeOf, post, request, someone, tokenOf } from './harness.ts';

const rows = (user: string) =>
  env.DB.prepare('SELECT id, text FROM messages WHERE user = ? ORDER BY position')
    .bind(user)
    .all<{ id: string; text: string }>();

const textsOf = async (user: string): Promise<string[]> => (await rows(user)).results.map(({ text }) => text);

const api = async <T>(user: string, path: string, init: RequestInit = {}): Promise<T> => {
  const headers = { authorization: `Bearer ${await tokenOf(user)}`, ...init.headers };
  return (await request(path, { ...init, headers })).json<T>();
};

const history = (user: string) => api<HistoryPage>(user, '/api/conversations/default/messages');

/** The journal is recorded and cut to its newest entry, as after a week. */
async function age(user: string): Promise<void> {
  await hubOf(user).record();
  await runInDurableObject(hubOf(user), (_, state) => {
    state.storage.sql.exec('DELETE FROM events WHERE seq < (SELECT max(seq) FROM events)');
    state.storage.sql.exec('DROP TABLE IF EXISTS recalled');
  });
  await evictDurableObject(hubOf(user));
}

describe('while D1 is down', () => {
  const down = () => env.DB.prepare('ALTER TABLE messages RENAME TO messages_away').run();
  const up = () => env.DB.prepare('ALTER TABLE messages_away RENAME TO messages').run();
  let away = false;
  afterEach(async () => {
    if (away) await up();
    away = false;
  });

  test('DESIGN 6 nothing is lost, history is read, and it recovers by itself', async () => {
    const user = someone();
    await down();
    away = true;
    const texts = Array.from({ length: 30 }, (_, n) => `m${n}`);
    for (const text of texts) await post(user, [{ kind: 'message', text }]);
    const waits: number[] = [];
    for (let n = 0; n < 4; n++) {
      const now = Date.now();
      await runInDurableObject(hubOf(user), async (hub, state) => {
        state.storage.kv.put('failing', { times: n, until: 0 });
        state.storage.sql.exec('UPDATE events SET at = at - 60000');
        await hub.alarm();
        waits.push(((await state.storage.getAlarm()) ?? 0) - now);
      });
    }
    // It waits longer each time.
    expect(waits[0]).toBeGreaterThan(4_000);
    expect(waits[3]).toBeGreaterThan(4 * (waits[0] ?? Number.NaN) - 5_000);
    expect((await history(user)).messages).toHaveLength(30);
    expect(await runInDurableObject(hubOf(user), (_, state) => journalOf(state))).toHaveLength(30);
    await up();
    away = false;
    await runInDurableObject(hubOf(user), (_, state) => {
      state.storage.kv.put('failing', { times: 4, until: Date.now() - 1 });
    });
    await runDurableObjectAlarm(hubOf(user));
    expect(await textsOf(user)).toEqual(texts);
    await runInDurableObject(hubOf(user), (_, state) => {
      expect(state.storage.kv.get('failing')).toBeUndefined();
    });
  });

  test('an edit of what only they have is to be tried again, and its neighbours are applied', async () => {
    const user = someone();
    const [old] = await post(user, [{ kind: 'message', text: 'old' }]);
    await post(user, [{ kind: 'message', text: 'newest' }]);
    await age(user);
    await down();
    away = true;
    const events = [
      { kind: 'edit', id: old?.id, text: 'changed' },
      { kind: 'message', text: 'after' },
    ];
    expect(await post(user, events)).toMatchObject([
      { error: { code: 'internal', retryable: true } },
      { id: expect.any(String) },
    ]);
    await up();
    away = false;
    expect(await post(user, events.slice(0, 1))).toMatchObject([{ id: old?.id }]);
  });

  test('a conversation can be deleted, and goes out of the records when they are back', async () => {
    const user = someone();
    await post(user, [{ kind: 'message', text: 'secret', conversation: 'a' }]);
    await hubOf(user).record();
    await down();
    away = true;
    const response = await request('/api/conversations/a', {
      method: 'DELETE',
      headers: { authorization: `Bearer ${await tokenOf(user)}` },
    });
    expect(response.status).toBe(204);
    await up();
    away = false;
    expect(await textsOf(user)).toEqual(['secret']);
    await hubOf(user).record();
    expect(await textsOf(user)).toEqual([]);
  });
});

describe('erasure', () => {
  test('takes files that only the journal names, and goes on by itself when D1 was down', async () => {
    const user = someone();
    await post(user, [{ kind: 'file', filename: 'a.txt', mimetype: 'text/plain', data: btoa('mine') }]);
    const [file] = (await history(user)).messages;
    expect(await contextOf(env).files.info(file?.id ?? '')).toBeDefined();
    await env.DB.prepare('ALTER TABLE conversations RENAME TO conversations_away').run();
    const erase = async () =>
      (
        await request('/api/me', {
          method: 'DELETE',
          headers: { authorization: `Bearer ${await tokenOf(user)}` },
        })
      ).status;
    expect(await erase()).toBe(500);
    await env.DB.prepare('ALTER TABLE conversations_away RENAME TO conversations').run();
    expect((await history(user)).messages).toEqual([]);
    await post(user, [{ kind: 'message', text: 'begins' }]);
    await hubOf(user).record();
    expect(await textsOf(user)).toEqual(['begins']);
    expect(await contextOf(env).files.info(file?.id ?? '')).toBeUndefined();
    expect(await erase()).toBe(204);
    expect(await textsOf(user)).toEqual([]);
  });
});

test('an erasure takes what a lost end of a /v1 request left behind', async () => {
  const who = { tenant: 'default', user: someone() };
  await admissionsOf(env, who).admit(who.user, 'req_lost');
  const left = () =>
    runInDurableObject(admissionsOf(env, who), (_, { storage }) =>
      [...storage.kv.list()].filter(([key]) => key.endsWith(who.user)),
    );
  expect(await left()).toHaveLength(1);
  await hubOf(who.user).erase();
  expect(await left()).toEqual([]);
});

test('an erasure that is asked for during another is made as well, with what came in between', async () => {
  const user = someone();
  const erase = Drain.prototype.erase;
  const between = Promise.withResolvers<void>();
  const strays: (readonly string[])[] = [];
  const spy = vi.spyOn(Drain.prototype, 'erase').mockImplementation(async function (this: Drain, who, ids) {
    strays.push(ids ?? []);
    await erase.call(this, who, ids);
    if (strays.length === 1) await between.promise;
  });
  try {
    const first = hubOf(user).erase();
    await vi.waitFor(() => expect(strays).toHaveLength(1));
    const late = { id: contextOf(env).seal.newId('file'), filename: 'x', mimetype: 'text/plain' };
    await contextOf(env).files.put({ tenant: 'default', user }, late, new Uint8Array(1));
    await runInDurableObject(hubOf(user), async (hub) => {
      const second = hub.erase();
      between.resolve();
      await second;
    });
    await first;
    expect(strays).toHaveLength(2);
    expect(await contextOf(env).files.info(late.id)).toBeUndefined();
  } finally {
    spy.mockRestore();
  }
});

describe('a hub whose storage was lost while D1 was kept', () => {
  const lose = async (user: string): Promise<void> => {
    await runInDurableObject(hubOf(user), (_, state) => state.storage.deleteAll());
    await evictDurableObject(hubOf(user));
  };

  test('P-WS-8 resets its clients, shows all of history, and goes on recording behind it', async () => {
    const user = someone();
    const before = await connect(user);
    for (const text of ['one', 'two', 'three']) await post(user, [{ kind: 'message', text }]);
    await post(user, [{ kind: 'message', text: 'gone', conversation: 'old' }]);
    await hubOf(user).record();
    await api(user, '/api/conversations/old', { method: 'DELETE' }).catch(() => undefined);
    const { cursor } = placeOf(before);
    before.close();
    await lose(user);
    const { messages } = await history(user);
    expect(messages.map((row) => row.type === 'message' && row.text)).toEqual(['three', 'two', 'one']);
    const client = await connect(user, { cursor });
    expect(client.of('reset')).toMatchObject([{ reason: 'unknown' }]);
    await post(user, [{ kind: 'message', text: 'four' }]);
    await post(user, [{ kind: 'message', text: 'anew', conversation: 'old' }]);
    const [four, anew] = client.of('message');
    expect([four?.text, anew?.text]).toEqual(['four', 'anew']);
    expect(four?.seq).toBe((client.of('ready')[0]?.seq ?? 0) + 1);
    await hubOf(user).record();
    expect(await textsOf(user)).toEqual(['one', 'two', 'three', 'four', 'anew']);
    await evictDurableObject(hubOf(user));
    const resumed = await connect(user, placeOf(client));
    expect(resumed.of('reset')).toEqual([]);
    const [edited] = await post(user, [{ kind: 'edit', id: messages[2]?.id, text: 'first' }]);
    expect(edited?.error).toBeUndefined();
    await hubOf(user).record();
    expect(await textsOf(user)).toEqual(['first', 'two', 'three', 'four', 'anew']);
    const list = await api<{ conversations: { id: string }[] }>(user, '/api/conversations');
    expect(list.conversations.map(({ id }) => id)).toEqual(['old', 'default']);
  });

  test('P-WS-8 has whoever came first come again, and tells them that there is history', async () => {
    const user = someone();
    for (const text of ['one', 'two']) await post(user, [{ kind: 'message', text }]);
    await hubOf(user).record();
    await lose(user);
    const client = await connect(user);
    expect(client.of('ready')).toMatchObject([{ seq: 0 }]);
    const [three] = await post(user, [{ kind: 'message', text: 'three' }]);
    expect(three?.seq).toBe(3);
    expect(await client.untilClosed()).toBe(1012);
    const again = await connect(user, placeOf(client));
    expect(again.of('reset')).toMatchObject([{ reason: 'retention', seq: 3 }]);
    const { messages } = await history(user);
    expect(messages.map((row) => row.type === 'message' && row.text)).toEqual(['three', 'two', 'one']);
    await post(user, [{ kind: 'message', text: 'four' }]);
    expect(again.of('message')).toMatchObject([{ seq: 4, text: 'four' }]);
  });

  test('begins as the first time where its user was erased', async () => {
    const user = someone();
    await post(user, [{ kind: 'message', text: 'one' }]);
    await hubOf(user).erase();
    await evictDurableObject(hubOf(user));
    const [result] = await post(user, [{ kind: 'message', text: 'again' }]);
    expect(result?.seq).toBe(1);
  });

  test('speaks with its user also while D1 is down', async () => {
    const user = someone();
    const down = vi.spyOn(Drain.prototype, 'reached').mockRejectedValue(new Error('D1 is down'));
    try {
      const client = await connect(user);
      const [result] = await post(user, [{ kind: 'message', text: 'one' }]);
      expect(result?.seq).toBe(1);
      expect(client.of('message')).toHaveLength(1);
    } finally {
      down.mockRestore();
    }
  });
});

describe('what is in the records alone', () => {
  test('P-WS-7 an edit changes it in its place, for sessions, in history and in the records', async () => {
    const user = someone();
    const [old] = await post(user, [{ kind: 'message', text: 'old' }]);
    await post(user, [
      { kind: 'message', text: 'between' },
      { kind: 'message', text: 'newest' },
    ]);
    await age(user);
    const tab = await connect(user);
    const results = await post(user, [
      { kind: 'edit', id: old?.id, text: 'changed' },
      { kind: 'edit', id: 'msg_of_nobody', text: 'x' },
    ]);
    expect(results).toMatchObject([{ id: old?.id, seq: 4 }, { error: { code: 'not_found' } }]);
    expect(await tab.until(({ type }) => type === 'edit')).toMatchObject({ id: old?.id, text: 'changed' });
    const texts = async () => (await history(user)).messages.map((row) => row.type === 'message' && row.text);
    expect(await texts()).toEqual(['newest', 'between', 'changed']);
    await hubOf(user).record();
    expect(await textsOf(user)).toEqual(['changed', 'between', 'newest']);
    await post(user, [{ kind: 'edit', id: old?.id, text: 'again' }]);
    expect(await texts()).toEqual(['newest', 'between', 'again']);
    await age(user);
    expect(await texts()).toEqual(['newest', 'between', 'again']);
  });

  test('P-WS-5 a button of it counts once, also when the journal is cut behind the press', async () => {
    const user = someone();
    const buttons = [{ label: 'Go', custom_id: 'go' }];
    const [old] = await post(user, [{ kind: 'message', text: 'choose', buttons }]);
    await post(user, [{ kind: 'message', text: 'newest' }]);
    await age(user);
    const press = (client_id: string) =>
      api(user, '/api/actions', {
        method: 'POST',
        body: JSON.stringify({ client_id, message: old?.id, custom_id: 'go' }),
      });
    expect(await press('c1')).toMatchObject({ duplicate: false });
    await post(user, [{ kind: 'message', text: 'later' }]);
    await age(user);
    await runInDurableObject(hubOf(user), (_, state) => {
      state.storage.sql.exec('DELETE FROM pressed');
    });
    expect(await press('c2')).toMatchObject({ error: { code: 'already_answered' } });
    const { messages } = await history(user);
    expect(messages.find(({ id }) => id === old?.id)).toMatchObject({ text: 'choose', pressed: ['go'] });
  });

  test('a reply to it can be asked for again', async () => {
    const user = someone();
    const said = await api<{ turn: string; id: string }>(user, '/api/messages', {
      method: 'POST',
      body: JSON.stringify({ client_id: 'c1', text: 'silent question' }),
    });
    const [reply] = await post(user, [
      { kind: 'done', turn: said.turn, text: 'answer' },
      { kind: 'message', text: 'newest' },
    ]);
    await age(user);
    await runInDurableObject(hubOf(user), (_, state) => {
      state.storage.sql.exec('DELETE FROM turns');
    });
    const again = (turn: string) =>
      api<{ turn: string }>(user, `/api/turns/${turn}/regenerate`, { method: 'POST' });
    const { turn } = await again(said.turn);
    await post(user, [{ kind: 'done', turn, text: 'better' }]);
    const [better] = (await history(user)).messages;
    expect(better).toMatchObject({ text: 'better', replaces: reply?.id });
    // And that one as well, once it is only in the records.
    await post(user, [{ kind: 'message', text: 'end' }]);
    await age(user);
    await runInDurableObject(hubOf(user), (_, state) => {
      state.storage.sql.exec('DELETE FROM turns');
    });
    const third = await again(turn);
    await post(user, [{ kind: 'done', turn: third.turn, text: 'best' }]);
    expect((await history(user)).messages[0]).toMatchObject({ text: 'best', replaces: better?.id });
  });
});
