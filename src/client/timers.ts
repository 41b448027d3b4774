import type { Clock, Undo } from './environment.ts';

/** Timers by name: setting one again replaces it. */
export class Timers<Name extends string> {
  readonly #clock: Clock;
  readonly #running = new Map<Name, Undo>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(name: Name, ms: number, run: () => void): void {
    this.clear(name);
    this.#running.set(
      name,
      this.#clock.after(ms, () => {
        this.#running.delete(name);
        run();
      }),
    );
  }

  /** Stops one, or all. */
  clear(name?: Name): void {
    for (const [running, undo] of [...this.#running]) {
      if (name !== undefined && running !== name) continue;
      this.#running.delete(running);
      undo();
    }
  }
}
