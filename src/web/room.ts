import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import {
  type ChatState,
  type Conversation,
  emptyConversation,
  fetchHistory,
  isUnsent,
  StarwireClient,
  type Status,
  webOutbox,
} from '../client/index.ts';
import { oncePerFrame } from './frame-scheduler.ts';
import { Rows } from './rows.ts';
import { endSession, provideToken } from './session.ts';

const CONVERSATION = 'default';
const PAGE = 50;
/** Pauses between attempts to read history; after the last one the reader is asked. */
const RETRY_MS = [500, 2_000, 5_000];

/** One signed-in chat: the client, and its state as signals that the components bind to. */
export class Room {
  readonly client: StarwireClient;
  readonly rows = new Rows();
  readonly status: Signal<Status>;
  readonly conversation: ReadonlySignal<Conversation>;
  readonly user: ReadonlySignal<ChatState['user']>;
  readonly limits: ReadonlySignal<ChatState['limits']>;
  readonly pressed: ReadonlySignal<Conversation['pressed']>;
  readonly typing: ReadonlySignal<readonly string[]>;
  readonly loaded: ReadonlySignal<boolean>;
  readonly before: ReadonlySignal<number | null>;
  /** The turn that `stop` means: the one that runs, else the one that waits longest. */
  readonly turn: ReadonlySignal<string | undefined>;
  readonly unsent: ReadonlySignal<number>;
  readonly history: Signal<'idle' | 'loading' | 'failed'> = signal('idle');
  readonly #state: Signal<ChatState>;
  #reading = 0;
  #over = false;

  constructor(user: string) {
    const url = new URL('/ws', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.client = new StarwireClient({
      url: url.href,
      token: provideToken,
      outbox: webOutbox(sessionStorage, `starwire.outbox.${user}`),
    });
    this.#state = signal(this.client.state);
    this.status = signal(this.client.status);
    const nothing = emptyConversation(CONVERSATION);
    this.conversation = computed(() => this.#state.value.conversations.get(CONVERSATION) ?? nothing);
    this.user = computed(() => this.#state.value.user);
    this.limits = computed(() => this.#state.value.limits);
    this.pressed = computed(() => this.conversation.value.pressed);
    this.typing = computed(() => this.conversation.value.typing);
    this.loaded = computed(() => this.conversation.value.loaded);
    this.before = computed(() => this.conversation.value.before);
    this.turn = computed(() => {
      const open = [...this.conversation.value.open];
      return (open.find(([, { status }]) => status === 'running') ?? open[0])?.[0];
    });
    this.unsent = computed(() => this.conversation.value.items.filter(isUnsent).length);
    this.#listen();
  }

  #listen(): void {
    const show = oncePerFrame(() => this.#show());
    this.client.on('state', show);
    this.client.on('status', (status) => {
      this.status.value = status;
      if (status.is === 'closed' && status.reason !== 'stopped' && !this.#over) endSession();
    });
    this.client.on('stale', () => void this.readHistory());
    this.#show();
  }

  #show(): void {
    batch(() => {
      this.#state.value = this.client.state;
      this.rows.update(this.conversation.peek().items);
    });
  }

  start(): void {
    this.client.start();
  }

  close(): void {
    this.#over = true;
    this.client.stop();
  }

  /** Reads the newest page, or the one before what is shown. A later call makes an earlier one void. */
  async readHistory({ older = false } = {}): Promise<void> {
    this.#reading += 1;
    const reading = this.#reading;
    const before = older ? (this.before.peek() ?? undefined) : undefined;
    this.history.value = 'loading';
    for (let attempt = 0; reading === this.#reading && !this.#over; attempt += 1) {
      if (await this.#readPage(reading, before)) return;
      const pause_ms = RETRY_MS[attempt];
      if (pause_ms === undefined) break;
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
    }
    if (reading === this.#reading) this.history.value = 'failed';
  }

  async #readPage(reading: number, before: number | undefined): Promise<boolean> {
    try {
      const token = (await provideToken('start')) ?? '';
      const page = await fetchHistory({
        base: location.origin,
        token,
        conversation: CONVERSATION,
        limit: PAGE,
        fetch: (input, init) => fetch(input, init),
        ...(before === undefined ? {} : { before }),
      });
      if (reading !== this.#reading) return true;
      this.client.history(CONVERSATION, page, before !== undefined);
      this.history.value = 'idle';
      return true;
    } catch {
      return false;
    }
  }
}
