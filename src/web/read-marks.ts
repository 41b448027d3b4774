import { type ReadonlySignal, signal } from '@preact/signals';
import { readRecord, writeLocal } from './storage.ts';

const isNumber = (value: unknown): value is number => typeof value === 'number';
/** What was there when this browser first looked counts as read. */
const BASELINE = '';

/** Until when each conversation was read in this browser (Unix seconds); its tabs share it. */
export class ReadMarks {
  readonly #key: string;
  readonly #marks;
  readonly #listening = new AbortController();

  constructor(user: string) {
    this.#key = `starwire.read.${user}`;
    this.#marks = signal(readRecord(this.#key, isNumber));
    window.addEventListener(
      'storage',
      ({ key }) => {
        if (key === this.#key) this.#marks.value = readRecord(this.#key, isNumber);
      },
      { signal: this.#listening.signal },
    );
  }

  get marks(): ReadonlySignal<Readonly<Record<string, number>>> {
    return this.#marks;
  }

  close(): void {
    this.#listening.abort();
  }

  isRead(conversation: string, at: number): boolean {
    const { [conversation]: mark = 0, [BASELINE]: baseline = 0 } = this.#marks.value;
    return at <= Math.max(mark, baseline);
  }

  mark(conversation: string, at: number): void {
    if (at <= (this.#marks.peek()[conversation] ?? 0)) return;
    // Another tab may have marked others meanwhile.
    const next = { ...readRecord(this.#key, isNumber), [conversation]: at };
    this.#marks.value = next;
    writeLocal(this.#key, JSON.stringify(next));
  }

  /** At the first look of this browser. */
  begin(newest: number): void {
    if (!(BASELINE in this.#marks.peek())) this.mark(BASELINE, newest);
  }
}
