import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { post, request, someone, tokenOf } from './harness.ts';

/** What is stored of a request's body: the names of its parts. */
const partsOf = (id: string) =>
  runInDurableObject(env.REQUEST_STREAM.getByName(id), (_, { storage }) =>
    [...storage.kv.list({ prefix: 'body ' })].map(([name]) => name),
  );

test('P-OA-2 a body is kept in parts beside its turn, and goes when the turn has ended', async () => {
  const messages = [{ role: 'user', content: `silent ${'x'.repeat(2_500_000)}` }];
  const response = await request('/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf(someone())}` },
    body: JSON.stringify({ stream: true, messages }),
  });
  expect(response.status).toBe(200);
  const id = response.headers.get('x-request-id') ?? '';
  expect(await partsOf(id)).toEqual(['body 0', 'body 1', 'body 2']);
  await post('', [{ channel: `sse:${id}`, kind: 'done', text: 'heard' }]);
  expect(await response.text()).toContain('heard');
  expect(await partsOf(id)).toEqual([]);
});
