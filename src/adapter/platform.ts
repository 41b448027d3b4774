import { Api, type ApiOptions } from './api.ts';
import { StarwireError } from './errors.ts';
import { type Button, base64, type OutboundEvent, type Result, type View } from './events.ts';
import { type Handler, type HandlerOptions, Inbox, type OnMessage } from './inbox.ts';
import { type Asked, type IncomingMessage, verifyWebhook } from './incoming.ts';
import { type NodeListener, nodeListener } from './node.ts';
import type { Verification } from './signature.ts';
import type {
  BotIdentity,
  HistoricalMessage,
  PlatformState,
  SendOptions,
  Session,
  TurnState,
  Users,
} from './state.ts';
import { type TurnAddress, TurnStream } from './turn-stream.ts';

export interface PlatformOptions extends ApiOptions {
  /** What deliveries are signed with; two while they rotate. Needed to receive them. */
  secrets?: readonly string[];
  /** Of calls that name no other one. */
  tenant?: string;
}

/**
 * Starwire as an inference service sees it: a chat platform to send to, and messages that come from it. A `channel` is
 * `webchat:{user}`, `sse:{request}`, or a plain user id. Everything is sent under a key and repeated while Starwire cannot be
 * reached, and counts once. Failures are `StarwireError`s.
 */
export class WebChatPlatform {
  readonly name = 'webchat';
  readonly #api: Api;
  readonly #secrets: readonly string[];
  readonly #tenant: string | undefined;
  readonly #inbox = new Inbox();
  readonly #queues = new Map<string, TurnStream>();
  #state: PlatformState = {
    is_running: false,
    bot_identity: { platform: 'webchat', user_id: 'star', display_name: 'Star', mention: '@Star' },
  };

  constructor({ secrets = [], tenant, ...options }: PlatformOptions) {
    this.#api = new Api(options);
    this.#secrets = secrets;
    this.#tenant = tenant;
  }

  /** From `STARWIRE_URL`, and `INTERNAL_TOKEN` and `UPSTREAM_WEBHOOK_SECRET` as Starwire itself has them. */
  static fromEnvironment(
    env: Record<string, string | undefined>,
    options: Partial<PlatformOptions> = {},
  ): WebChatPlatform {
    const { STARWIRE_URL: url = 'http://127.0.0.1:8787', INTERNAL_TOKEN, UPSTREAM_WEBHOOK_SECRET } = env;
    const [token] = listOf(INTERNAL_TOKEN);
    if (token === undefined) throw new Error('INTERNAL_TOKEN is not set');
    return new WebChatPlatform({ url, token, secrets: listOf(UPSTREAM_WEBHOOK_SECRET), ...options });
  }

  /** As Starwire last said; false before `start`. */
  get isRunning(): boolean {
    return this.#state.is_running;
  }

  /** Who the bot is to its users. */
  get botIdentity(): BotIdentity {
    return this.#state.bot_identity;
  }

  /** Counts as running from now on; connections are not touched. */
  async start(): Promise<void> {
    this.#state = await this.#api.call('/platform/start', { method: 'POST' });
  }

  async stop(): Promise<void> {
    this.#state = await this.#api.call('/platform/stop', { method: 'POST' });
  }

  /** Sends a message. Resolves with its id, also where nobody was there: it waits for them. */
  async send(channel: string, text: string, options: SendOptions = {}): Promise<string> {
    return idOf(await this.#one({ kind: 'message', text }, channel, options));
  }

  /** Sends a file. Resolves with its `webchat://file/{id}/{filename}`. */
  async sendFile(
    channel: string,
    data: Uint8Array | ArrayBuffer | Blob,
    filename: string,
    mimetype = 'application/octet-stream',
    options: SendOptions = {},
  ): Promise<string> {
    const bytes = data instanceof Uint8Array ? data : new Uint8Array(await new Blob([data]).arrayBuffer());
    const event = { kind: 'file', filename, mimetype, data: base64(bytes) };
    return (await this.#one(event, channel, options)).url ?? '';
  }

  /** Sends a message with buttons: a list of them, or a Discord-style view. Resolves with its id. */
  async sendWithButtons(
    channel: string,
    text: string,
    view: readonly Button[] | View,
    options: SendOptions = {},
  ): Promise<string> {
    const buttons = 'children' in view ? { view: { children: view.children } } : { buttons: view };
    return idOf(await this.#one({ kind: 'message', text, ...buttons }, channel, options));
  }

  /** Says something else in place of a message. Resolves with whether anybody saw it at once. */
  async editMessage(
    channel: string,
    id: string,
    text: string,
    { buttons, ...options }: SendOptions & { buttons?: readonly Button[] } = {},
  ): Promise<boolean> {
    const event = { kind: 'edit', id, text, ...(buttons ? { buttons } : {}) };
    return (await this.#one(event, channel, options)).delivered;
  }

  /** Shows that the bot is typing. Where Starwire cannot be reached, nothing is lost. */
  startTyping(channel: string, options: SendOptions = {}): Promise<void> {
    return this.#typing(channel, true, options);
  }

  stopTyping(channel: string, options: SendOptions = {}): Promise<void> {
    return this.#typing(channel, false, options);
  }

  async #typing(channel: string, active: boolean, { tenant, conversation }: SendOptions): Promise<void> {
    const event = this.#addressed({ kind: 'typing', active }, channel, { tenant, conversation });
    const call = { method: 'POST', body: JSON.stringify(event) };
    await this.#api.call('/outbound', call, { retry_ms: 0 }).catch((error: unknown) => {
      if (!(error instanceof StarwireError) || !error.retryable) throw error;
    });
  }

  /** Opens a turn that no message asked for. Resolves with its id; under an `id` of your own it is opened once. */
  async openTurn(channel: string, options: SendOptions & { id?: string } = {}): Promise<string> {
    const { id, ...rest } = options;
    return idOf(await this.#one({ kind: 'turn', ...(id === undefined ? {} : { id }) }, channel, rest));
  }

  /**
   * The stream of a turn's reply. Say it from its beginning, also in a process that was killed and has been started again:
   * what Starwire has is passed over.
   */
  stream(to: IncomingMessage | TurnAddress): TurnStream {
    const { turn, tenant = this.#tenant } = to;
    const address: TurnAddress = {
      turn,
      channel: 'channel_id' in to ? to.channel_id : channelOf(to.channel),
      // An answer may belong to a turn that has spoken before it asked.
      continues: 'channel_id' in to ? to.type === 'answer' : (to.continues ?? false),
      ...(tenant === undefined ? {} : { tenant }),
    };
    return new TurnStream(this.#api, address, this.#inbox);
  }

  /** The stream of a `/v1` request's reply. Pair it with `removeSseQueue`. */
  createSseQueue(request: string): TurnStream {
    const stream = this.stream({ channel: `sse:${request}`, turn: request });
    this.#queues.set(request, stream);
    return stream;
  }

  /** Lets the stream of a request go. One that was begun and not ended ends as failed: it must not look complete. */
  async removeSseQueue(request: string): Promise<void> {
    const stream = this.#queues.get(request);
    if (!stream) return;
    this.#queues.delete(request);
    if (stream.begun && !stream.ended && !stream.signal.aborted)
      await stream.fail({ label: 'Broken answer', message: 'The answer was not finished.' });
  }

  /** The newest messages of a conversation, oldest first. */
  async fetchHistory(
    channel: string,
    limit = 100,
    { conversation, tenant = this.#tenant }: Pick<SendOptions, 'conversation' | 'tenant'> = {},
  ): Promise<HistoricalMessage[]> {
    const query = queryOf({ channel: channelOf(channel), limit: String(limit), conversation, tenant });
    return (await this.#api.call<{ messages: HistoricalMessage[] }>(`/history${query}`)).messages;
  }

  /** What is durable of a turn. */
  turn(turn: string): Promise<TurnState> {
    return this.#api.call(`/turns/${encodeURIComponent(turn)}`);
  }

  /** Who is connected. */
  users({ tenant = this.#tenant }: { tenant?: string | undefined } = {}): Promise<Users> {
    return this.#api.call(`/users${queryOf({ tenant })}`);
  }

  /** The sessions of one user: none where they are away. */
  async sessions(user: string, { tenant = this.#tenant }: { tenant?: string | undefined } = {}) {
    const path = `/users/${encodeURIComponent(user)}${queryOf({ tenant })}`;
    return (await this.#api.call<{ sessions: Session[] }>(path)).sessions;
  }

  /** Closes the sessions of a user. Resolves with their number. */
  async closeSessions(user: string, { tenant = this.#tenant }: { tenant?: string | undefined } = {}) {
    const path = `/users/${encodeURIComponent(user)}/sessions${queryOf({ tenant })}`;
    return (await this.#api.call<{ closed: number }>(path, { method: 'DELETE' })).closed;
  }

  /** Any events, in one request. Each has its own result, with an `error` where it was refused. */
  async post(events: readonly OutboundEvent[], key: string = crypto.randomUUID()): Promise<Result[]> {
    const tenant = this.#tenant === undefined ? {} : { tenant: this.#tenant };
    const body = JSON.stringify(events.map((event) => ({ ...tenant, ...event })));
    const call = { method: 'POST', body, key };
    return (await this.#api.call<{ results: Result[] }>('/outbound', call)).results;
  }

  /** Reads a delivery. Throws `unauthorized` where it is not Starwire's. */
  receive(request: Request, how: Partial<Verification> = {}): Promise<IncomingMessage> {
    return verifyWebhook(request, { secrets: this.#requireSecrets(), ...how });
  }

  /** A handler for deliveries: of a Worker, `Deno.serve`, `Bun.serve`. A user's cancellation aborts `reply.signal`. */
  handler(onMessage: OnMessage, options: HandlerOptions = {}): Handler {
    const how = { secrets: this.#requireSecrets() };
    return this.#inbox.handler(onMessage, how, (message) => this.stream(message), options);
  }

  /** Replies to a message as a handler does: to one that an earlier life of this bot has left unanswered. */
  resume(message: Asked, onMessage: OnMessage): Promise<void> {
    const stream = this.stream(message);
    return this.#inbox.finish(onMessage(message, stream), stream);
  }

  /** The same for `createServer` of `node:http`. */
  listener(onMessage: OnMessage, options: HandlerOptions = {}): NodeListener {
    return nodeListener(this.handler(onMessage, options));
  }

  #requireSecrets(): readonly string[] {
    if (this.#secrets.length === 0) throw new Error('deliveries cannot be verified without "secrets"');
    return this.#secrets;
  }

  /** One event: a refusal of it is the refusal of the call. */
  async #one(event: object, channel: string, { key, ...fields }: SendOptions): Promise<Result> {
    const body = JSON.stringify(this.#addressed(event, channel, fields));
    const call = { method: 'POST', body, key: key ?? crypto.randomUUID() };
    const { results } = await this.#api.call<{ results: Result[] }>('/outbound', call);
    return results[0] ?? { delivered: false };
  }

  #addressed(event: object, channel: string, fields: SendOptions): object {
    return { tenant: this.#tenant, ...fields, ...event, channel: channelOf(channel) };
  }
}

/** A plain user id is that user's channel. */
function channelOf(channel: string): string {
  return /^(?:webchat|sse):/.test(channel) ? channel : `webchat:${channel}`;
}

function idOf({ id = '' }: Result): string {
  return id;
}

/** A variable that may hold several values, separated by commas. */
function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function queryOf(fields: Record<string, string | undefined>): string {
  const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
