import type { HistoryPage } from '../protocol/history.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import { isTerminal, type ServerFrame } from '../protocol/server-frames.ts';
import { Connection, type Status } from './connection.ts';
import { decode, type UnknownFrame } from './decode.ts';
import { Emitter } from './emitter.ts';
import { type Clock, pageSurroundings, systemClock, type Undo, webSockets } from './environment.ts';
import type { ClientEvents, ClientOptions, OutgoingMessage } from './options.ts';
import { Outbox, type OutboxEntry } from './outbox.ts';
import { reduce } from './reduce.ts';
import { SeenPolicy } from './seen.ts';
import { Sender } from './sender.ts';
import { type ChatState, EMPTY_STATE, type LocalInput } from './state.ts';
import { Tracker } from './tracker.ts';
import { OthersTyping, OwnTyping } from './typing.ts';

/** Losses in a row after which resuming is given up for a fresh start. */
const LOSSES = 3;

/**
 * A session of a user, kept alive. Shows everything once and in order, sends everything once, whatever happens to
 * the connection between.
 *
 * @example
 * const client = new StarwireClient({ url: 'wss://chat.example/ws', token: () => fetchToken() });
 * client.on('state', (state) => render(state));
 * client.on('stale', async () => client.history('default', await loadHistory()));
 * client.start();
 * client.message({ text: 'Hello' });
 */
export class StarwireClient {
  readonly #events = new Emitter<ClientEvents>();
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #connection: Connection;
  readonly #tracker = new Tracker();
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #seen: SeenPolicy;
  readonly #typing: OwnTyping;
  readonly #others: OthersTyping;
  /** Cancels that have not been seen to take effect. */
  readonly #cancels = new Set<string>();
  #state: ChatState = EMPTY_STATE;
  #fresh: ClientEvents['stale']['reason'] | undefined;
  #losses = 0;

  constructor(options: ClientOptions) {
    const { url, token, outbox, random = Math.random, clock = systemClock } = options;
    const {
      open = webSockets(),
      surroundings = pageSurroundings(),
      newId = () => crypto.randomUUID(),
    } = options;
    this.#clock = clock;
    this.#newId = newId;
    this.#outbox = new Outbox(outbox);
    this.#connection = new Connection(
      { url, token, open, clock, random, surroundings },
      {
        status: (status) => this.#status(status),
        text: (data) => this.#text(data),
        position: () => this.#tracker.position,
      },
    );
    this.#sender = new Sender({
      outbox: this.#outbox,
      clock,
      random,
      send: (frame) => this.#connection.send(frame),
      refused: (client_id, error) => {
        this.#apply({ type: 'local.refused', client_id, error });
        this.#events.emit('refused', { client_id, error });
      },
    });
    this.#seen = new SeenPolicy(clock, () => {
      const { seq } = this.#tracker;
      if (seq !== undefined) this.#connection.send({ type: 'seen', seq });
    });
    this.#typing = new OwnTyping(clock, (frame) => this.#connection.send(frame));
    this.#others = new OthersTyping(clock, (frame) => this.#apply(frame));
    this.#showOutbox();
  }

  get state(): ChatState {
    return this.#state;
  }

  get status(): Status {
    return this.#connection.status;
  }

  /** Listens; returns how to stop. */
  on<K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void): Undo {
    return this.#events.on(name, listener);
  }

  start(): void {
    this.#connection.start();
  }

  /** Closes. State and outbox stay; `start` goes on from there. */
  stop(): void {
    this.#connection.stop();
  }

  /** Tries to connect at once instead of waiting. */
  retryNow(): void {
    this.#connection.retryNow();
  }

  /** Sends a message; it is in the state at once. Returns its `client_id`. */
  message({
    text,
    conversation = DEFAULT_CONVERSATION,
    attachments = [],
    reply_to,
  }: OutgoingMessage): string {
    const client_id = this.#newId();
    const files = attachments.length > 0 ? { attachments: attachments.map(({ id }) => ({ id })) } : {};
    const reply = reply_to === undefined ? {} : { reply_to };
    const send = { type: 'message', client_id, text, conversation, ...files, ...reply } as const;
    this.#typing.set(false, conversation);
    const at = this.#now();
    this.#apply({ type: 'local.message', send, at, files: attachments });
    this.#events.emit('sending', { client_id, conversation, text });
    return this.#enqueue({ send, at, ...(attachments.length > 0 ? { files: attachments } : {}) });
  }

  /** Presses a button of a message. Returns the `client_id` of the press. */
  press(message: string, custom_id: string): string {
    const client_id = this.#newId();
    this.#apply({ type: 'local.press', client_id, message, custom_id });
    return this.#enqueue({ send: { type: 'action', client_id, message, custom_id }, at: this.#now() });
  }

  /** Answers a prompt. Returns the `client_id` of the answer. */
  answer(prompt: string, value: unknown): string {
    const client_id = this.#newId();
    this.#apply({ type: 'local.answer', client_id, prompt, value });
    return this.#enqueue({ send: { type: 'answer', client_id, prompt, value }, at: this.#now() });
  }

  /** Stops a turn, now or as soon as there is a connection. */
  cancel(turn: string): void {
    this.#cancels.add(turn);
    if (this.status.is === 'live') this.#connection.send({ type: 'cancel', turn });
  }

  /** To be called at keystrokes (`true`) and when the field is emptied (`false`); frames are few. */
  typing(active: boolean, conversation: string = DEFAULT_CONVERSATION): void {
    this.#typing.set(active, conversation);
  }

  /** Sends a refused message again. */
  retry(client_id: string): void {
    const entry = this.#outbox.get(client_id);
    if (!entry) return;
    this.#apply({ type: 'local.retry', client_id });
    const { refused, ...again } = entry;
    this.#enqueue(again);
  }

  /** Takes an unsent message back. One that is under way may still arrive, and then it is shown. */
  discard(client_id: string): void {
    this.#outbox.remove(client_id);
    this.#apply({ type: 'local.discard', client_id });
  }

  /** Hands over a page of history that was read over HTTP: the newest, or an `older` one. */
  history(conversation: string, page: HistoryPage, older = false): void {
    this.#apply({ type: 'local.history', conversation, page, older });
  }

  #enqueue(entry: OutboxEntry): string {
    this.#outbox.put(entry);
    this.#sender.flush();
    return entry.send.client_id;
  }

  /** Unix seconds. */
  #now(): number {
    return this.#clock.now() / 1000;
  }

  /** What an earlier life of the tab did not get rid of is shown as it was. */
  #showOutbox(): void {
    for (const { send, at, refused, files = [] } of this.#outbox.entries) {
      if (send.type !== 'message') continue;
      this.#apply({ type: 'local.message', send, at, files });
      if (refused) this.#apply({ type: 'local.refused', client_id: send.client_id, error: refused });
    }
  }

  #apply(...inputs: (ServerFrame | LocalInput)[]): void {
    const next = inputs.reduce(reduce, this.#state);
    if (next === this.#state) return;
    this.#state = next;
    this.#events.emit('state', next);
  }

  #status(status: Status): void {
    if (status.is !== 'live') {
      this.#seen.clear();
      this.#sender.disconnected();
      this.#apply({ type: 'local.disconnected' });
    }
    this.#events.emit('status', status);
  }

  #text(data: string): void {
    const frames = decode(data);
    const fresh: ServerFrame[] = [];
    const before = this.#tracker.seq;
    for (const frame of frames) {
      const verdict = this.#tracker.take(frame);
      if (verdict.is === 'loss') {
        this.#show(fresh);
        this.#lost(verdict.what);
        return;
      }
      if (verdict.is === 'new') fresh.push(verdict.frame);
    }
    if (this.#tracker.seq !== before) this.#losses = 0;
    this.#seen.arrived(countable(frames), data.length);
    this.#show(fresh);
  }

  /** State first, all at once, then each frame's consequences in their order. */
  #show(frames: readonly ServerFrame[]): void {
    this.#apply(...frames);
    for (const frame of frames) {
      this.#sender.heard(frame);
      this.#react(frame);
      this.#events.emit('frame', frame);
    }
  }

  #react(frame: ServerFrame): void {
    switch (frame.type) {
      case 'welcome':
        this.#fresh = frame.resumed ? undefined : 'start';
        this.#sender.limit(frame.limits.frame_bytes);
        this.#connection.welcomed(frame.heartbeat_s);
        return;
      case 'reset':
        this.#fresh = 'reset';
        return;
      case 'ready':
        this.#ready();
        return;
      case 'turn':
        if (isTerminal(frame.status)) this.#cancels.delete(frame.turn);
        return;
      case 'typing':
        this.#others.heard(frame);
        return;
      default:
        return;
    }
  }

  #ready(): void {
    this.#connection.ready();
    this.#sender.connected();
    for (const turn of this.#cancels) this.#connection.send({ type: 'cancel', turn });
    // A turn that had ended meanwhile needs no second asking.
    this.#cancels.clear();
    const reason = this.#fresh;
    this.#fresh = undefined;
    if (reason) this.#events.emit('stale', { reason });
  }

  #lost(what: string): void {
    this.#losses += 1;
    if (this.#losses >= LOSSES) this.#tracker.forget();
    this.#events.emit('loss', { what });
    this.#connection.restart();
  }
}

/** Frames that the server counts as under way. */
function countable(frames: readonly (ServerFrame | UnknownFrame)[]): number {
  return frames.filter(({ type }) => type !== 'unknown' && type !== 'welcome').length;
}
