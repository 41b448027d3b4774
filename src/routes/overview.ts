import { runningRequests } from '../objects/admissions.ts';
import { online } from '../objects/online.ts';
import type { Overview, TenantView } from '../protocol/overview.ts';
import { KnownTenants } from '../records/known-tenants.ts';
import { TurnCounts, type TurnHour } from '../records/turn-counts.ts';
import { type Ctx, use } from './app.ts';

/** Tenants of one answer: each asks the Directory's shards. */
const TENANTS = 25;
/** Hubs that one answer asks, over all its tenants; beyond them numbers are approximate. */
const HUBS = 500;

/** The numbers of one tenant, or of all, a page at a time; who is here is verified with each one's own object. */
export async function overview(c: Ctx, only: string | undefined, after: string): Promise<Overview> {
  const known = new KnownTenants(c.env.DB);
  const names = only === undefined ? await known.list(TENANTS, after) : [only];
  const [keys, hours] = await Promise.all([known.keys(names), new TurnCounts(c.env.DB).lastHour(names)]);
  const tenants: TenantView[] = [];
  let hubs = HUBS;
  for (const tenant of names) {
    const here = await online(c.env, tenant, hubs);
    const running = await runningRequests(c.env, tenant, hubs);
    hubs = Math.max(0, hubs - here.asked - running.asked);
    const { turns, ...health } = hours.get(tenant) ?? NOTHING;
    const { mode } = (await use(c).tenants.upstreamOf(tenant)) ?? use(c).config.upstream;
    tenants.push({
      tenant,
      users_online: here.users.length,
      connections: here.connections,
      turns_running: here.turns + running.requests,
      turns_last_hour: turns,
      api_keys: keys.get(tenant) ?? 0,
      upstream: { mode, state: stateOf(health), ...health },
      approximate: here.approximate || running.approximate,
    });
  }
  return { tenants, next: only === undefined && names.length === TENANTS ? (names.at(-1) ?? null) : null };
}

const NOTHING: TurnHour = {
  turns: { completed: 0, failed: 0, upstream_failed: 0, cancelled: 0, expired: 0 },
  answered_at: null,
  failed_at: null,
};

function stateOf({ answered_at, failed_at }: Pick<TurnHour, 'answered_at' | 'failed_at'>) {
  if (answered_at === null && failed_at === null) return 'unknown';
  return (failed_at ?? 0) > (answered_at ?? 0) ? 'failing' : 'ok';
}
