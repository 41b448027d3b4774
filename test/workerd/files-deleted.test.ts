import { createScheduledController, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { FileRows } from '../../src/records/file-rows.ts';
import worker from '../../src/worker.ts';
import { hubOf, post, request, someone, tokenOf } from './harness.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

async function call(user: string, method: string, path: string, body?: object): Promise<void> {
  const headers = { authorization: `Bearer ${await tokenOf(user)}` };
  const response = await request(path, { method, headers, body: JSON.stringify(body) });
  expect(response.ok).toBe(true);
}

const forget = (user: string, conversation: string) =>
  call(user, 'DELETE', `/api/conversations/${conversation}`);

const attach = (user: string, conversation: string, id: string) =>
  call(user, 'POST', '/api/messages', {
    ...{ client_id: crypto.randomUUID(), text: 'silent', conversation },
    attachments: [{ id }],
  });

/** The service sends a file; its id. */
async function sent(user: string, conversation: string): Promise<string> {
  const data = Buffer.from('a file').toString('base64');
  const [result] = await post(user, [
    { kind: 'file', filename: 'f', mimetype: 'text/plain', data, conversation },
  ]);
  return result?.id ?? expect.fail('no file');
}

/** As `sent`, while D1 takes no row of it. */
async function sentUnknown(user: string, conversation: string): Promise<string> {
  const down = vi.spyOn(FileRows.prototype, 'add').mockRejectedValue(new Error('D1 is down'));
  const id = await sent(user, conversation);
  down.mockRestore();
  return id;
}

const isStored = async (id: string) => (await env.FILES.head(`files/${id}`)) !== null;

const rowsOf = (user: string) =>
  env.DB.prepare('SELECT count(*) AS n FROM files WHERE user = ?').bind(user).first<number>('n');

describe('a conversation that is deleted takes its files', () => {
  test('whether the records have them, have half of them, or never knew them', async () => {
    const user = someone();
    const recorded = await sent(user, 'a');
    await hubOf(user).record();
    const half = await sent(user, 'a');
    const unknown = await sentUnknown(user, 'a');
    await forget(user, 'a');
    expect(await Promise.all([recorded, half, unknown].map(isStored))).toEqual([false, false, false]);
    expect(await rowsOf(user)).toBe(0);
  });

  test('but for those that the user has sent on elsewhere', async () => {
    const user = someone();
    const [recorded, fresh] = [await sent(user, 'a'), await sent(user, 'a')];
    await attach(user, 'b', recorded);
    await hubOf(user).record();
    await attach(user, 'b', fresh);
    const newest = await sent(user, 'a');
    await attach(user, 'b', newest);
    await forget(user, 'a');
    expect(await Promise.all([recorded, fresh, newest].map(isStored))).toEqual([true, true, true]);
    await forget(user, 'b');
    expect(await Promise.all([recorded, fresh, newest].map(isStored))).toEqual([false, false, false]);
    expect(await rowsOf(user)).toBe(0);
  });

  test.each(['doom', 'doomConversation'] as const)(
    'later, where D1 is down at the time (%s)',
    async (step) => {
      const user = someone();
      const recorded = await sent(user, 'a');
      await hubOf(user).record();
      const unknown = await sentUnknown(user, 'a');
      const down = vi.spyOn(FileRows.prototype, step).mockRejectedValue(new Error('D1 is down'));
      await forget(user, 'a');
      expect(await isStored(unknown)).toBe(true);
      down.mockRestore();
      await hubOf(user).record();
      expect(await Promise.all([recorded, unknown].map(isStored))).toEqual([false, false]);
      expect(
        await runInDurableObject(hubOf(user), (_, { storage }) => storage.kv.get('failing')),
      ).toBeUndefined();
      expect(await rowsOf(user)).toBe(0);
    },
  );

  test('later, where R2 is down at the time', async () => {
    const user = someone();
    const recorded = await sent(user, 'a');
    await hubOf(user).record();
    const unknown = await sentUnknown(user, 'a');
    const down = vi
      .spyOn(Object.getPrototypeOf(env.FILES), 'delete')
      .mockRejectedValue(new Error('R2 is down'));
    await forget(user, 'a');
    expect(await Promise.all([recorded, unknown].map(isStored))).toEqual([true, true]);
    down.mockRestore();
    // What the records know goes by itself, whatever becomes of the hub.
    await worker.scheduled(createScheduledController(), env);
    expect(await isStored(recorded)).toBe(false);
    await hubOf(user).record();
    expect(await isStored(unknown)).toBe(false);
    expect(await rowsOf(user)).toBe(0);
  });
});

test('a person who is erased leaves no file, also of those that the records never knew', async () => {
  const user = someone();
  const recorded = await sent(user, 'a');
  await hubOf(user).record();
  const [unknown, deleted] = [await sentUnknown(user, 'a'), await sentUnknown(user, 'b')];
  const down = vi.spyOn(FileRows.prototype, 'doom').mockRejectedValue(new Error('D1 is down'));
  await forget(user, 'b');
  await runInDurableObject(hubOf(user), (hub) => expect(hub.erase()).rejects.toThrow('D1 is down'));
  down.mockRestore();
  await hubOf(user).record();
  expect(await Promise.all([recorded, unknown, deleted].map(isStored))).toEqual([false, false, false]);
  expect(await rowsOf(user)).toBe(0);
});
