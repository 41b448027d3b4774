import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { complete } from './v1.ts';
import { type Person, refused, useWorld } from './world.ts';

const world = useWorld({
  env: {
    LIMITS: JSON.stringify({
      completions_burst: 6,
      completions_per_minute: 6,
      open_completions: 2,
      messages_burst: 1_000,
      refused_burst: 3,
      refused_per_minute: 6,
      tenant_requests_burst: 60,
      tenant_requests_per_minute: 60,
      sse_grace_ms: 100,
      sse_heartbeat_ms: 100,
    }),
  },
});

/** Of a tenant of its own: what other tests ask for does not count. */
const someone = (tenant = `t-${randomUUID()}`) => world().person({ tenant });
const say = (content: string) => ({ messages: [{ role: 'user', content }] });
const ask = ({ token }: Person, content: string, options: Parameters<typeof complete>[3] = {}) =>
  complete(world(), token, { ...say(content), stream: true }, options);
/** An address by which nobody else comes. */
const from = (address: string) => ({ 'cf-connecting-ip': address });

describe('/v1 has limits of its own', () => {
  test('so many requests at once, then 429 with when to come back, in the OpenAI shape', async () => {
    const person = await someone();
    for (let n = 0; n < 6; n++) {
      const answer = await ask(person, 'hello');
      expect(answer.status).toBe(200);
      await answer.text();
    }
    const over = await ask(person, 'hello');
    expect(over.status).toBe(429);
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await over.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'rate_limited' } });
    expect((await ask(await someone(person.tenant), 'hello')).status).toBe(200);
  });

  test('so many open at once; one that its client left is cancelled, and makes room', async () => {
    const person = await someone();
    const gone = new AbortController();
    expect((await ask(person, 'silent', { signal: gone.signal })).status).toBe(200);
    expect((await ask(person, 'silent')).status).toBe(200);
    const full = await ask(person, 'hello');
    expect(full.status).toBe(429);
    expect(full.headers.get('retry-after')).toBe('1');
    // Turns of the socket are counted by themselves.
    await world().turnByHttp(person);
    gone.abort();
    await expect.poll(async () => (await ask(person, 'silent')).status, { timeout: 10_000 }).toBe(200);
  });

  test('the same Idempotency-Key again is the same request: it counts once', async () => {
    const person = await someone();
    for (let n = 0; n < 10; n++) {
      const again = await ask(person, 'hello', { headers: { 'idempotency-key': 'one' } });
      expect(again.status).toBe(200);
      await again.text();
    }
  });
});

describe('refused credentials are counted by address', () => {
  const address = '203.0.113.7';
  const bad = (headers: Record<string, string>) => world().as({ token: 'nonsense' }, '/api/me', { headers });

  test('who is refused too often is refused unseen, and told when to come back; others are not', async () => {
    for (let n = 0; n < 3; n++) expect(await bad(from(address))).toMatchObject(refused(401, 'unauthorized'));
    const over = await bad(from(address));
    expect(over).toMatchObject(refused(429, 'rate_limited'));
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
    for (const path of ['/v1/models', '/internal/users', '/metrics', '/admin'])
      expect((await world().http(path, { headers: from(address) })).status).toBe(429);
    const socket = await world().open({ token: 'nonsense', headers: from(address) });
    expect((await socket.closed).code).toBe(4008);
    expect(socket.frames).toMatchObject([
      { type: 'error', code: 'rate_limited', retry_after: expect.any(Number) },
    ]);
    expect((await bad(from('203.0.113.8'))).status).toBe(401);
    expect((await world().as(await someone(), '/api/me', { headers: from('203.0.113.8') })).status).toBe(200);
  });

  test('this machine itself is everybody behind a proxy of ours, and is not counted', async () => {
    for (let n = 0; n < 10; n++) expect((await bad({})).status).toBe(401);
  });
});

test('requests of one tenant are limited together, and leave those of others alone', async () => {
  const tenant = `t-${randomUUID()}`;
  const people = await Promise.all(Array.from({ length: 8 }, () => someone(tenant)));
  const statuses = await Promise.all(
    Array.from({ length: 80 }, async (_, n) => {
      const { status, headers } = await world().as(people[n % 8] as Person, '/api/me');
      if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      return status;
    }),
  );
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(60);
  expect(statuses).toContain(429);
  expect((await world().as(await someone(), '/api/me')).status).toBe(200);
});
