/** Ends a call that takes too long, or that nobody wants any more. */
export class Watch {
  readonly #timeout = new AbortController();
  readonly signal: AbortSignal;
  /** One timer for all waits: a stream waits for every event, and most come long before the time is over. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer rings, and when what is waited for is late (Unix ms). */
  #rings = 0;
  #late = Number.POSITIVE_INFINITY;

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#timeout.signal]);
  }

  get timedOut(): boolean {
    return this.#timeout.signal.aborted;
  }

  /** Has work that listens to the signal done within so long; one at a time. */
  async within<T>(ms: number, work: Promise<T>): Promise<T> {
    this.#late = Date.now() + ms;
    if (this.#timer === undefined || this.#rings > this.#late) this.#ring(ms);
    try {
      return await work;
    } finally {
      this.#late = Number.POSITIVE_INFINITY;
    }
  }

  #ring(ms: number): void {
    clearTimeout(this.#timer);
    this.#rings = Date.now() + ms;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const rest = this.#late - Date.now();
      if (rest <= 0) this.#timeout.abort();
      else if (rest < Number.POSITIVE_INFINITY) this.#ring(rest);
    }, ms);
  }

  /** The call is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timeout.abort();
  }
}
