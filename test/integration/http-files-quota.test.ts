import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startServer } from './server.ts';
import { upload, uploaded } from './upload.ts';
import { type Person, refused, useWorld, World } from './world.ts';

const limits = (fields: object) => ({ env: { LIMITS: JSON.stringify(fields) } });
const few = useWorld(limits({ unused_files: 2, unused_file_bytes: 1_000 }));
const daily = useWorld(limits({ upload_bytes_per_day: 1_000 }));
/** One upload at a time, and nobody may be slow. */
const single = useWorld(limits({ unused_files: 1, upload_silence_ms: 300 }));

const full = refused(429, 'rate_limited');
const bytes = (size: number) => ({ body: Buffer.alloc(size, 'x') });

describe('limits: files that wait for a message', () => {
  test('so many of a user, whatever others have, until messages use them', async () => {
    const [person, other] = [await few().person(), await few().person()];
    const files = [await uploaded(few(), person), await uploaded(few(), person)];
    expect(await upload(few(), person)).toMatchObject(full);
    await uploaded(few(), other);
    await uploaded(few(), await few().person({ sub: person.id, tenant: 'acme' }));
    await few().turnByHttp(person, { attachments: files.slice(0, 1).map(({ id }) => ({ id })) });
    await uploaded(few(), person);
    expect(await upload(few(), person)).toMatchObject(full);
  });

  test('so many bytes of a user', async () => {
    const person = await few().person();
    expect(await upload(few(), person, bytes(1_001))).toMatchObject(full);
    await uploaded(few(), person, bytes(600));
    expect(await upload(few(), person, bytes(401))).toMatchObject(full);
    await uploaded(few(), person, bytes(400));
  });

  test('however many come at once', async () => {
    const person = await few().person();
    const replies = await Promise.all(Array.from({ length: 10 }, () => upload(few(), person)));
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 201, ...Array(8).fill(429)]);
  });
});

test('limits: so many bytes of a user in one day, used or not, and when to come back', async () => {
  const [person, other] = [await daily().person(), await daily().person()];
  const { id } = await uploaded(daily(), person, bytes(700));
  await daily().turnByHttp(person, { attachments: [{ id }] });
  const reply = await upload<{ error: { retry_after: number } }>(daily(), person, bytes(301));
  expect(reply).toMatchObject(full);
  expect(reply.body.error.retry_after).toBeGreaterThan(0);
  expect(reply.body.error.retry_after).toBeLessThanOrEqual(86_400);
  expect(reply.headers.get('retry-after')).toBe(String(reply.body.error.retry_after));
  await uploaded(daily(), person, bytes(300));
  await uploaded(daily(), other, bytes(1_000));
});

describe('limits: an upload that does not come to its end leaves nothing', () => {
  /** Begins an upload of 1,000,000 bytes, declared or not; resolves when some of them are on their way. */
  async function begun({ token }: Person, declared: boolean) {
    const sent = request(`${single().origin}/api/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, ...(declared ? { 'content-length': 1_000_000 } : {}) },
    });
    await new Promise((resolve) => sent.write(Buffer.alloc(100_000), resolve));
    return sent;
  }

  test.each([true, false])('broken off by its client (with a length: %s)', async (declared) => {
    const person = await single().person();
    const sent = await begun(person, declared);
    sent.on('error', () => {}).destroy();
    await expect.poll(async () => (await upload(single(), person)).status).toBe(201);
  });

  test.each([true, false])('fallen silent (with a length: %s): 400', async (declared) => {
    const person = await single().person();
    const sent = await begun(person, declared);
    const [response] = await once(sent, 'response');
    expect(response.statusCode).toBe(400);
    sent.on('error', () => {}).destroy();
    expect((await upload(single(), person)).status).toBe(201);
  });
});

test('limits: a file that no message uses is gone after its time, one that is used stays', async () => {
  const state = await mkdtemp(join(tmpdir(), 'starwire-'));
  try {
    const first = new World(await startServer({ state, ...limits({ upload_keep_ms: 1 }) }));
    const person = await first.person();
    const kept = await uploaded(first, person);
    await first.server.stop();
    // Its time was over at once; whoever names a file in time keeps it.
    const second = new World(await startServer({ state }));
    await expect.poll(async () => (await second.as(person, new URL(kept.url).pathname)).status).toBe(404);
    const used = await uploaded(second, person);
    await second.turnByHttp(person, { attachments: [{ id: used.id }] });
    await second.server.stop();
    const third = new World(await startServer({ state, ...limits({ upload_keep_ms: 1 }) }));
    expect((await third.as(person, new URL(used.url).pathname)).status).toBe(200);
    expect(
      await third.as(person, '/api/messages', {
        body: { client_id: 'x', text: '', attachments: [{ id: kept.id }] },
      }),
    ).toMatchObject(refused(404, 'not_found', 'attachments'));
    await third.server.stop();
  } finally {
    await rm(state, { recursive: true, force: true });
  }
});
