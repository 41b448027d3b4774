import { type ReadonlySignal, signal } from '@preact/signals';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';

/** Where the reader is. */
export interface Spot {
  conversation: string;
  /** A conversation that nobody has written in: it has no address of its own yet. */
  fresh: boolean;
  /** A message to be brought into view. */
  message?: string;
}

/** Which conversation is shown, and how to go to another. */
export interface Place {
  readonly spot: ReadonlySignal<Spot>;
  open(conversation: string, message?: string): void;
  openNew(): void;
  /** The first message of a new conversation was written. */
  begun(): void;
}

/** The address of a conversation, for links. */
export function addressOf(conversation: string): string {
  return conversation === DEFAULT_CONVERSATION ? '/' : `/c/${encodeURIComponent(conversation)}`;
}

function read({ pathname, hash }: Pick<Location, 'pathname' | 'hash'>): Spot {
  if (pathname === '/new') return { conversation: crypto.randomUUID(), fresh: true };
  const message = new URLSearchParams(hash.slice(1)).get('message');
  return {
    conversation: conversationOf(pathname),
    fresh: false,
    ...(message === null ? {} : { message }),
  };
}

function conversationOf(pathname: string): string {
  const [, id] = /^\/c\/([^/]+)$/.exec(pathname) ?? [];
  try {
    return id === undefined ? DEFAULT_CONVERSATION : decodeURIComponent(id);
  } catch {
    return DEFAULT_CONVERSATION;
  }
}

/** The page's own: `/` is the first conversation, `/c/{id}` another, `/new` one that is about to begin. */
export class AddressPlace implements Place {
  readonly #spot = signal<Spot>(read(location));

  constructor() {
    window.addEventListener('popstate', () => {
      this.#spot.value = read(location);
    });
  }

  get spot(): ReadonlySignal<Spot> {
    return this.#spot;
  }

  open(conversation: string, message?: string): void {
    const address = addressOf(conversation);
    const known = this.#spot.peek();
    if (known.conversation !== conversation || known.fresh) history.pushState(null, '', address);
    this.#spot.value = { conversation, fresh: false, ...(message === undefined ? {} : { message }) };
  }

  openNew(): void {
    if (this.#spot.peek().fresh) return;
    history.pushState(null, '', '/new');
    this.#spot.value = read(location);
  }

  begun(): void {
    const { conversation, fresh } = this.#spot.peek();
    if (!fresh) return;
    history.replaceState(null, '', addressOf(conversation));
    this.#spot.value = { conversation, fresh: false };
  }
}

/** Of an embedded chat: one conversation, and no address. */
export class FixedPlace implements Place {
  readonly spot: ReadonlySignal<Spot>;

  constructor(conversation: string) {
    this.spot = signal({ conversation, fresh: false });
  }

  open(): void {}
  openNew(): void {}
  begun(): void {}
}
