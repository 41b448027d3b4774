import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { randomUUID } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { admissionsOf, runningRequests } from '../../src/objects/admissions.ts';
import { presenceOf } from '../../src/objects/presence.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { connect, internal, someone } from './harness.ts';

interface Online {
  active_users: string[];
  total_connections: number;
  approximate: boolean;
}

const online = () => internal<Online>('/users');
const candidates = async () => (await presenceOf(env).candidates('default')).map(({ user }) => user);
const sessionsOf = (user: string) =>
  internal<{ online: boolean; sessions: unknown[] }>(`/users/${encodeURIComponent(user)}`);

describe('the Directory', () => {
  test('a user is there with the first tab and gone with the last, in every script', async () => {
    const user = someone('Zoë 漢字 😀');
    const before = (await online()).total_connections;
    const [one, two] = [await connect(user), await connect(user)];
    expect((await online()).active_users).toContain(user);
    expect((await online()).total_connections).toBe(before + 2);
    one.close();
    await vi.waitUntil(async () => (await sessionsOf(user)).sessions.length === 1);
    expect(await candidates()).toContain(user);
    two.close();
    await vi.waitUntil(async () => !(await candidates()).includes(user));
    expect((await online()).active_users).not.toContain(user);
    expect(await sessionsOf(user)).toEqual({ online: false, sessions: [] });
  });

  test('a tab that comes at once after the last one went leaves the user there', async () => {
    const user = someone();
    for (let i = 0; i < 10; i += 1) {
      const tab = await connect(user);
      tab.close();
      const next = await connect(user);
      await vi.waitUntil(async () => (await sessionsOf(user)).sessions.length === 1);
      expect(await candidates()).toContain(user);
      next.close();
      await next.untilClosed();
    }
  });

  test('what a crash left behind is pruned by those who read', async () => {
    const user = someone();
    const tab = await connect(user);
    await abortAllDurableObjects();
    await tab.untilClosed();
    expect(await candidates()).toContain(user);
    expect((await online()).active_users).not.toContain(user);
    expect(await candidates()).not.toContain(user);
  });

  test('a stale report loses', async () => {
    const user = someone();
    const presence = presenceOf(env);
    await presence.report('default', user, 5, true);
    await presence.report('default', user, 4, false);
    expect(await candidates()).toContain(user);
    await presence.report('default', user, 6, false);
    await presence.report('default', user, 5, true);
    expect(await candidates()).not.toContain(user);
  });

  test('tenants do not see each other', async () => {
    const user = someone();
    await connect(user);
    const { active_users } = await internal<Online>('/users?tenant=acme');
    expect(active_users).not.toContain(user);
  });
});

test('a /v1 request that a crash ended leaves no open turn behind: it is found when somebody asks', async () => {
  const who = { tenant: `tenant-${randomUUID()}`, user: 'Zoë 漢字 😀' };
  const admissions = () => admissionsOf(env, who);
  const running = async () => (await runningRequests(env, who.tenant, 100)).requests;
  const { open_completions } = DEFAULT_LIMITS;
  for (let n = 0; n < open_completions; n++)
    expect(await admissions().admit(who.user, `req_lost_${n}`)).toEqual({ value: undefined });
  // The same one again is counted once, another is one too many; somebody else has requests of their own.
  expect(await admissions().admit(who.user, 'req_lost_0')).toEqual({ value: undefined });
  expect(await admissions().admit(who.user, 'req_next')).toMatchObject({ error: { code: 'rate_limited' } });
  const other = { ...who, user: 'other' };
  expect(await admissionsOf(env, other).admit(other.user, 'req_other')).toEqual({ value: undefined });
  await admissionsOf(env, other).release(other.user, 'req_other');
  // As long as a request may still be on its way to its object, it counts.
  expect(await running()).toBe(open_completions);
  await runInDurableObject(admissions(), (_, { storage }) => {
    const [[key, open] = expect.fail()] = [...storage.kv.list<Record<string, number>>()].filter(([name]) =>
      name.endsWith(who.user),
    );
    storage.kv.put(
      key,
      Object.fromEntries(Object.entries(open).map(([request, since]) => [request, since - 60_000])),
    );
  });
  await abortAllDurableObjects();
  expect(await admissions().admit(who.user, 'req_next')).toEqual({ value: undefined });
  expect(await running()).toBe(1);
  await admissions().release(who.user, 'req_next');
  expect(await running()).toBe(0);
});
