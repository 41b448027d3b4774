/** Longer than anything the server may take; a test that waits in vain says for what. */
const wait_ms = 10_000;

/** Something that takes in what a server sends, on which tests wait for what they expect of it. */
export abstract class Watched {
  readonly #waiting = new Set<() => void>();
  /** Set once nothing more can come: how it ended. */
  protected over: string | undefined;

  /** The end of what has come, for a test that fails. */
  protected abstract get tail(): string;

  /** To be called whenever something came. */
  protected wake(): void {
    for (const look of this.#waiting) look();
  }

  /** Resolves as soon as `look` gives something. */
  async until<T>(look: () => T | undefined, what = String(look), within_ms = wait_ms): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const check = () => {
      const found = look();
      if (found !== undefined) resolve(found);
      else if (this.over) reject(new Error(`${this.over} before: ${what}\n${this.tail}`));
    };
    const timer = setTimeout(
      () => reject(new Error(`nothing came in ${within_ms} ms: ${what}\n${this.tail}`)),
      within_ms,
    );
    this.#waiting.add(check);
    check();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }
}
