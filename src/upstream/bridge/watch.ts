/** Ends a call that takes too long, or that nobody wants any more. */
export class Watch {
  readonly #timeout = new AbortController();
  readonly signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#timeout.signal]);
  }

  get timedOut(): boolean {
    return this.#timeout.signal.aborted;
  }

  /** Has work that listens to the signal done within so long. */
  async within<T>(ms: number, work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.end(), ms);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    this.#timeout.abort();
  }
}
