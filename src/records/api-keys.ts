import { sha256 } from '../auth/digest.ts';
import { StarwireError } from '../protocol/errors.ts';
import { ofAllTenants, ofTenant } from './scope.ts';

/** P-ID-2: `sk-sw-…`, stored only as SHA-256. */
export const API_KEY_PREFIX = 'sk-sw-';

/** How long a deleted key may still be honoured by an isolate: the contract allows 60 s. */
const CACHE_MS = 30_000;
const CACHE_KEYS = 1_000;
const PAGE = 1_000;

/** For whom a key speaks: a user, or (null) a tenant, whose own backend then says for which of its users. */
export interface KeyOwner {
  tenant: string;
  user: string | null;
}

/** A key as it is listed. */
export interface KeyView extends KeyOwner {
  id: string;
  name: string;
  /** Unix seconds. */
  created_at: number;
}

/** A key that was shown and is known. */
export interface VerifiedKey extends KeyOwner {
  id: string;
}

interface Row {
  id: string;
  tenant: string;
  /** '' where the key is the tenant's: no user is called so. */
  user: string;
}

export class ApiKeys {
  readonly #db: D1Database;
  readonly #cache = new Map<string, { key: VerifiedKey; until: number }>();

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Throws `conflict` where the owner has `most` keys already. */
  async create(
    id: string,
    { tenant, user }: KeyOwner,
    name: string,
    most = Number.MAX_SAFE_INTEGER,
  ): Promise<{ id: string; api_key: string }> {
    const api_key =
      API_KEY_PREFIX + Buffer.from(crypto.getRandomValues(new Uint8Array(30))).toString('base64url');
    const { meta } = await ofTenant(this.#db, tenant)
      .statement(
        `INSERT INTO api_keys (tenant, id, hash, user, name, created_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6
         WHERE (SELECT COUNT(*) FROM api_keys WHERE tenant = ?1 AND user = ?4) < ?7`,
        id,
        (await sha256(api_key)).toString('hex'),
        user ?? '',
        name,
        Date.now() / 1000,
        most,
      )
      .run();
    if (meta.changes === 0)
      throw new StarwireError('conflict', `there are already ${most} keys; delete one first`);
    return { id, api_key };
  }

  /** The newest first; `before` is the id of the last one seen. Without a tenant, those of all tenants. */
  async list({
    tenant,
    user,
    before,
  }: Partial<KeyOwner> & { before?: string } = {}): Promise<{ api_keys: KeyView[]; next: string | null }> {
    const { results } = await ofAllTenants(this.#db)
      .statement(
        `SELECT id, tenant, user, name, created_at FROM api_keys
         WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR user = ?2)
           AND (?3 IS NULL OR (created_at, id) < (SELECT created_at, id FROM api_keys WHERE id = ?3))
         ORDER BY created_at DESC, id DESC LIMIT ?4`,
        tenant ?? null,
        user ?? null,
        before ?? null,
        PAGE,
      )
      .all<Row & KeyView>();
    return {
      api_keys: results.map((row) => ({ ...row, user: row.user || null })),
      next: results.length < PAGE ? null : (results.at(-1)?.id ?? null),
    };
  }

  /** Deletes a key, where `owner` is given only one of that owner's. Throws `not_found`. */
  async delete(id: string, owner?: KeyOwner): Promise<VerifiedKey> {
    const row = owner
      ? await ofTenant(this.#db, owner.tenant)
          .statement(
            'DELETE FROM api_keys WHERE tenant = ?1 AND id = ?2 AND user = ?3 RETURNING id, tenant, user',
            id,
            owner.user ?? '',
          )
          .first<Row>()
      : await ofAllTenants(this.#db)
          .statement('DELETE FROM api_keys WHERE id = ?1 RETURNING id, tenant, user', id)
          .first<Row>();
    if (!row) throw new StarwireError('not_found', 'there is no such key');
    this.#cache.clear();
    return keyOf(row);
  }

  /** Throws `unauthorized`. */
  async verify(api_key: string): Promise<VerifiedKey> {
    const hash = (await sha256(api_key)).toString('hex');
    const cached = this.#cache.get(hash);
    const key = cached && cached.until > Date.now() ? cached.key : await this.#load(hash);
    if (!key) throw new StarwireError('unauthorized', 'the API key is not valid');
    return key;
  }

  async #load(hash: string): Promise<VerifiedKey | undefined> {
    const row = await ofAllTenants(this.#db)
      .statement('SELECT id, tenant, user FROM api_keys WHERE hash = ?1', hash)
      .first<Row>();
    this.#cache.delete(hash);
    if (!row) return undefined;
    if (this.#cache.size >= CACHE_KEYS) this.#cache.clear();
    const key = keyOf(row);
    this.#cache.set(hash, { key, until: Date.now() + CACHE_MS });
    return key;
  }
}

function keyOf({ id, tenant, user }: Row): VerifiedKey {
  return { id, tenant, user: user || null };
}
