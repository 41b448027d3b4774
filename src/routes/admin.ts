import { Hono } from 'hono';
import { routePath } from 'hono/route';
import { isInternal } from '../auth/internal.ts';
import { tenantsOf } from '../auth/roles.ts';
import { StarwireError } from '../protocol/errors.ts';
import { Tenant } from '../protocol/identity.ts';
import type { Overview, TenantView } from '../protocol/overview.ts';
import { parse } from '../protocol/parse.ts';
import { VERSION } from '../version.ts';
import { type AppEnv, audit, type Ctx, use } from './app.ts';
import { requireRoles } from './door.ts';
import { overview } from './overview.ts';

/** For operators: what is going on, by tenant. A platform admin sees all of them, a tenant admin the own one. */
export const admin = new Hono<AppEnv>();

admin.get('/admin', async (c) => {
  const seen = await read(c, await scopeOf(c));
  // For people who ask with curl: spread over lines.
  return c.body(`${JSON.stringify({ version: VERSION, ...seen }, null, 2)}\n`, 200, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
  });
});

/** The same numbers as Prometheus reads them; the internal token does, too. */
admin.get('/metrics', async (c) => {
  const internal = isInternal(c.req.header('authorization'), use(c).config.internal_tokens);
  const seen = await read(c, internal ? undefined : await scopeOf(c));
  return c.body(exposition(seen), 200, {
    'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    'cache-control': 'no-store',
  });
});

/** The tenant that the caller may look into; undefined for any. Throws `forbidden`. */
async function scopeOf(c: Ctx): Promise<string | undefined> {
  const who = await requireRoles(c);
  const tenant = tenantsOf(who);
  audit(c, 'admin read', { tenant: who.tenant, user: who.user, route: routePath(c) });
  return tenant;
}

async function read(c: Ctx, mine: string | undefined): Promise<Overview> {
  const { tenant, after } = c.req.query();
  const asked = tenant === undefined ? undefined : parse(Tenant, tenant, 'tenant');
  if (mine !== undefined && asked !== undefined && asked !== mine)
    throw new StarwireError('forbidden', 'this is not your tenant', { field: 'tenant' });
  return overview(c, mine ?? asked, after === undefined ? '' : parse(Tenant, after, 'tenant of "after"'));
}

const GAUGES: readonly [string, string, (seen: TenantView) => number | undefined][] = [
  ['starwire_users_online', 'Users with a connection', (seen) => seen.users_online],
  ['starwire_connections', 'Open connections', (seen) => seen.connections],
  ['starwire_turns_running', 'Open turns', (seen) => seen.turns_running],
  ['starwire_api_keys', 'API keys', (seen) => seen.api_keys],
  [
    'starwire_upstream_up',
    'Whether the upstream answered the last turn that ended (absent: none did within an hour)',
    ({ upstream: { state } }) => (state === 'unknown' ? undefined : Number(state === 'ok')),
  ],
];

/** Names of tenants need no escaping: they have neither quotes nor backslashes. */
function exposition({ tenants, next }: Overview): string {
  const lines = [
    '# HELP starwire_info The version that runs',
    '# TYPE starwire_info gauge',
    `starwire_info{version="${VERSION}"} 1`,
    '# HELP starwire_tenants_left_off Whether there are more tenants: ask again with ?after= the last one',
    '# TYPE starwire_tenants_left_off gauge',
    `starwire_tenants_left_off ${next === null ? 0 : 1}`,
  ];
  for (const [name, help, value] of GAUGES) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
    for (const seen of tenants) {
      const number = value(seen);
      if (number !== undefined) lines.push(`${name}{tenant="${seen.tenant}"} ${number}`);
    }
  }
  lines.push(
    '# HELP starwire_turns_last_hour Turns that ended within the last hour',
    '# TYPE starwire_turns_last_hour gauge',
  );
  for (const { tenant, turns_last_hour } of tenants)
    for (const [outcome, turns] of Object.entries(turns_last_hour))
      lines.push(`starwire_turns_last_hour{tenant="${tenant}",outcome="${outcome}"} ${turns}`);
  return `${lines.join('\n')}\n`;
}
