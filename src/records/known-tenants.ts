import { ofAllTenants, ofTenant } from './scope.ts';

/** Every tenant that ever had somebody here, was given a key, or an upstream of its own. */
export class KnownTenants {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async add(tenant: string): Promise<void> {
    await ofTenant(this.#db, tenant)
      .statement('INSERT INTO known_tenants (tenant) VALUES (?1) ON CONFLICT (tenant) DO NOTHING')
      .run();
  }

  /** By name, the first `limit` behind `after`. */
  async list(limit: number, after: string): Promise<string[]> {
    const { results } = await ofAllTenants(this.#db)
      .statement(
        `SELECT tenant FROM known_tenants WHERE tenant > ?1
         UNION SELECT tenant FROM tenants WHERE tenant > ?1
         UNION SELECT tenant FROM api_keys WHERE tenant > ?1
         ORDER BY tenant LIMIT ?2`,
        after,
        limit,
      )
      .all<{ tenant: string }>();
    return results.map(({ tenant }) => tenant);
  }

  /** How many API keys each of some tenants has. */
  async keys(tenants: readonly string[]): Promise<Map<string, number>> {
    const { results } = await ofAllTenants(this.#db)
      .statement(
        'SELECT tenant, COUNT(*) AS keys FROM api_keys WHERE tenant IN (SELECT value FROM json_each(?1)) GROUP BY tenant',
        JSON.stringify(tenants),
      )
      .all<{ tenant: string; keys: number }>();
    return new Map(results.map(({ tenant, keys }) => [tenant, keys]));
  }
}
