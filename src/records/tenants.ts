import type { Vault } from '../auth/vault.ts';
import type { OfferedModel, Upstream, UpstreamMode } from '../config.ts';
import { StarwireError } from '../protocol/errors.ts';
import { DEFAULT_TENANT } from '../protocol/identity.ts';
import { ofAllTenants, ofTenant } from './scope.ts';

/** How long an isolate may go by what it has read: a change takes effect within 60 s everywhere. */
const CACHE_MS = 30_000;
const CACHE_TENANTS = 1_000;
const PAGE = 100;

/** An upstream as it is stored: its secrets are sealed. */
export interface StoredUpstream extends Pick<Upstream, 'mode' | 'url' | 'model' | 'models'> {
  api_key?: string | undefined;
  /** A JSON list, sealed as one. */
  webhook_secrets?: string | undefined;
}

/** A tenant as it is stored. */
export interface TenantRecord {
  tenant: string;
  name: string;
  revision: number;
  upstream: StoredUpstream;
  /** Unix seconds. */
  updated_at: number;
}

/** What a tenant is to be. */
export interface TenantChange {
  name: string;
  upstream: Upstream;
}

interface Row {
  tenant: string;
  name: string;
  revision: number;
  mode: UpstreamMode;
  url: string | null;
  model: string | null;
  models: string;
  api_key: string | null;
  webhook_secrets: string | null;
  updated_at: number;
}

const COLUMNS = 'tenant, name, revision, mode, url, model, models, api_key, webhook_secrets, updated_at';

/** Upstreams of tenants. The one of the tenant `default`, and of every tenant without a row, is that of the variables. */
export class Tenants {
  readonly #db: D1Database;
  readonly #vault: Vault;
  readonly #cache = new Map<string, { upstream: StoredUpstream | undefined; until: number }>();

  constructor(db: D1Database, vault: Vault) {
    this.#db = db;
    this.#vault = vault;
  }

  /** A tenant's own upstream, as it was within the last 30 s; undefined where it has that of the variables. */
  async upstreamOf(tenant: string): Promise<StoredUpstream | undefined> {
    if (tenant === DEFAULT_TENANT) return undefined;
    const cached = this.#cache.get(tenant);
    if (cached && cached.until > Date.now()) return cached.upstream;
    let upstream: StoredUpstream | undefined;
    try {
      upstream = (await this.find(tenant))?.upstream;
    } catch (error) {
      // While D1 is down, what was known last is better than nothing.
      if (!cached) throw error;
      upstream = cached.upstream;
    }
    if (this.#cache.size >= CACHE_TENANTS) this.#cache.clear();
    this.#cache.set(tenant, { upstream, until: Date.now() + CACHE_MS });
    return upstream;
  }

  /** With its secrets, to be called. Throws `upstream_not_configured` where they do not open. */
  async open(tenant: string, { api_key, webhook_secrets, ...upstream }: StoredUpstream): Promise<Upstream> {
    const secrets: string[] =
      webhook_secrets === undefined
        ? []
        : JSON.parse(await this.#vault.open(webhook_secrets, placeOf(tenant, 'webhook_secrets')));
    return {
      ...upstream,
      webhook_secrets: secrets,
      ...(api_key === undefined
        ? {}
        : { api_key: await this.#vault.open(api_key, placeOf(tenant, 'api_key')) }),
    };
  }

  async find(tenant: string): Promise<TenantRecord | undefined> {
    const row = await ofTenant(this.#db, tenant)
      .statement(`SELECT ${COLUMNS} FROM tenants WHERE tenant = ?1`)
      .first<Row>();
    return row === null ? undefined : recordOf(row);
  }

  /** By name, those behind `after`. */
  async list(after = ''): Promise<{ tenants: TenantRecord[]; next: string | null }> {
    const { results } = await ofAllTenants(this.#db)
      .statement(`SELECT ${COLUMNS} FROM tenants WHERE tenant > ?1 ORDER BY tenant LIMIT ?2`, after, PAGE)
      .all<Row>();
    return {
      tenants: results.map(recordOf),
      next: results.length < PAGE ? null : (results.at(-1)?.tenant ?? null),
    };
  }

  /**
   * Stores a tenant; `known` is the record that the change was made from. Throws `conflict` where there is another one by now,
   * and `upstream_not_configured` where there are secrets and no key to seal them.
   */
  async put(tenant: string, change: TenantChange, known: TenantRecord | undefined): Promise<TenantRecord> {
    const { name, upstream } = change;
    const { mode, url, model, models, api_key, webhook_secrets } = upstream;
    const seal = (secret: string, column: string) => this.#vault.seal(secret, placeOf(tenant, column));
    const row = await ofTenant(this.#db, tenant)
      .statement(
        `INSERT INTO tenants (${COLUMNS}) VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (tenant) DO UPDATE SET name = excluded.name, revision = tenants.revision + 1,
           mode = excluded.mode, url = excluded.url, model = excluded.model, models = excluded.models,
           api_key = excluded.api_key, webhook_secrets = excluded.webhook_secrets, updated_at = excluded.updated_at
         WHERE tenants.revision = ?10
         RETURNING ${COLUMNS}`,
        name,
        mode,
        url ?? null,
        model ?? null,
        JSON.stringify(models),
        api_key === undefined ? null : await seal(api_key, 'api_key'),
        webhook_secrets.length === 0 ? null : await seal(JSON.stringify(webhook_secrets), 'webhook_secrets'),
        Date.now() / 1000,
        known?.revision ?? 0,
      )
      .first<Row>();
    this.#cache.delete(tenant);
    if (row === null) throw new StarwireError('conflict', 'the tenant was changed meanwhile; read it again');
    return recordOf(row);
  }

  /** Seals the secrets of a page of tenants anew under the first key, so that the other keys can go. */
  async reseal(after = ''): Promise<{ resealed: number; next: string | null }> {
    const { tenants, next } = await this.list(after);
    for (const record of tenants) {
      const { tenant, name, upstream } = record;
      await this.put(tenant, { name, upstream: await this.open(tenant, upstream) }, record);
    }
    return { resealed: tenants.length, next };
  }

  /** Throws `not_found`. */
  async delete(tenant: string): Promise<void> {
    const { meta } = await ofTenant(this.#db, tenant)
      .statement('DELETE FROM tenants WHERE tenant = ?1')
      .run();
    this.#cache.delete(tenant);
    if (meta.changes === 0) throw noSuchTenant();
  }
}

export function noSuchTenant(): StarwireError {
  return new StarwireError('not_found', 'the tenant has no upstream of its own');
}

/** Where a secret belongs: copied to another tenant or column, it does not open. */
function placeOf(tenant: string, column: string): string[] {
  return ['tenants', tenant, column];
}

function recordOf({ tenant, name, revision, updated_at, models, ...row }: Row): TenantRecord {
  const offered: OfferedModel[] = JSON.parse(models);
  const { mode, url, model, api_key, webhook_secrets } = row;
  return {
    ...{ tenant, name, revision, updated_at },
    upstream: {
      ...{ mode, models: offered, url: url ?? undefined, model: model ?? undefined },
      ...{ api_key: api_key ?? undefined, webhook_secrets: webhook_secrets ?? undefined },
    },
  };
}
