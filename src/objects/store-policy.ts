/**
 * When streamed text that nobody waits for is to be stored: after up to half a second (replies that begin together are not stored
 * together), then at widening intervals of up to 2 s. Responses and durable events store it at once. The policy is with whoever sends the text, not with the channel: a timer there would keep its object in
 * memory for as long as somebody speaks. A crash loses at most what came since the last time; who sent it sends it again,
 * and clients that saw it are repaired.
 */
const FIRST_MS = 500;
const LONGEST_MS = 2_000;

export class StorePolicy {
  readonly #ask: () => void;
  #interval = FIRST_MS * (0.5 + Math.random() / 2);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = false;

  /** `ask` is called when it is time; it may wait for a better moment, as long as `due` is true. */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  get due(): boolean {
    return this.#due;
  }

  /** What the channel said last: whether it has stored everything. */
  told(stored: boolean): void {
    if (stored) {
      if (this.#timer !== undefined)
        this.#interval = Math.min(Math.max(this.#interval, FIRST_MS) * 2, LONGEST_MS);
      return this.stop();
    }
    this.#timer ??= setTimeout(() => {
      this.#due = true;
      this.#ask();
    }, this.#interval);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = false;
  }
}
