/** So long a request may take from being admitted to having an object that knows of it (ms). */
const OPENING_MS = 10_000;

type Stored = Record<string, number>;

/**
 * The `/v1` requests of a user that are under way: they live in objects of their own. One row holds
 * them all. An end that was lost on the way leaves an entry behind, which is found when somebody asks.
 */
export class OpenRequests {
  readonly #kv: SyncKvStorage;
  readonly #isRunning: (request: string) => Promise<boolean>;

  /** `isRunning` asks a request's own object. */
  constructor(kv: SyncKvStorage, isRunning: (request: string) => Promise<boolean>) {
    this.#kv = kv;
    this.#isRunning = isRunning;
  }

  get #stored(): Stored {
    return this.#kv.get<Stored>('requests') ?? {};
  }

  get size(): number {
    return Object.keys(this.#stored).length;
  }

  has(request: string): boolean {
    return request in this.#stored;
  }

  add(request: string): void {
    this.#kv.put<Stored>('requests', { ...this.#stored, [request]: Date.now() });
  }

  remove(request: string): void {
    const { [request]: known, ...rest } = this.#stored;
    if (known === undefined) return;
    if (Object.keys(rest).length === 0) this.#kv.delete('requests');
    else this.#kv.put<Stored>('requests', rest);
  }

  /** Drops what is no longer under way. */
  async verify(): Promise<void> {
    const old = Object.entries(this.#stored).filter(([, since]) => since < Date.now() - OPENING_MS);
    await Promise.all(
      old.map(async ([request]) => {
        if (!(await this.#isRunning(request))) this.remove(request);
      }),
    );
  }
}
