import type { Clock, Undo } from './environment.ts';

/** Frames that one `seen` speaks for, at most: the contract's number. */
const EVERY_FRAMES = 64;
/** A fraction of what the server lets be under way (P-WS-14): 64 large frames would already be too much. */
const EVERY_CHARS = 262_144;
const IDLE_MS = 1_000;

/** Decides when the server is told what has arrived. */
export class SeenPolicy {
  readonly #clock: Clock;
  readonly #tell: () => void;
  #frames = 0;
  #chars = 0;
  #idle: Undo | undefined;

  constructor(clock: Clock, tell: () => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  arrived(frames: number, chars: number): void {
    this.#frames += frames;
    this.#chars += chars;
    this.#idle?.();
    this.#idle = undefined;
    if (this.#frames >= EVERY_FRAMES || this.#chars >= EVERY_CHARS) this.#now();
    else if (this.#frames > 0) this.#idle = this.#clock.after(IDLE_MS, () => this.#now());
  }

  /** The connection has ended; what it brought needs no receipt. */
  clear(): void {
    this.#frames = 0;
    this.#chars = 0;
    this.#idle?.();
    this.#idle = undefined;
  }

  #now(): void {
    this.clear();
    this.#tell();
  }
}
