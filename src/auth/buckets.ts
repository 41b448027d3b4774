import { TokenBucket } from '../channel/token-bucket.ts';
import { StarwireError } from '../protocol/errors.ts';

/** So many are remembered; then those that were not heard of for longest are forgotten. */
const KEYS = 10_000;

/**
 * A token bucket for each of many keys (addresses, tenants), in the memory of one isolate: it costs nothing, and it counts
 * what comes by this isolate only. For what must be exact, the state lives in an object.
 */
export class Buckets {
  readonly #burst: number;
  readonly #per_minute: number;
  readonly #said: string;
  readonly #buckets = new Map<string, TokenBucket>();

  /** `said` is what a refusal says. */
  constructor(burst: number, per_minute: number, said: string) {
    this.#burst = burst;
    this.#per_minute = per_minute;
    this.#said = said;
  }

  /** Takes a token. Throws `rate_limited` where there is none. */
  take(key: string): void {
    this.#refuse(this.#of(key).take(Date.now()));
  }

  /** Throws `rate_limited` where `take` would; takes nothing. */
  check(key: string): void {
    const bucket = this.#buckets.get(key);
    if (bucket) this.#refuse(bucket.wait(Date.now()));
  }

  #refuse(wait_ms: number): void {
    if (wait_ms > 0)
      throw new StarwireError('rate_limited', this.#said, { retry_after: Math.ceil(wait_ms / 1000) });
  }

  #of(key: string): TokenBucket {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#burst, this.#per_minute, Date.now());
    // A Map keeps the order of insertion: the first is the one that was not heard of for longest.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > KEYS && oldest !== undefined) this.#buckets.delete(oldest);
    return bucket;
  }
}
