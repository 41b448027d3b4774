import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, test } from 'vitest';
import type { Unrecorded } from '../../src/channel/recording.ts';
import { contextOf } from '../../src/env.ts';
import type { HistoryPage } from '../../src/protocol/history.ts';
import type { MessageFrame } from '../../src/protocol/server-frames.ts';
import { Conversations } from '../../src/records/conversations.ts';
import { Drain } from '../../src/records/drain.ts';
import { Files } from '../../src/records/files.ts';
import { Messages } from '../../src/records/messages.ts';
import { ofTenant } from '../../src/records/scope.ts';
import { Search } from '../../src/records/search.ts';
import { connect, hubOf, journalOf, post, request, someone, tokenOf } from './harness.ts';

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
    expect(await new Files(env.FILES).info(file?.id ?? '')).toBeDefined();
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
    expect(await new Files(env.FILES).info(file?.id ?? '')).toBeUndefined();
    expect(await erase()).toBe(204);
    expect(await textsOf(user)).toEqual([]);
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

describe('writing the records', () => {
  const drain = new Drain(env.DB, new Files(env.FILES));
  const message = (id: string, seq: number, text = id, conversation = 'a'): MessageFrame => ({
    type: 'message',
    ...{ seq, id, conversation, text },
    role: 'assistant',
    sender: 'star',
    timestamp: seq,
  });
  const part = (upTo: number, ...frames: MessageFrame[]): Unrecorded => ({
    upTo,
    name: '',
    deleted: [],
    rows: frames.map((row) => ({ position: row.seq, row })),
    conversations: frames.map(({ conversation: id, seq }) => ({
      id,
      lived: { created_at: 1, updated_at: seq, touched: seq },
    })),
  });
  const person = () => ({ tenant: 'default', user: someone() });
  const found = (who: { tenant: string; user: string }, term: string) =>
    new Search(env.DB).find(who, [term], 2 ** 32 - 1, 10);

  test('may be repeated, and an older state never replaces a newer one', async () => {
    const who = person();
    await drain.put(who, part(1, message('m', 1, 'first state')));
    await drain.put(who, part(3, { ...message('m', 1, 'third state'), seq: 3 }));
    await drain.put(who, part(2, { ...message('m', 1, 'second state'), seq: 2 }));
    expect(await textsOf(who.user)).toEqual(['third state']);
    expect(await found(who, 'first')).toEqual([]);
    expect(await found(who, 'second')).toEqual([]);
    expect(await found(who, 'third')).toHaveLength(1);
  });

  test('what is late for a deletion stays away, what comes after it does not', async () => {
    const who = person();
    const late = part(2, message('one', 1), message('two', 2));
    await drain.put(who, late);
    await drain.put(who, { ...part(3), deleted: [{ id: 'a', seq: 3 }] });
    await drain.put(who, late);
    expect(await textsOf(who.user)).toEqual([]);
    expect((await new Conversations(env.DB).page(who, 100, 10)).conversations).toEqual([]);
    await drain.put(who, part(4, message('four', 4)));
    await drain.put(who, { ...part(3), deleted: [{ id: 'a', seq: 3 }] });
    expect(await textsOf(who.user)).toEqual(['four']);
    expect((await new Conversations(env.DB).page(who, 100, 10)).conversations).toMatchObject([{ id: 'a' }]);
  });

  test('a name that comes late for a deletion makes nothing', async () => {
    const who = person();
    await drain.put(who, { ...part(2), conversations: [{ id: 'a', name: 'Ghost' }] });
    expect((await new Conversations(env.DB).page(who, 100, 10)).conversations).toEqual([]);
  });

  test('large rows go by themselves, and any character survives', async () => {
    const who = person();
    const text = `${'x'.repeat(900_000)}\u0000🎉"\\`;
    await drain.put(who, part(2, message('big', 1, text), message('small', 2, '\u0000')));
    const [small, big] = await new Messages(env.DB).page(who, 'a', { before: 100, after: 0 }, 10);
    expect(big?.row.type === 'message' && big.row.text === text).toBe(true);
    expect(small?.row).toEqual(message('small', 2, '\u0000'));
  });

  test('every table is asked for one person of one tenant', async () => {
    const user = someone();
    const [mine, namesake, neighbour] = [
      { tenant: 'default', user },
      { tenant: 'acme', user },
      { tenant: 'default', user: someone() },
    ];
    await drain.put(mine, part(2, message('one', 1, 'shared words'), message('two', 2, 'xy', 'b')));
    await drain.put(mine, { ...part(3), deleted: [{ id: 'b', seq: 3 }] });
    const messages = new Messages(env.DB);
    const conversations = new Conversations(env.DB);
    for (const other of [namesake, neighbour]) {
      expect(await messages.page(other, 'a', { before: 100, after: 0 }, 10)).toEqual([]);
      expect(await messages.after(other, 0, 10)).toEqual([]);
      expect(await messages.byIds(other, ['one', 'two'])).toEqual([]);
      expect(await messages.ofTurn(other, 'one')).toEqual([]);
      expect(await found(other, 'shared')).toEqual([]);
      expect(await found(other, 'sh')).toEqual([]);
      expect((await conversations.page(other, 100, 10)).conversations).toEqual([]);
      expect(await conversations.get(other, 'a')).toBeUndefined();
      expect((await conversations.titles(other, ['a'])).size).toBe(0);
      // Their deletions are not mine, and neither is their end.
      await drain.put(other, { ...part(9), deleted: [{ id: 'a', seq: 9 }] });
      await drain.put(other, part(1, message('late', 1, 'late', 'b')));
      expect(await textsOf(other.user)).toContain('late');
      await drain.erase(other);
    }
    expect(await textsOf(user)).toEqual(['shared words']);
    expect(await found(mine, 'shared')).toHaveLength(1);
    expect((await conversations.page(mine, 100, 10)).conversations).toMatchObject([{ id: 'a' }]);
    await drain.put(mine, part(2, message('two', 2, 'xy', 'b')));
    expect(await textsOf(user)).toEqual(['shared words']);
  });

  test('a person who was erased has left nothing', async () => {
    const who = person();
    const id = contextOf(env).seal.newId('file');
    await new Files(env.FILES).put({ ...who, id, filename: 'a', mimetype: 'a/b' }, new Uint8Array(1));
    const attachments = [{ id, filename: 'a', mimetype: 'a/b', size: 1, url: '' }];
    await drain.put(who, part(1, { ...message('m', 1), attachments }));
    await drain.put(who, { ...part(2), deleted: [{ id: 'b', seq: 2 }] });
    await ofTenant(env.DB, who.tenant)
      .statement(
        "INSERT INTO portal_conversations (tenant, user, agent, id, created_at) VALUES (?1, ?2, 'a', ?3, 0)",
        who.user,
        crypto.randomUUID(),
      )
      .run();
    await drain.erase(who);
    // Every table that names a user, those to come included.
    const { results: tables } = await env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '% user TEXT%'",
    ).all<{ name: string }>();
    expect(tables.length).toBeGreaterThan(5);
    for (const { name: table } of tables)
      expect(
        (await env.DB.prepare(`SELECT * FROM ${table} WHERE user = ?`).bind(who.user).all()).results,
        table,
      ).toEqual([]);
    expect(await new Files(env.FILES).info(id)).toBeUndefined();
  });
});
