/** Allows `burst` at once and `per_minute` in the long run. In memory: a pause that ends in hibernation refills it anyway. */
export class TokenBucket {
  readonly #burst: number;
  readonly #per_ms: number;
  #tokens: number;
  #at: number;

  constructor(burst: number, per_minute: number, now: number) {
    this.#burst = burst;
    this.#per_ms = per_minute / 60_000;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes one token. Returns 0, or the milliseconds until there is one. */
  take(now: number): number {
    const wait_ms = this.wait(now);
    if (wait_ms === 0) this.#tokens -= 1;
    return wait_ms;
  }

  /** Milliseconds until there is a token; 0 where there is one. */
  wait(now: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#at) * this.#per_ms);
    this.#at = now;
    return this.#tokens < 1 ? Math.ceil((1 - this.#tokens) / this.#per_ms) : 0;
  }
}
