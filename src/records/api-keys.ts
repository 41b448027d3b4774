import { sha256 } from '../auth/digest.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import { ofAllTenants, ofTenant } from './scope.ts';

/** P-ID-2: `sk-sw-…`, stored only as SHA-256, each for one tenant and user. */
export const API_KEY_PREFIX = 'sk-sw-';

/** How long a deleted key may still be honoured by an isolate: the contract allows 60 s. */
const CACHE_MS = 30_000;
const CACHE_KEYS = 1_000;

interface Owner {
  tenant: string;
  user: string;
}

interface KeyRow extends Owner {
  id: string;
  name: string;
  created_at: number;
}

/** An identity of a key does not expire of itself. */
const NEVER = 253_402_300_799;

export class ApiKeys {
  readonly #db: D1Database;
  readonly #cache = new Map<string, { owner: Owner; until: number }>();

  constructor(db: D1Database) {
    this.#db = db;
  }

  async create(id: string, { tenant, user }: Owner, name: string): Promise<{ id: string; api_key: string }> {
    const api_key =
      API_KEY_PREFIX + Buffer.from(crypto.getRandomValues(new Uint8Array(30))).toString('base64url');
    await ofTenant(this.#db, tenant)
      .statement(
        'INSERT INTO api_keys (tenant, id, hash, user, name, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)',
        id,
        (await sha256(api_key)).toString('hex'),
        user,
        name,
        Date.now() / 1000,
      )
      .run();
    return { id, api_key };
  }

  async list(): Promise<KeyRow[]> {
    const { results } = await ofAllTenants(this.#db)
      .statement(
        'SELECT id, tenant, user, name, created_at FROM api_keys ORDER BY created_at DESC LIMIT 1000',
      )
      .all<KeyRow>();
    return results;
  }

  /** Throws `not_found`. */
  async delete(id: string): Promise<void> {
    const { meta } = await ofAllTenants(this.#db).statement('DELETE FROM api_keys WHERE id = ?1', id).run();
    if (meta.changes === 0) throw new StarwireError('not_found', 'there is no such key');
    this.#cache.clear();
  }

  /** Throws `unauthorized`. */
  async verify(api_key: string): Promise<Identity> {
    const hash = (await sha256(api_key)).toString('hex');
    const cached = this.#cache.get(hash);
    const owner = cached && cached.until > Date.now() ? cached.owner : await this.#load(hash);
    if (!owner) throw new StarwireError('unauthorized', 'the API key is not valid');
    return { ...owner, name: owner.user, avatar: '', roles: [], exp: NEVER };
  }

  async #load(hash: string): Promise<Owner | undefined> {
    const row = await ofAllTenants(this.#db)
      .statement('SELECT tenant, user FROM api_keys WHERE hash = ?1', hash)
      .first<Owner>();
    this.#cache.delete(hash);
    if (!row) return undefined;
    if (this.#cache.size >= CACHE_KEYS) this.#cache.clear();
    this.#cache.set(hash, { owner: row, until: Date.now() + CACHE_MS });
    return row;
  }
}
