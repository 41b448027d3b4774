import { TURN_OUTCOMES, type TurnEnd, type TurnOutcome } from '../protocol/turn-outcome.ts';
import { ofAllTenants, ofTenant } from './scope.ts';

const MINUTE_S = 60;
const HOUR_S = 3_600;

/** The turns of a tenant that ended within the last hour. */
export interface TurnHour {
  turns: Record<TurnOutcome, number>;
  /** Unix seconds, to the minute: when the upstream last answered a turn, and last failed one. */
  answered_at: number | null;
  failed_at: number | null;
}

/**
 * How turns ended, counted by tenant and minute for an hour. The hubs count when they drain their journals, `/v1` requests when
 * they end: no message costs anything. A crash between counting and noting that it was done may count a turn twice; of a
 * `/v1` request that a crash ends, the count may be lost.
 */
export class TurnCounts {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async add(tenant: string, ends: readonly TurnEnd[]): Promise<void> {
    if (ends.length === 0) return;
    const counts = new Map<string, { minute: number; outcome: TurnOutcome; turns: number }>();
    for (const { outcome, at } of ends) {
      const minute = Math.floor(at / MINUTE_S);
      const known = counts.get(`${minute} ${outcome}`) ?? { minute, outcome, turns: 0 };
      counts.set(`${minute} ${outcome}`, { ...known, turns: known.turns + 1 });
    }
    const scope = ofTenant(this.#db, tenant);
    await scope.batch([
      scope.statement(
        `INSERT INTO turn_counts (tenant, minute, outcome, turns)
         SELECT ?1, value ->> 'minute', value ->> 'outcome', value ->> 'turns' FROM json_each(?2) WHERE true
         ON CONFLICT (tenant, minute, outcome) DO UPDATE SET turns = turns + excluded.turns`,
        JSON.stringify([...counts.values()]),
      ),
      scope.statement(
        'DELETE FROM turn_counts WHERE tenant = ?1 AND minute < ?2',
        Math.floor((Date.now() / 1000 - HOUR_S) / MINUTE_S),
      ),
    ]);
  }

  /** The last hour of each of some tenants. */
  async lastHour(tenants: readonly string[]): Promise<Map<string, TurnHour>> {
    const { results } = await ofAllTenants(this.#db)
      .statement(
        `SELECT tenant, outcome, SUM(turns) AS turns, MAX(minute) AS minute FROM turn_counts
         WHERE tenant IN (SELECT value FROM json_each(?1)) AND minute > ?2 GROUP BY tenant, outcome`,
        JSON.stringify(tenants),
        Math.floor((Date.now() / 1000 - HOUR_S) / MINUTE_S),
      )
      .all<{ tenant: string; outcome: TurnOutcome; turns: number; minute: number }>();
    return new Map(
      tenants.map((tenant) => {
        const rows = new Map(results.filter((row) => row.tenant === tenant).map((row) => [row.outcome, row]));
        const at = (outcome: TurnOutcome) => {
          const minute = rows.get(outcome)?.minute;
          return minute === undefined ? null : minute * MINUTE_S;
        };
        const turns = Object.fromEntries(
          TURN_OUTCOMES.map((outcome) => [outcome, rows.get(outcome)?.turns ?? 0]),
        ) as Record<TurnOutcome, number>;
        return [tenant, { turns, answered_at: at('completed'), failed_at: at('upstream_failed') }];
      }),
    );
  }
}
