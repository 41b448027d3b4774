import { type ReadonlySignal, signal } from '@preact/signals';

export interface Notice {
  key: number;
  text: string;
  bad: boolean;
  action?: { label: string; run(): void };
}

/** Long enough to be read, and for a deletion to be taken back. */
const SHOWN_MS = 8_000;

/** Short words at the edge of the page that go by themselves. */
export class Notices {
  readonly #shown = signal<readonly Notice[]>([]);
  readonly #ends = new Map<number, () => void>();
  #count = 0;

  get shown(): ReadonlySignal<readonly Notice[]> {
    return this.#shown;
  }

  /** Shows a notice. `gone` runs when it goes without its action. Returns how to end it at once. */
  show(
    text: string,
    { bad = false, action, gone }: { bad?: boolean; action?: Notice['action']; gone?: () => void } = {},
  ): () => void {
    this.#count += 1;
    const key = this.#count;
    const close = (): void => {
      clearTimeout(timer);
      this.#ends.delete(key);
      this.#shown.value = this.#shown.peek().filter((one) => one.key !== key);
    };
    const end = (): void => {
      if (!this.#ends.has(key)) return;
      close();
      gone?.();
    };
    const timer = setTimeout(end, SHOWN_MS);
    this.#ends.set(key, end);
    const run = (): void => {
      close();
      action?.run();
    };
    const shown: Notice = { key, text, bad, ...(action ? { action: { label: action.label, run } } : {}) };
    this.#shown.value = [...this.#shown.peek(), shown];
    return end;
  }

  end(key: number): void {
    this.#ends.get(key)?.();
  }

  /** The page goes: what was still open to be taken back is final. */
  endAll(): void {
    for (const end of [...this.#ends.values()]) end();
  }
}
