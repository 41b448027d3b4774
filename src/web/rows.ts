import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Item } from '../client/index.ts';

/**
 * The items of a conversation, each as a signal of its own: a chunk that changes one message renders that message
 * and nothing else.
 */
export class Rows {
  readonly #keys = signal<readonly string[]>([]);
  readonly #signals = new Map<string, Signal<Item>>();

  /** The keys in the order shown; changes only when items come, go or move. */
  get keys(): ReadonlySignal<readonly string[]> {
    return this.#keys;
  }

  get(key: string): ReadonlySignal<Item> | undefined {
    return this.#signals.get(key);
  }

  update(items: readonly Item[]): void {
    batch(() => {
      const keys = items.map(({ key }) => key);
      for (const item of items) {
        const known = this.#signals.get(item.key);
        if (known) known.value = item;
        else this.#signals.set(item.key, signal(item));
      }
      const shown = this.#keys.peek();
      if (shown.length === keys.length && shown.every((key, index) => key === keys[index])) return;
      this.#keys.value = keys;
      const present = new Set(keys);
      for (const key of this.#signals.keys()) if (!present.has(key)) this.#signals.delete(key);
    });
  }
}
