import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import type { Unrecorded } from '../../src/channel/recording.ts';
import { contextOf } from '../../src/env.ts';
import type { FileFrame, MessageFrame } from '../../src/protocol/server-frames.ts';
import { Conversations } from '../../src/records/conversations.ts';
import { Drain } from '../../src/records/drain.ts';
import { Messages } from '../../src/records/messages.ts';
import { Search } from '../../src/records/search.ts';
import { someone } from './harness.ts';

const { files, seal } = contextOf(env);

/** What is recorded of a user, in order. */
async function textsOf(user: string): Promise<string[]> {
  const { results } = await env.DB.prepare('SELECT text FROM messages WHERE user = ? ORDER BY position')
    .bind(user)
    .all<{ text: string }>();
  return results.map(({ text }) => text);
}

describe('writing the records', () => {
  const drain = new Drain(env.DB, files);
  const message = (id: string, seq: number, text = id, conversation = 'a'): MessageFrame => ({
    type: 'message',
    ...{ seq, id, conversation, text },
    role: 'assistant',
    sender: 'star',
    timestamp: seq,
  });
  const part = (upTo: number, ...frames: (MessageFrame | FileFrame)[]): Unrecorded => ({
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
    await drain.put(who, { ...part(3), deleted: [{ id: 'a', seq: 3, at: 3 }] });
    await drain.put(who, late);
    expect(await textsOf(who.user)).toEqual([]);
    expect((await new Conversations(env.DB).page(who, 100, 10)).conversations).toEqual([]);
    await drain.put(who, part(4, message('four', 4)));
    await drain.put(who, { ...part(3), deleted: [{ id: 'a', seq: 3, at: 3 }] });
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
    await drain.put(mine, { ...part(3), deleted: [{ id: 'b', seq: 3, at: 3 }] });
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
      await drain.put(other, { ...part(9), deleted: [{ id: 'a', seq: 9, at: 9 }] });
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

  test('a conversation takes its files, and what is late for that brings none of them back', async () => {
    const who = person();
    const [own, shared, later] = [seal.newId('file'), seal.newId('file'), seal.newId('file')];
    const file = (seq: number, id: string, conversation = 'a'): FileFrame => ({
      type: 'file',
      ...{
        seq,
        id,
        conversation,
        filename: 'f',
        mimetype: 'a/b',
        size: 1,
        url: '',
        sender: 'star',
        timestamp: seq,
      },
    });
    for (const id of [own, shared, later])
      await files.put(who, { id, filename: 'f', mimetype: 'a/b' }, new Uint8Array(1));
    const attached = { ...message('m', 2, 'look', 'b'), attachments: [file(2, shared)] };
    const late = part(3, file(1, own), attached, file(3, shared));
    await drain.put(who, late);
    await drain.put(who, { ...part(4), deleted: [{ id: 'a', seq: 4, at: 4 }] });
    await drain.put(who, part(5, file(5, later)));
    const left = async () => {
      const infos = await Promise.all([own, shared, later].map((id) => files.info(id)));
      expect(infos.map((info) => info?.id)).toEqual([undefined, shared, later]);
      expect([await namedIn('files', who), await namedIn('file_uses', who)]).toEqual([2, 2]);
    };
    await left();
    await drain.put(who, late);
    await left();
    await drain.put(who, { ...part(4), deleted: [{ id: 'a', seq: 4, at: 4 }] });
    await left();
  });

  test('a person who was erased has left nothing in any table, and others all of theirs', async () => {
    const who = person();
    const others = [{ ...who, tenant: 'acme' }, person()];
    const tables = await personalTables();
    const some = ['messages', 'users', 'files', 'portal_conversations'];
    expect([...tables.keys()]).toEqual(expect.arrayContaining(some));
    for (const [table, columns] of tables)
      for (const one of [who, ...others]) await insertInto(table, columns, one);
    const [known, stray] = [seal.newId('file'), seal.newId('file')];
    for (const id of [known, stray])
      await files.put(who, { id, filename: 'f', mimetype: 'a/b' }, new Uint8Array(1));
    await env.DB.prepare('DELETE FROM files WHERE id = ?').bind(stray).run();
    await drain.erase(who, [stray]);
    for (const table of tables.keys()) {
      expect(await namedIn(table, who), table).toBe(0);
      for (const other of others) expect(await namedIn(table, other), table).toBe(1);
    }
    expect(await Promise.all([known, stray].map((id) => files.info(id)))).toEqual([undefined, undefined]);
  });
});

interface Column {
  name: string;
  type: string;
}

/** Every table of the records that has people in it, with its columns. */
async function personalTables(): Promise<Map<string, Column[]>> {
  const tables = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<Column>();
  const found = new Map<string, Column[]>();
  for (const { name } of tables.results) {
    // D1 keeps its own books in tables that nobody may look into.
    if (name.startsWith('_cf_')) continue;
    const { results } = await env.DB.prepare(`PRAGMA table_info("${name}")`).all<Column>();
    if (results.some((column) => column.name === 'user')) found.set(name, results);
  }
  return found;
}

/** A row of a person that has some value in every column. */
async function insertInto(
  table: string,
  columns: readonly Column[],
  who: { tenant: string; user: string },
): Promise<void> {
  const values = columns.map(({ name, type }) => {
    if (name === 'tenant') return who.tenant;
    if (name === 'user') return who.user;
    return type === 'TEXT' ? crypto.randomUUID() : Math.ceil(Math.random() * 2 ** 40);
  });
  const [names, marks] = [columns.map(({ name }) => name).join(), columns.map(() => '?').join()];
  await env.DB.prepare(`INSERT INTO ${table} (${names}) VALUES (${marks})`)
    .bind(...values)
    .run();
}

async function namedIn(table: string, { tenant, user }: { tenant: string; user: string }): Promise<number> {
  const sql = `SELECT count(*) AS n FROM ${table} WHERE tenant = ? AND user = ?`;
  return (await env.DB.prepare(sql).bind(tenant, user).first<number>('n')) ?? 0;
}
