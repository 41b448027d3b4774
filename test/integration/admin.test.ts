import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Overview, TenantView } from '../../src/protocol/overview.ts';
import { type Person, refused, useWorld } from './world.ts';

const world = useWorld({ env: { LIMITS: JSON.stringify({ record_after_ms: 50 }) } });

const newTenant = () => `t-${randomUUID()}`;
const withRoles = (tenant: string, ...roles: string[]) => world().person({ tenant, roles });
const admin = (who: Pick<Person, 'token'>, query = '') => world().as<Overview>(who, `/admin${query}`);

async function viewOf(tenant: string): Promise<TenantView> {
  const { status, body } = await admin(await withRoles(tenant, 'tenant_admin'));
  expect(status).toBe(200);
  return body.tenants[0] ?? expect.fail('the tenant is not there');
}

const nothing = {
  users_online: 0,
  connections: 0,
  turns_running: 0,
  turns_last_hour: { completed: 0, failed: 0, upstream_failed: 0, cancelled: 0, expired: 0 },
  api_keys: 0,
  upstream: { mode: 'demo', state: 'unknown', answered_at: null, failed_at: null },
  approximate: false,
};

describe('GET /admin', () => {
  test('shows who is here, what runs and how turns ended', async () => {
    const tenant = newTenant();
    expect(await viewOf(tenant)).toEqual({ tenant, ...nothing });
    const [ada, bob] = [await world().person({ tenant }), await world().person({ tenant })];
    const tabs = [await world().connect(ada), await world().connect(ada)];
    await world().internal('/api-keys', { body: { tenant, user: ada.id } });
    const open = await world().turn(tabs[0] ?? expect.fail());
    // Somebody who is not connected has a turn, too.
    await world().turnByHttp(bob);
    expect(await viewOf(tenant)).toEqual({
      ...{ tenant, ...nothing, users_online: 1, connections: 2, turns_running: 2, api_keys: 1 },
    });
    await world().outbound([{ tenant, channel: ada.channel, kind: 'done', turn: open, text: 'well' }]);
    const failing = await world().turnByHttp(bob);
    const error = { label: 'Oh', type: 'upstream_http', message: 'm', hint: 'h' };
    await world().outbound([{ tenant, channel: bob.channel, kind: 'error', turn: failing, ...error }]);
    await expect
      .poll(async () => (await viewOf(tenant)).turns_last_hour, { timeout: 10_000 })
      .toEqual({ ...nothing.turns_last_hour, completed: 1, upstream_failed: 1 });
    const { upstream, turns_running } = await viewOf(tenant);
    expect(turns_running).toBe(1);
    expect(upstream).toMatchObject({ answered_at: expect.any(Number), failed_at: expect.any(Number) });
  });

  test('requests of /v1 count while they run and when they have ended', async () => {
    const person = await world().person({ tenant: newTenant() });
    const body = (content: string) => ({ messages: [{ role: 'user', content }] });
    expect((await world().as(person, '/v1/chat/completions', { body: body('hello') })).status).toBe(200);
    const ended = { ...nothing.turns_last_hour, completed: 1 };
    await expect
      .poll(() => viewOf(person.tenant), { timeout: 10_000 })
      .toMatchObject({ turns_running: 0, turns_last_hour: ended, upstream: { state: 'ok' } });
    const silent = new AbortController();
    await fetch(`${world().origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${person.token}` },
      body: JSON.stringify({ ...body('silent'), stream: true }),
      signal: silent.signal,
    });
    expect(await viewOf(person.tenant)).toMatchObject({ users_online: 0, turns_running: 1 });
    silent.abort();
  });

  test('platform admins see any tenant, tenant admins their own, users none', async () => {
    const [mine, other] = [newTenant(), newTenant()];
    await world().connect(await world().person({ tenant: other }));
    const boss = await withRoles(mine, 'tenant_admin');
    expect((await admin(boss)).body.tenants.map(({ tenant }) => tenant)).toEqual([mine]);
    expect(await admin(boss, `?tenant=${other}`)).toMatchObject(refused(403, 'forbidden'));
    const platform = await withRoles('default', 'platform_admin');
    expect((await admin(platform, `?tenant=${other}`)).body.tenants).toMatchObject([
      { tenant: other, users_online: 1 },
    ]);
    for (const roles of [[], ['user'], ['admin'], ['TENANT_ADMIN']])
      expect(await admin(await withRoles(mine, ...roles))).toMatchObject(refused(403, 'forbidden'));
    const { body: key } = await world().internal<{ api_key: string }>('/api-keys', {
      body: { tenant: mine, user: boss.id },
    });
    expect(await admin({ token: key.api_key })).toMatchObject(refused(403, 'forbidden'));
    const { body: tenantKey } = await world().internal<{ api_key: string }>('/api-keys', {
      body: { scope: 'tenant', tenant: mine },
    });
    const seen = await admin({ token: tenantKey.api_key });
    expect(seen.body.tenants.map(({ tenant }) => tenant)).toEqual([mine]);
  });

  test('lists every tenant that anybody was in, page by page', async () => {
    const tenants = Array.from({ length: 30 }, newTenant);
    for (const tenant of tenants) await world().internal('/api-keys', { body: { tenant, user: 'ada' } });
    const visited = newTenant();
    await (await world().connect(await world().person({ tenant: visited }))).close();
    const platform = await withRoles('default', 'platform_admin');
    const seen: string[] = [];
    for (let query = ''; ; ) {
      const { body } = await admin(platform, query);
      seen.push(...body.tenants.map(({ tenant }) => tenant));
      if (body.next === null) break;
      query = `?after=${body.next}`;
    }
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen).toEqual(expect.arrayContaining([...tenants, visited]));
  });

  test.each(['?tenant=Not%20one', '?after=..%2F', '?tenant='])('%s is bad_request', async (query) => {
    const platform = await withRoles('default', 'platform_admin');
    expect(await admin(platform, query)).toMatchObject(refused(400, 'bad_request'));
  });
});

describe('GET /metrics', () => {
  test('gives the same numbers as Prometheus reads them', async () => {
    const tenant = newTenant();
    await world().connect(await world().person({ tenant }));
    const platform = await withRoles('default', 'platform_admin');
    const { status, headers, body } = await world().as<string>(platform, `/metrics?tenant=${tenant}`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toContain(`starwire_users_online{tenant="${tenant}"} 1\n`);
    expect(body).toContain(`starwire_turns_last_hour{tenant="${tenant}",outcome="upstream_failed"} 0\n`);
    expect(body).not.toContain('starwire_upstream_up{');
    for (const line of body.trimEnd().split('\n'))
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) starwire_\w+ .+|starwire_\w+(?:\{(?:\w+="[^"\\]*",?)+\})? \d+)$/,
      );
  });

  test('is for the internal token, and for roles; tenant admins see their own', async () => {
    const tenant = newTenant();
    const { INTERNAL_TOKEN: token } = world().server.secrets;
    expect((await world().as({ token }, '/metrics')).status).toBe(200);
    const boss = await withRoles(tenant, 'tenant_admin');
    const { body } = await world().as<string>(boss, '/metrics');
    expect(new Set(body.match(/tenant="[^"]*"/g))).toEqual(new Set([`tenant="${tenant}"`]));
    expect(await world().as(await withRoles(tenant), '/metrics')).toMatchObject(refused(403, 'forbidden'));
    expect(await world().as({ token }, '/admin')).toMatchObject(refused(401, 'unauthorized'));
  });
});
