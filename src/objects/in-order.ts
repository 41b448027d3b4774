/** What one socket has asked for and is not done: how much of it there is, and when the last of it is. */
interface Line {
  size: number;
  last: Promise<unknown>;
}

/** Does what each socket asks for one after the other: a frame that waits for something is not overtaken by those behind it. */
export class InOrder {
  readonly #lines = new WeakMap<object, Line>();

  /** How much of a socket's is not done. */
  waiting(socket: object): number {
    return this.#lines.get(socket)?.size ?? 0;
  }

  /** Resolves when `work` is done. Where nothing is before it, it begins at once. */
  async run(socket: object, size: number, work: () => Promise<void>): Promise<void> {
    const line = this.#lines.get(socket) ?? { size: 0, last: Promise.resolve() };
    const mine = line.size === 0 ? work() : line.last.then(work, work);
    line.size += size;
    line.last = mine;
    this.#lines.set(socket, line);
    try {
      await mine;
    } finally {
      line.size -= size;
    }
  }
}
