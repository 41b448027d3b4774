import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import {
  Api,
  type ChatState,
  type Conversation,
  CurrentToken,
  emptyConversation,
  isUnsent,
  type MessageItem,
  type OpenTransport,
  StarwireClient,
  type Status,
  systemClock,
  type TokenSource,
  webOutbox,
} from '../client/index.ts';
import { Conversations } from './conversations.ts';
import { Drafts } from './drafts.ts';
import { oncePerFrame } from './frame-scheduler.ts';
import { History } from './history.ts';
import { home } from './home.ts';
import { Notices } from './notices.ts';
import type { Place } from './place.ts';
import { ReadMarks } from './read-marks.ts';
import { Rows } from './rows.ts';
import { strings } from './strings.ts';
import { Uploads } from './uploads.ts';

export interface RoomOptions {
  /** To keep apart what this browser stores of several people. */
  user: string;
  token: TokenSource;
  place: Place;
  /** Whether there is a list of conversations to be kept. */
  listed: boolean;
  /** How sockets are opened, where somebody wants to watch. */
  open?: OpenTransport;
}

/** One signed-in chat: the client, and its state as signals that the components bind to. */
export class Room {
  readonly client: StarwireClient;
  readonly api: Api;
  readonly place: Place;
  readonly listed: boolean;
  readonly rows = new Rows();
  readonly notices = new Notices();
  readonly history: History;
  readonly list: Conversations;
  readonly marks: ReadMarks;
  readonly drafts: Drafts;
  readonly uploads: Uploads;
  readonly status: Signal<Status>;
  /** The id of the conversation that is shown. */
  readonly current: ReadonlySignal<string>;
  readonly conversation: ReadonlySignal<Conversation>;
  readonly user: ReadonlySignal<ChatState['user']>;
  readonly limits: ReadonlySignal<ChatState['limits']>;
  readonly pressed: ReadonlySignal<Conversation['pressed']>;
  readonly typing: ReadonlySignal<readonly string[]>;
  readonly loaded: ReadonlySignal<boolean>;
  readonly before: ReadonlySignal<number | null>;
  /** The turn that `stop` means: the one that runs, else the one that waits longest. */
  readonly turn: ReadonlySignal<string | undefined>;
  /** Messages of every conversation that the server does not have. */
  readonly unsent: ReadonlySignal<number>;
  /** The message that the next one answers. */
  readonly replyingTo = signal<MessageItem | undefined>(undefined);
  /** Replies that are being made anew, and the turns that do so. */
  readonly remaking = signal<ReadonlyMap<string, string>>(new Map());
  readonly #state: Signal<ChatState>;
  readonly #ends: (() => void)[] = [];

  constructor({ user, token: source, place, listed, open }: RoomOptions) {
    // Socket, calls and uploads ask one after the other; whoever gives tokens is asked once.
    const tokens = new CurrentToken(source, systemClock);
    const token: TokenSource = (reason) => tokens.get(reason);
    const url = new URL('/ws', home.origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const outbox = webOutbox(sessionStorage, `starwire.outbox.${user}`);
    this.client = new StarwireClient({ url: url.href, token, outbox, ...(open ? { open } : {}) });
    this.api = new Api({ base: home.origin, token });
    this.place = place;
    this.listed = listed;
    this.history = new History(this.api, this.client);
    this.list = new Conversations(this.api, this.notices);
    this.marks = new ReadMarks(user);
    this.drafts = new Drafts(user);
    this.uploads = new Uploads(token);
    this.#state = signal(this.client.state);
    this.status = signal(this.client.status);
    this.current = computed(() => place.spot.value.conversation);
    this.conversation = computed(
      () => this.#state.value.conversations.get(this.current.value) ?? emptyConversation(this.current.value),
    );
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
    this.unsent = computed(() => {
      const all = [...this.#state.value.conversations.values()];
      return all.reduce((sum, { items }) => sum + items.filter(isUnsent).length, 0);
    });
    this.#listen();
  }

  #listen(): void {
    const { client, place } = this;
    const show = oncePerFrame(() => this.#show());
    this.#ends.push(
      client.on('state', show),
      client.on('status', (status) => {
        this.status.value = status;
        if (status.is === 'live') void this.#read();
      }),
      client.on('stale', () => {
        this.history.outdate();
        void this.#read();
        if (this.listed) void this.#readList();
      }),
      client.on('frame', (frame) => {
        this.list.heard(frame);
        if (frame.type === 'conversation' && frame.status === 'deleted') this.#gone(frame.id);
      }),
      client.on('sending', ({ conversation, text }) => {
        this.list.touch(conversation, Date.now() / 1000, { text, role: 'user' });
        place.begun();
      }),
      effect(() => {
        const { conversation, fresh } = place.spot.value;
        batch(() => {
          this.replyingTo.value = undefined;
          this.rows.update(client.state.conversations.get(conversation)?.items ?? []);
        });
        if (fresh || client.status.is === 'live') void this.#read();
      }),
    );
    this.#show();
  }

  /** Another tab has deleted a conversation. */
  #gone(id: string): void {
    if (id !== this.current.peek()) return;
    this.notices.show(strings.side.gone);
    if (this.listed) this.place.openNew();
    else this.history.begin(id);
  }

  #show(): void {
    batch(() => {
      this.#state.value = this.client.state;
      this.rows.update(this.conversation.peek().items);
    });
  }

  async #readList(): Promise<void> {
    if (await this.list.load()) this.marks.begin(this.list.shown.peek()[0]?.updated_at ?? 0);
  }

  start(): void {
    this.client.start();
  }

  close(): void {
    this.notices.endAll();
    for (const end of this.#ends) end();
    this.marks.close();
    this.client.stop();
  }

  /** Reads what is shown, unless it begins here: nobody else knows of it. */
  async #read(): Promise<void> {
    const { conversation, fresh } = this.place.spot.peek();
    if (fresh) this.history.begin(conversation);
    else await this.history.newest(conversation);
  }

  readAgain(): void {
    void this.#read();
  }

  readOlder(): Promise<boolean> {
    return this.history.older(this.conversation.peek());
  }

  /** Says something in the conversation that is shown. */
  say(text: string): void {
    const conversation = this.current.peek();
    const reply_to = this.replyingTo.peek()?.id;
    const attachments = this.uploads.take(conversation);
    this.replyingTo.value = undefined;
    this.client.message({ text, conversation, attachments, ...(reply_to === undefined ? {} : { reply_to }) });
  }

  /** Asks for another reply to the same question. The old one stays until the new one is there. */
  async remake({ id, turn }: MessageItem): Promise<void> {
    if (turn === undefined || this.remaking.peek().has(id)) return;
    const put = (by: string): void => {
      this.remaking.value = new Map(this.remaking.peek()).set(id, by);
    };
    put('');
    try {
      put(await this.api.regenerate(turn));
    } catch (error) {
      const rest = new Map(this.remaking.peek());
      rest.delete(id);
      this.remaking.value = rest;
      const why = error instanceof Error ? error.message : '';
      this.notices.show(`${strings.reply.remakeFailed} ${why}`, { bad: true });
    }
  }
}
