import type { Clock, Defer } from './ports.ts';

/**
 * When streamed text that nobody is waiting for goes to storage. Responses and durable events flush at once; this is for the
 * rest: at widening intervals of 250 ms to 2 s, or as soon as 32 KiB have come. A reply of 500 tokens in one request costs
 * some ten flushes of two rows each. A crash loses at most what came since the last one; clients that saw it are repaired.
 */
const FIRST_MS = 250;
const LONGEST_MS = 2_000;
const UNFLUSHED_UNITS = 32_768;

export class FlushPolicy {
  readonly #clock: Clock;
  readonly #defer: Defer;
  readonly #flush: () => void;
  #interval = FIRST_MS;
  #last = 0;
  #pending = false;

  constructor(clock: Clock, defer: Defer, flush: () => void) {
    this.#clock = clock;
    this.#defer = defer;
    this.#flush = flush;
  }

  /** Text came: flushes now, or sees to it that a flush is pending. */
  grown(unflushed: number): void {
    const now = this.#clock.now();
    // After a pause the reader waits for a first flush again, not for the widest interval.
    if (now - this.#last > LONGEST_MS * 2) this.#interval = FIRST_MS;
    if (unflushed >= UNFLUSHED_UNITS) this.#flush();
    else if (!this.#pending) {
      this.#pending = true;
      this.#defer(() => {
        this.#pending = false;
        this.#flush();
      }, this.#interval);
    }
  }

  /** Everything has been stored, for whatever reason. */
  flushed(): void {
    this.#last = this.#clock.now();
    this.#interval = Math.min(this.#interval * 2, LONGEST_MS);
  }
}
