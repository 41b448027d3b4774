/** Characters that may wait for the network before whoever writes is asked to wait. */
const HIGH_WATER = 65_536;
/** Lines that go to the network in one piece. */
const PIECE = 512;

/**
 * The lines of one request: they grow while they are sent, and are kept, so that they can be sent again from the first one
 * when a connection breaks. Only the newest stream of them is read.
 */
export class Lines {
  readonly #lines: string[] = [];
  #written = 0;
  #taken = 0;
  #ended = false;
  #stream: object | undefined;
  #changed = Promise.withResolvers<void>();

  get length(): number {
    return this.#lines.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#written += line.length;
    this.#wake();
  }

  /** No more lines will come: the stream of them ends. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Resolves when there is room for more. */
  async room(): Promise<void> {
    while (this.#written - this.#taken > HIGH_WATER && !this.#ended) await this.#changed.promise;
  }

  /** All lines from the first one on, and those that are still to come. */
  stream(): ReadableStream<Uint8Array> {
    const stream = {};
    const encoder = new TextEncoder();
    let next = 0;
    this.#stream = stream;
    this.#taken = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          while (this.#stream === stream && next === this.#lines.length && !this.#ended)
            await this.#changed.promise;
          if (this.#stream !== stream) return;
          const lines = this.#lines.slice(next, next + PIECE);
          const piece = lines.join('');
          next += lines.length;
          this.#taken += piece.length;
          this.#wake();
          if (piece !== '') controller.enqueue(encoder.encode(piece));
          if (this.#ended && next === this.#lines.length) controller.close();
        },
        cancel: () => {
          if (this.#stream === stream) this.#stream = undefined;
          this.#wake();
        },
      },
      { highWaterMark: 0 },
    );
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
