import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Api, ConversationSummary, ListCursor } from '../client/index.ts';
import type { ServerFrame } from '../protocol/server-frames.ts';
import type { Notices } from './notices.ts';
import { strings } from './strings.ts';

const PAGE = 40;

/** The conversations of a user, newest first: a page of them from the server, and what happens from then on. */
export class Conversations {
  /** Those that are shown; what is about to be deleted is not. */
  readonly shown: ReadonlySignal<readonly ConversationSummary[]>;
  readonly state = signal<'idle' | 'loading' | 'failed'>('idle');
  readonly #next = signal<ListCursor | null>(null);
  readonly #all = signal<ReadonlyMap<string, ConversationSummary>>(new Map());
  readonly #going = signal<ReadonlySet<string>>(new Set());
  /** What was heard of while the list was being read: that may be older. */
  readonly #meanwhile = new Set<string>();
  readonly #api: Api;
  readonly #notices: Notices;

  constructor(api: Api, notices: Notices) {
    this.#api = api;
    this.#notices = notices;
    this.shown = computed(() =>
      [...this.#all.value.values()]
        .filter(({ id }) => !this.#going.value.has(id))
        .sort((a, b) => b.updated_at - a.updated_at),
    );
  }

  get more(): boolean {
    return this.#next.value !== null;
  }

  get(id: string): ConversationSummary | undefined {
    return this.#all.value.get(id);
  }

  /** Reads the newest page, or the next one. Returns whether that went well. */
  async load({ next = false } = {}): Promise<boolean> {
    if (this.state.peek() === 'loading') return false;
    this.state.value = 'loading';
    this.#meanwhile.clear();
    try {
      const page = await this.#api.conversations(PAGE, next ? (this.#next.peek() ?? undefined) : undefined);
      const read = page.items.map((one): [string, ConversationSummary] => [one.id, this.#newer(one)]);
      const kept = [...this.#all.peek()].filter(([id]) => next || this.#meanwhile.has(id));
      this.#all.value = new Map([...kept, ...read]);
      this.#next.value = page.next;
      this.state.value = 'idle';
      return true;
    } catch {
      this.state.value = 'failed';
      return false;
    }
  }

  /** What came by the socket while the list was read is not lost. */
  #newer(read: ConversationSummary): ConversationSummary {
    const known = this.#all.peek().get(read.id);
    return known && this.#meanwhile.has(read.id) && known.updated_at >= read.updated_at
      ? { ...known, title: read.title || known.title }
      : read;
  }

  heard(frame: ServerFrame): void {
    switch (frame.type) {
      case 'message':
        this.touch(frame.conversation, frame.timestamp, { text: frame.text, role: frame.role });
        return;
      case 'file':
        this.touch(frame.conversation, frame.timestamp, { text: frame.filename, role: 'assistant' });
        return;
      case 'conversation':
        if (frame.status === 'deleted') this.#drop(frame.id);
        else this.#put(frame.id, frame.title === undefined ? {} : { title: frame.title });
        return;
      default:
    }
  }

  /** Something was said. */
  touch(id: string, updated_at: number, last_message: ConversationSummary['last_message']): void {
    const known = this.#all.peek().get(id);
    if (known && known.updated_at > updated_at) return;
    // The server makes the title of the first message as well, and says so when it has.
    const title = !known && last_message?.role === 'user' ? { title: last_message.text } : {};
    this.#put(id, { updated_at, last_message, ...title });
  }

  #put(id: string, change: Partial<ConversationSummary>): void {
    this.#meanwhile.add(id);
    const known = this.#all.peek().get(id) ?? { id, title: '', updated_at: Date.now() / 1000 };
    this.#all.value = new Map(this.#all.peek()).set(id, { ...known, ...change });
  }

  #drop(id: string): void {
    const rest = new Map(this.#all.peek());
    rest.delete(id);
    this.#all.value = rest;
    this.#stay(id);
  }

  /** Shows the new title at once, and the old one again where the server refuses it. */
  async rename(id: string, title: string): Promise<void> {
    const before = this.#all.peek().get(id)?.title ?? '';
    this.#put(id, { title });
    try {
      await this.#api.rename(id, title);
    } catch {
      this.#put(id, { title: before });
      this.#notices.show(strings.side.renameFailed, { bad: true });
    }
  }

  /** Hides a conversation at once, and deletes it when it was not taken back for a while. */
  remove(id: string, title: string): void {
    this.#going.value = new Set(this.#going.peek()).add(id);
    this.#notices.show(strings.side.deleted(title), {
      action: { label: strings.side.undo, run: () => this.#stay(id) },
      gone: () => void this.#delete(id),
    });
  }

  async #delete(id: string): Promise<void> {
    try {
      await this.#api.remove(id, { keepalive: true });
      this.#drop(id);
    } catch {
      this.#stay(id);
      this.#notices.show(strings.side.deleteFailed, { bad: true });
    }
  }

  #stay(id: string): void {
    const going = new Set(this.#going.peek());
    going.delete(id);
    this.#going.value = going;
  }
}
