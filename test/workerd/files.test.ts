import { createScheduledController, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { contextOf } from '../../src/env.ts';
import { attachedFiles } from '../../src/objects/attached-files.ts';
import { FileRows } from '../../src/records/file-rows.ts';
import { ByteSource } from '../../src/records/store-stream.ts';
import worker from '../../src/worker.ts';
import { connect, hubOf, post, request, someone, tokenOf } from './harness.ts';

const { files } = contextOf(env);
const DAY_MS = 86_400_000;

afterEach(() => {
  vi.useRealTimers();
});

/** The time of the Worker and its objects. */
const later = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });

const ownerOf = (user: string) => ({ tenant: 'default', user });

async function upload(user: string, body: BodyInit = 'Hello', headers: Record<string, string> = {}) {
  const response = await request('/api/files', {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf(user)}`, 'content-type': 'text/plain', ...headers },
    body,
  });
  return { status: response.status, body: await response.json<{ id: string; url: string }>() };
}

async function say(user: string, conversation: string, ...ids: string[]) {
  const response = await request('/api/messages', {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf(user)}` },
    body: JSON.stringify({
      client_id: crypto.randomUUID(),
      text: 'silent',
      conversation,
      attachments: ids.map((id) => ({ id })),
    }),
  });
  expect(response.status).toBe(202);
}

const statusOf = async (url: string) => {
  const { pathname, search } = new URL(url);
  const response = await request(`${pathname}${search}`);
  await response.body?.cancel();
  return response.status;
};

/** How much of a user is recorded. */
async function recorded(user: string): Promise<Record<string, number>> {
  const counts = ['files', 'file_uses', 'upload_days'].map(async (table) => {
    const sql = `SELECT count(*) AS rows FROM ${table} WHERE user = ?`;
    return [table, (await env.DB.prepare(sql).bind(user).first<number>('rows')) ?? 0] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}

const stored = async () => (await env.FILES.list()).objects.map(({ key }) => key);

/** The hub records what is due. */
const record = (user: string) => runInDurableObject(hubOf(user), (hub) => hub.alarm());

const clearUp = () => worker.scheduled(createScheduledController(), env);

describe('an upload that breaks off leaves nothing, in R2 or in the records', () => {
  /** A body of so many MiB that ends in a fault. */
  const broken = (parts: number) =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if (parts-- > 0) controller.enqueue(new Uint8Array(1_048_576));
        else controller.error(new Error('gone'));
      },
    });

  test.each([
    ['with a length', broken(3), 20_000_000],
    ['with a length, before anything came', broken(0), 20_000_000],
    ['without a length', broken(3), undefined],
    ['without a length, in parts', broken(12), undefined],
    ['without a length, too large', broken(26), undefined],
    ['with a length, too short', new Response(new Uint8Array(1_000)).body, 2_000],
  ])('%s', async (_, body, size) => {
    const user = someone();
    const before = await stored();
    const source = new ByteSource(body ?? broken(0), 26_214_400, 1_000);
    const file = { filename: 'x', mimetype: 'text/plain' };
    await expect(files.upload(ownerOf(user), file, source, size)).rejects.toThrow(/broke off|more than/);
    expect(await stored()).toEqual(before);
    expect(await recorded(user)).toMatchObject({ files: 0, file_uses: 0 });
  });

  test.each([
    ['with a length', 4],
    ['without a length', undefined],
  ])('%s, when its user was erased meanwhile', async (_, size) => {
    const user = someone();
    const before = await stored();
    const begun = Promise.withResolvers<void>();
    const rest = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new Uint8Array(2));
        await rest.promise;
        controller.enqueue(new Uint8Array(2));
        controller.close();
      },
    });
    const reserve = vi.spyOn(FileRows.prototype, 'reserve').mockImplementation(async function (
      this: FileRows,
      ...reserved
    ) {
      reserve.mockRestore();
      await this.reserve(...reserved);
      begun.resolve();
    });
    const file = { filename: 'x', mimetype: 'text/plain' };
    const uploaded = files.upload(ownerOf(user), file, new ByteSource(body, 100, 5_000), size);
    await begun.promise;
    await files.deleteOfUser(ownerOf(user));
    rest.resolve();
    await expect(uploaded).rejects.toMatchObject({ code: 'conflict' });
    expect(await stored()).toEqual(before);
    expect(await recorded(user)).toMatchObject({ files: 0, upload_days: 0 });
  });

  test.each([1_000, 10_000_000])('when R2 takes none of %i bytes', async (size) => {
    const user = someone();
    const put = vi.spyOn(env.FILES, 'put').mockRejectedValue(new Error('no room'));
    try {
      expect((await upload(user, new Uint8Array(size))).status).toBe(500);
    } finally {
      put.mockRestore();
    }
    expect(await recorded(user)).toMatchObject({ files: 0 });
  });
});

describe('files that no message uses', () => {
  test('go with the first run after a day, and not before; the others stay', async () => {
    const user = someone();
    const [unused, used] = [(await upload(user)).body, (await upload(user)).body];
    await say(user, 'default', used.id);
    await clearUp();
    expect(await statusOf(unused.url)).toBe(200);
    later(60_000);
    await record(user);
    later(DAY_MS);
    await clearUp();
    expect(await stored()).toContain(`files/${used.id}`);
    expect(await stored()).not.toContain(`files/${unused.id}`);
    later(30 * DAY_MS);
    await clearUp();
    expect(await stored()).toContain(`files/${used.id}`);
    expect(await recorded(user)).toMatchObject({ files: 1, file_uses: 1 });
  });

  test('wait longer where a message has named them that is not recorded yet', async () => {
    const user = someone();
    const { id } = (await upload(user)).body;
    await say(user, 'default', id);
    later(2 * DAY_MS);
    await clearUp();
    expect(await stored()).toContain(`files/${id}`);
    await record(user);
    later(30 * DAY_MS);
    await clearUp();
    expect(await stored()).toContain(`files/${id}`);
  });

  test('go however many there are, in bounded steps', async () => {
    const user = someone();
    for (let n = 0; n < 230; n += 1)
      await files.rows.add(ownerOf(user), {
        id: `file_${n}`,
        filename: 'f',
        mimetype: 'text/plain',
        size: 1,
      });
    later(DAY_MS + 1_000);
    await clearUp();
    expect(await recorded(user)).toMatchObject({ files: 0 });
  });

  test('go with the next run where one broke off between the bytes and the records', async () => {
    const user = someone();
    const { id, url } = (await upload(user)).body;
    const forget = vi.spyOn(FileRows.prototype, 'forget').mockRejectedValueOnce(new Error('D1 is down'));
    await expect(files.deleteOfUser(ownerOf(user))).rejects.toThrow('D1 is down');
    forget.mockRestore();
    expect(await statusOf(url)).toBe(404);
    // Being deleted, it cannot be used any more.
    expect(await files.claim(ownerOf(user), 'default', [{ id }])).toEqual(new Map());
    await clearUp();
    expect(await recorded(user)).toEqual({ files: 0, file_uses: 0, upload_days: 0 });
  });
});

describe('files of the upstream', () => {
  const file = (text: string) => ({
    kind: 'file',
    filename: 'a.txt',
    mimetype: 'text/plain',
    data: btoa(text),
  });

  test('are kept with the history that shows them', async () => {
    const user = someone();
    await connect(user);
    const [result] = await post(user, [file('for ever')]);
    later(60_000);
    await record(user);
    later(30 * DAY_MS);
    await clearUp();
    expect(await stored()).toContain(`files/${result?.id}`);
    expect(await recorded(user)).toMatchObject({ files: 1, file_uses: 1, upload_days: 0 });
  });

  test('are taken while D1 is down, and recorded when it is up', async () => {
    const user = someone();
    const add = vi.spyOn(FileRows.prototype, 'add').mockRejectedValue(new Error('D1 is down'));
    const [result] = await post(user, [file('no row yet')]);
    add.mockRestore();
    expect(result).toMatchObject({ id: expect.any(String) });
    expect(await recorded(user)).toMatchObject({ files: 0 });
    later(60_000);
    await record(user);
    expect(await recorded(user)).toMatchObject({ files: 1, file_uses: 1 });
  });

  test('of a /v1 request go in their time, also where they came while D1 was down', async () => {
    const user = someone();
    const response = await request('/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenOf(user)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'silent' }] }),
    });
    const id = response.headers.get('x-request-id') ?? '';
    const add = vi.spyOn(FileRows.prototype, 'add').mockRejectedValue(new Error('D1 is down'));
    const channel = `sse:${id}`;
    const [sent] = await post('', [
      { ...file('no row'), channel },
      { kind: 'done', channel },
    ]);
    add.mockRestore();
    await response.text();
    const bytes = async () => (await files.info(sent?.id ?? '')) !== undefined;
    const alarm = () => runDurableObjectAlarm(env.REQUEST_STREAM.getByName(id));
    later(2 * 3_600_000);
    const remember = vi.spyOn(FileRows.prototype, 'remember').mockRejectedValue(new Error('D1 is down'));
    expect(await alarm()).toBe(true);
    remember.mockRestore();
    expect(await recorded(user)).toMatchObject({ files: 0 });
    expect(await alarm()).toBe(true);
    expect(await recorded(user)).toMatchObject({ files: 1 });
    expect(await bytes()).toBe(true);
    vi.useRealTimers();
    later(2 * DAY_MS);
    await clearUp();
    expect(await bytes()).toBe(false);
    expect(await recorded(user)).toMatchObject({ files: 0 });
  });

  test('go at once where their event is refused, and their record with the next run after a day', async () => {
    const user = someone();
    const before = await stored();
    const [result] = await post(user, [{ ...file('x'), turn: 'turn_unknown' }]);
    expect(result?.error).toMatchObject({ code: 'not_found' });
    expect(await stored()).toEqual(before);
    later(DAY_MS + 1_000);
    await clearUp();
    expect(await recorded(user)).toMatchObject({ files: 0 });
  });
});

describe('deleting', () => {
  test('a conversation takes the files that only it uses: their urls are 404', async () => {
    const [user, other] = [someone(), someone()];
    const [own, shared] = [(await upload(user)).body, (await upload(user)).body];
    const elsewhere = (await upload(other)).body;
    const statuses = () => Promise.all([own, shared, elsewhere].map(({ url }) => statusOf(url)));
    await say(user, 'one', own.id, shared.id);
    await say(user, 'two', shared.id);
    await say(other, 'one', elsewhere.id);
    await files.deleteOfConversation(ownerOf(user), 'one');
    expect(await statuses()).toEqual([404, 200, 200]);
    await files.deleteOfConversation({ tenant: 'acme', user }, 'two');
    expect(await statuses()).toEqual([404, 200, 200]);
    await files.deleteOfConversation(ownerOf(user), 'two');
    expect(await statuses()).toEqual([404, 404, 200]);
    expect(await recorded(user)).toMatchObject({ files: 0, file_uses: 0 });
    expect(await recorded(other)).toMatchObject({ files: 1, file_uses: 1 });
  });

  test('a conversation takes them as well when they are recorded', async () => {
    const user = someone();
    const { id, url } = (await upload(user)).body;
    await say(user, 'one', id);
    later(60_000);
    await record(user);
    await files.deleteOfConversation(ownerOf(user), 'one');
    expect(await stored()).not.toContain(`files/${id}`);
    vi.useRealTimers();
    expect(await statusOf(url)).toBe(404);
  });

  test('a conversation leaves what it uses since, where its deletion comes late to the records', async () => {
    const user = someone();
    const [before, both, after] = [await upload(user), await upload(user), await upload(user)].map(
      ({ body }) => body,
    );
    if (!before || !both || !after) throw new Error('not uploaded');
    await say(user, 'one', before.id, both.id);
    const deletedAt = Date.now() / 1000;
    later(1_000);
    await say(user, 'one', both.id, after.id);
    await files.deleteOfConversation(ownerOf(user), 'one', deletedAt);
    expect(await Promise.all([before, both, after].map(({ url }) => statusOf(url)))).toEqual([404, 200, 200]);
  });

  test('a user takes all of them, used and unused, and nobody else’s', async () => {
    const [user, other] = [someone(), someone()];
    const [used, unused] = [(await upload(user)).body, (await upload(user)).body];
    const others = (await upload(other)).body;
    await say(user, 'one', used.id);
    await files.deleteOfUser(ownerOf(user));
    expect(await Promise.all([used, unused, others].map(({ url }) => statusOf(url)))).toEqual([
      404, 404, 200,
    ]);
    expect(await recorded(user)).toEqual({ files: 0, file_uses: 0, upload_days: 0 });
    expect(await recorded(other)).toMatchObject({ files: 1, upload_days: 1 });
  });
});

test('P-UP-2 a file of a delivery that has gone since has no bytes; the others have theirs', async () => {
  const user = someone();
  const [gone, kept] = [(await upload(user)).body, (await upload(user, 'Still here')).body];
  await files.drop(gone.id);
  const attachments = [gone, kept].map(({ id, url }) => ({ id, url, filename: 'f', mimetype: '', size: 5 }));
  const [first, second] = attachedFiles(files, { attachments });
  await expect(first?.data()).rejects.toThrow('gone');
  expect(new TextDecoder().decode(await second?.data())).toBe('Still here');
  expect(second?.url).toMatch(new RegExp(`^${new URL(kept.url).origin}/files/${kept.id}/f\\?`));
});

test('the records of files are of one tenant: under another nothing is found, changed or deleted', async () => {
  const user = someone();
  const { id, url } = (await upload(user)).body;
  const stranger = { tenant: 'acme', user };
  const forged = { id, filename: '', mimetype: '', size: 99 };
  expect(await files.claim(stranger, 'default', [{ id }])).toEqual(new Map());
  await files.rows.settle(stranger, forged, 0);
  await files.rows.release(stranger, forged, 0);
  await files.deleteOfUser(stranger);
  expect(await statusOf(url)).toBe(200);
  expect(await recorded(user)).toMatchObject({ files: 1, file_uses: 0, upload_days: 1 });
  const [row] = (await files.claim(ownerOf(user), 'default', [{ id }])).values();
  expect(row).toMatchObject({ id, size: 5 });
});

test('a message whose files cannot be looked up is refused and may be sent again', async () => {
  const user = someone();
  const client = await connect(user);
  const { id } = (await upload(user)).body;
  const claim = vi.spyOn(FileRows.prototype, 'claim').mockRejectedValueOnce(new Error('D1 is down'));
  const message = { type: 'message', client_id: 'c', text: 'silent', attachments: [{ id }] };
  client.send(message);
  expect(await client.until(({ type }) => type === 'error')).toMatchObject({
    code: 'internal',
    retryable: true,
    client_id: 'c',
  });
  claim.mockRestore();
  client.send(message);
  expect(await client.until(({ type }) => type === 'ack')).toMatchObject({
    client_id: 'c',
    duplicate: false,
  });
});
