/** workerd keeps a client's connection twice, and three files of SQLite for each object that is awake. */
const PER_CONNECTION = 2;
const PER_OBJECT = 3;

/** An object in which nothing happens sleeps after some ten seconds: its files are closed, its sockets stay. */
const AWAKE_MS = 12_000;

/** What is left to everything else: requests, turns, records. */
const SPARE = 128;
const SPARE_SHARE = 0.1;

/** Of the rest, what objects may have that were woken for connections: who waits has a connection, too. */
const WOKEN_SHARE = 0.5;

/**
 * What is left of the files that one process may have open. On one's own machine all connections and all objects share them,
 * and workerd ends where it cannot take a connection any more: so whoever comes waits until an object may be woken for it.
 * Where nothing names a limit, as on Cloudflare, nobody waits.
 */
export class OpenFiles {
  readonly #limit: number;
  readonly #room: number;
  /** Connections of clients by the object that has them. */
  readonly #held = new Map<string, number>();
  #connections = 0;
  /** Connections that have come and are not held by any object yet. */
  #coming = 0;
  /** When objects were woken or are to be, for those that are awake then. */
  readonly #wakes: number[] = [];
  readonly #woken = new Map<string, number>();

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
    this.#room = limit * (1 - SPARE_SHARE) - SPARE;
  }

  /** Whether there is anything to look after. */
  get limited(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY;
  }

  /**
   * Lets a connection come in for which `object` is to be woken: the milliseconds until then. Undefined where that would take
   * more than `patience_ms`. `entered` ends its coming.
   */
  enter(object: string, now: number, patience_ms: number): number | undefined {
    const at = this.#turnOf(object, now);
    if (at === undefined || at > now + patience_ms) return undefined;
    if (!this.#woken.has(object)) {
      this.#wakes.push(at);
      this.#woken.set(object, at);
    }
    this.#coming += 1;
    return at - now;
  }

  #turnOf(object: string, now: number): number | undefined {
    this.#forget(now);
    const connections = (this.#connections + this.#coming + 1) * PER_CONNECTION;
    const forObjects = Math.min(this.#room - connections, this.#room * WOKEN_SHARE);
    const awake = Math.floor(forObjects / PER_OBJECT);
    const most = Math.min(this.#wakes.length * PER_OBJECT, this.#room * WOKEN_SHARE);
    if (awake < 1 || connections + most > this.#limit - SPARE) return undefined;
    const known = this.#woken.get(object);
    if (known !== undefined) return Math.max(known, now);
    if (this.#wakes.length < awake) return now;
    // One of those that are awake by then has to sleep first.
    const before = this.#wakes.at(-awake) ?? now;
    return Math.max(before + AWAKE_MS, now);
  }

  #forget(now: number): void {
    while ((this.#wakes[0] ?? now) <= now - AWAKE_MS) this.#wakes.shift();
    for (const [object, at] of this.#woken) {
      if (at > now - AWAKE_MS) return;
      this.#woken.delete(object);
    }
  }

  entered(): void {
    this.#coming -= 1;
  }

  /** An object tells how many clients it has. */
  hold(object: string, connections: number): void {
    this.#connections += connections - (this.#held.get(object) ?? 0);
    if (connections === 0) this.#held.delete(object);
    else this.#held.set(object, connections);
  }
}
