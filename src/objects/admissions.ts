import { DurableObject } from 'cloudflare:workers';
import { Buckets } from '../auth/buckets.ts';
import { contextOf, type Env } from '../env.ts';
import { StarwireError } from '../protocol/errors.ts';
import { fingerprint } from '../protocol/fingerprint.ts';
import { log } from '../protocol/log.ts';
import { KnownTenants } from '../records/known-tenants.ts';
import { type Outcome, outcome } from './outcome.ts';

/** Users of one tenant are spread over so many objects. */
const SHARDS = 8;

/** So long a request may take from being admitted to having an object that knows of it (ms). */
const OPENING_MS = 10_000;

/** A user's requests that are under way, and when each was admitted (Unix ms). */
type Open = Record<string, number>;

const OPEN = 'open ';
const LISTED = 'listed';

/**
 * Which `/v1` requests of some users of a tenant are under way, and how fast they come. Many users share an object, so that it is
 * up when a request comes: a user's hub would have to be woken, or made, before the first token. A crash loses the pace and at most the
 * last admissions; an end that was lost on the way leaves an entry behind, which is found when somebody asks.
 */
export class Admissions extends DurableObject<Env> {
  readonly #tenant: string;
  readonly #pace: Buckets;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const [tenant = '']: string[] = JSON.parse(ctx.id.name ?? '[]');
    this.#tenant = tenant;
    const { completions_burst, completions_per_minute } = contextOf(env).config.limits;
    this.#pace = new Buckets(completions_burst, completions_per_minute, 'too many requests; slow down');
  }

  #openOf(user: string): Open {
    return this.ctx.storage.kv.get<Open>(OPEN + user) ?? {};
  }

  #keep(user: string, open: Open): void {
    const { storage } = this.ctx;
    // Nobody waits until it is stored: a crash that loses it forgets a request that it has probably ended.
    if (Object.keys(open).length === 0) void storage.delete(OPEN + user, { allowUnconfirmed: true });
    else void storage.put<Open>(OPEN + user, open, { allowUnconfirmed: true });
  }

  /** Counts a request, once; throws nothing: its refusal is `rate_limited`. */
  async admit(user: string, request: string): Promise<Outcome<void>> {
    const { open_completions } = contextOf(this.env).config.limits;
    if (request in this.#openOf(user)) return { value: undefined };
    if (sizeOf(this.#openOf(user)) >= open_completions) await this.#verify(user);
    return outcome(() => {
      const open = this.#openOf(user);
      if (sizeOf(open) >= open_completions)
        throw new StarwireError('rate_limited', `there are already ${open_completions} open requests`, {
          retry_after: 1,
        });
      this.#pace.take(user);
      this.#keep(user, { ...open, [request]: Date.now() });
      this.#list();
    });
  }

  /** A request is over. */
  release(user: string, request: string): void {
    const { [request]: known, ...rest } = this.#openOf(user);
    if (known !== undefined) this.#keep(user, rest);
  }

  /** The user is erased: what a lost end left behind goes as well. */
  forget(user: string): void {
    this.ctx.storage.kv.delete(OPEN + user);
  }

  /** How many requests are under way; those of the first `most` users are verified. */
  async load(most: number): Promise<{ requests: number; asked: number; approximate: boolean }> {
    const users = [...this.ctx.storage.kv.list<Open>({ prefix: OPEN })].map(([key]) =>
      key.slice(OPEN.length),
    );
    const asked = users.slice(0, most);
    await Promise.all(asked.map((user) => this.#verify(user)));
    const requests = users.reduce((sum, user) => sum + sizeOf(this.#openOf(user)), 0);
    return { requests, asked: asked.length, approximate: asked.length < users.length };
  }

  /** Drops what is no longer under way. */
  async #verify(user: string): Promise<void> {
    const old = Object.entries(this.#openOf(user)).filter(([, since]) => since < Date.now() - OPENING_MS);
    await Promise.all(
      old.map(async ([request]) => {
        const stub = this.env.REQUEST_STREAM.getByName(request);
        if (!(await stub.isRunning(this.#tenant, user))) this.release(user, request);
      }),
    );
  }

  /** Operators see every tenant that ever asked for something. */
  #list(): void {
    const { kv } = this.ctx.storage;
    if (kv.get<boolean>(LISTED)) return;
    this.ctx.waitUntil(
      new KnownTenants(this.env.DB).add(this.#tenant).then(
        () => kv.put(LISTED, true),
        (error: unknown) => log('error', 'a tenant is not listed', { tenant: this.#tenant, error }),
      ),
    );
  }
}

const sizeOf = (open: Open): number => Object.keys(open).length;

const shard = (env: Env, tenant: string, n: number) => env.ADMISSIONS.getByName(JSON.stringify([tenant, n]));

/** The object that admits the requests of a user. */
export function admissionsOf(env: Env, { tenant, user }: { tenant: string; user: string }) {
  return shard(env, tenant, fingerprint(user) % SHARDS);
}

/** How many `/v1` requests of a tenant are under way; `most` of its users are verified. */
export async function runningRequests(env: Env, tenant: string, most: number) {
  const each = Math.ceil(most / SHARDS);
  const loads = await Promise.all(Array.from({ length: SHARDS }, (_, n) => shard(env, tenant, n).load(each)));
  return {
    requests: loads.reduce((sum, { requests }) => sum + requests, 0),
    asked: loads.reduce((sum, { asked }) => sum + asked, 0),
    approximate: loads.some(({ approximate }) => approximate),
  };
}
