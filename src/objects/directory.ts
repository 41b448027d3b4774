import { createDurable } from 'itty-durable';
import { fingerprint } from '../protocol/fingerprint.ts';

/** Users of one tenant are spread over so many objects. */
const SHARDS = 8;
/** Longer lists are cut: `approximate` tells. */
const PAGE = 1_000;

export interface Candidate {
  user: string;
  version: number;
}

/**
 * One shard of who is online: a durable superset, written only when a user comes (a first session, or an open turn
 * without one) or has gone. Reports carry the hub's version, so that a stale one loses; what a crash left behind is pruned by those who read.
 */
export class Directory extends createDurable() {
  // The base class sets it; a field of our own would wipe it out.
  declare state: DurableObjectState;

  /** Looked after once in the object's life. */
  #made = false;
  #listed = false;

  table(): SqlStorage {
    const { sql } = this.state.storage;
    if (!this.#made)
      sql.exec(
        'CREATE TABLE IF NOT EXISTS online (user TEXT PRIMARY KEY, version INTEGER, here INTEGER) WITHOUT ROWID',
      );
    this.#made = true;
    return sql;
  }

  /** `user` is percent-encoded: the library puts arguments into a header. Says whether the tenant is listed. */
  report(user: string, version: number, here: boolean): boolean {
    this.table().exec(
      'INSERT INTO online (user, version, here) VALUES (?, ?, ?) ON CONFLICT (user) DO UPDATE SET version = excluded.version, here = excluded.here WHERE excluded.version >= version',
      user,
      version,
      here ? 1 : 0,
    );
    this.#listed ||= this.state.storage.kv.get<boolean>('listed') ?? false;
    return this.#listed;
  }

  /** The tenant is in the records' list by now. */
  listed(): boolean {
    this.state.storage.kv.put('listed', true);
    return true;
  }

  candidates(): Candidate[] {
    return this.table()
      .exec<{ user: string; version: number }>(
        'SELECT user, version FROM online WHERE here = 1 LIMIT ?',
        PAGE,
      )
      .toArray();
  }

  /** Whether the platform is running: `POST /internal/platform/start` and `/stop`. */
  running(): boolean {
    return this.state.storage.kv.get<boolean>('running') ?? true;
  }

  run(running: boolean): boolean {
    this.state.storage.kv.put('running', running);
    return running;
  }
}

/** What a Directory object answers; itty-durable's stub itself is untyped. */
interface Shard {
  report(user: string, version: number, here: boolean): Promise<boolean>;
  listed(): Promise<boolean>;
  candidates(): Promise<Candidate[]>;
  running(): Promise<boolean>;
  run(running: boolean): Promise<boolean>;
}

type GetShard = (namespace: DurableObjectNamespace, name: string) => Shard;

/** The Directory as the rest of the code sees it. */
export class Presence {
  readonly #namespace: DurableObjectNamespace;
  readonly #get: GetShard;

  constructor(namespace: DurableObjectNamespace, get: GetShard) {
    this.#namespace = namespace;
    this.#get = get;
  }

  #shard(tenant: string, n: number): Shard {
    return this.#get(this.#namespace, `${tenant}/${n}`);
  }

  /** Says whether this shard's tenant is listed (`listed`). */
  report(tenant: string, user: string, version: number, here: boolean): Promise<boolean> {
    return this.#shard(tenant, fingerprint(user) % SHARDS).report(encodeURIComponent(user), version, here);
  }

  /** The tenant of this user is listed by now. */
  async listed(tenant: string, user: string): Promise<void> {
    await this.#shard(tenant, fingerprint(user) % SHARDS).listed();
  }

  /** Users of a tenant who may be connected or have an open turn. */
  async candidates(tenant: string): Promise<Candidate[]> {
    const shards = Array.from({ length: SHARDS }, (_, n) => this.#shard(tenant, n).candidates());
    return (await Promise.all(shards))
      .flat()
      .map(({ user, version }) => ({ user: decodeURIComponent(user), version }));
  }

  running(): Promise<boolean> {
    return this.#get(this.#namespace, 'platform').running();
  }

  run(running: boolean): Promise<boolean> {
    return this.#get(this.#namespace, 'platform').run(running);
  }
}
