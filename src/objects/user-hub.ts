import { DurableObject } from 'cloudflare:workers';
import type { StartPolicy } from '../channel/calls.ts';
import type { IngestRequest, IngestResponse } from '../channel/ingest.ts';
import type { Pending } from '../channel/outbox.ts';
import type { KnownFiles } from '../channel/sends.ts';
import { contextOf, type Env } from '../env.ts';
import {
  type MessageCommand,
  PING,
  PONG,
  type SendCommand,
  type SendResult,
} from '../protocol/client-frames.ts';
import type { ConversationView } from '../protocol/conversations.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import { log } from '../protocol/log.ts';
import { Conversations } from '../records/conversations.ts';
import { Arrivals } from './arrivals.ts';
import { ChannelHost, editedBy } from './channel-host.ts';
import { OpenRequests } from './open-requests.ts';
import { type Outcome, outcome } from './outcome.ts';
import { Recorder } from './recorder.ts';
import { turnName } from './turn-name.ts';

/** A session as `GET /internal/users/{id}` shows it. */
export interface SessionView {
  session: string;
  user_id: string;
  user_name: string;
  avatar: string;
  connected_at: number;
  dialect: string;
}

/** What a user has going on. */
export interface HubLoad {
  connections: number;
  turns: number;
}

/**
 * The connection manager: one object per user, the channel `webchat:{user}` with all sessions of that user. It never calls
 * out for long: the turns' own objects do the slow work.
 */
export class UserHub extends DurableObject<Env> {
  readonly #host: ChannelHost;
  readonly #tenant: string;
  readonly #user: string;
  readonly #arrivals: Arrivals;
  readonly #requests: OpenRequests;
  readonly #recorder: Recorder;
  readonly #conversations: Conversations;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const [tenant, user]: string[] = JSON.parse(ctx.id.name ?? '[]');
    this.#tenant = tenant ?? '';
    this.#user = user ?? '';
    this.#arrivals = new Arrivals(env, this.#owner);
    this.#requests = new OpenRequests(ctx.storage.kv, (request) =>
      env.REQUEST_STREAM.getByName(request).isRunning(this.#tenant, this.#user),
    );
    this.#host = new ChannelHost(ctx, env, () => ({
      tenant: this.#tenant,
      user: this.#user,
      channel: `webchat:${this.#user}`,
    }));
    this.#recorder = new Recorder(ctx, env, this.#host, this.#owner);
    this.#conversations = new Conversations(env.DB);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/ingest') return this.#host.attachIngest();
    // Before the 101, so that the Directory never lacks somebody who is online.
    if (this.#host.channel.sessions.length === 0) await this.#arrivals.arrive();
    const response = this.#host.attach(request);
    for (const turn of this.#host.channel.running) this.ctx.waitUntil(this.#lookAfter(turn));
    return response;
  }

  /** Who comes back after a crash need not wait for the alarm of the turn's own object to find what was broken off. */
  async #lookAfter(turn: string): Promise<void> {
    try {
      await this.#turnObject(turn).look();
    } catch (error) {
      log('error', 'a turn cannot be looked after', { ...this.#owner, turn, error });
    }
  }

  get #owner(): { tenant: string; user: string } {
    return { tenant: this.#tenant, user: this.#user };
  }

  /** Connected, or with an open turn: what the Directory knows of. */
  get #here(): boolean {
    const { sessions, openTurns } = this.#host.channel;
    return sessions.length > 0 || openTurns > 0 || this.#requests.size > 0;
  }

  /** Tells the Directory of a change. What is lost on the way is found by those who read. */
  #tell(was: boolean): void {
    const here = this.#here;
    if (was === here) return;
    const told = here ? this.#arrivals.arrive() : this.#arrivals.leave();
    this.ctx.waitUntil(
      told.catch((error: unknown) => log('error', 'the Directory was not told', { ...this.#owner, error })),
    );
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const was = this.#here;
    const stored = await this.#host.receive(socket, message, undefined, (ids) => this.#recall(ids));
    // Text that streams by makes no call due and moves no alarm.
    if (!stored) return;
    this.#tell(was);
    await this.#settle();
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    if (this.#host.gone(socket) && !this.#here) await this.#arrivals.leave();
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.webSocketClose(socket);
  }

  override async alarm(): Promise<void> {
    const was = this.#here;
    this.#host.rang();
    this.#host.reap();
    this.#tell(was);
    // No alarm is set before the work is done: one that breaks off rings again by itself, and setting it is a row.
    await this.#host.dispatch((pending) => this.#call(pending));
    if ((this.#recorder.due ?? Number.POSITIVE_INFINITY) <= Date.now()) await this.#recorder.try();
    this.#host.schedule(this.#recorder.due);
  }

  /** Sets the alarm, then makes the calls that are due: should this fail, the alarm makes them. */
  async #settle(): Promise<void> {
    this.#host.schedule(this.#recorder.due);
    await this.#host.dispatch((pending) => this.#call(pending));
    this.#host.schedule(this.#recorder.due);
  }

  /** Takes rows back from the records that a change is about to name, before anything else happens to the channel. */
  async #recall(ids: readonly string[]): Promise<void> {
    const lacking = this.#host.channel.archive.lacking(ids);
    if (lacking.length === 0) return;
    await this.ctx.blockConcurrencyWhile(async () => {
      // What throws in here resets the object.
      const rows = await this.#recorder.rows(lacking).catch((error: unknown) => {
        log('error', 'records cannot be read', { ...this.#owner, error });
        return undefined;
      });
      this.#host.run((channel) => channel.archive.recall(lacking, rows));
    });
  }

  #turnObject(turn: string) {
    return this.env.REQUEST_STREAM.getByName(turnName(contextOf(this.env).seal, this.#owner, turn));
  }

  async #call({ turn, conversation, call }: Pending): Promise<StartPolicy> {
    const about = { ...this.#owner, turn, conversation, call };
    const stub = this.#turnObject(turn);
    // By its id alone the service asks for a turn that it opened: where several users have the id, the first one's is found.
    if (call.type === 'register' && stub.name !== turn)
      await this.env.REQUEST_STREAM.getByName(turn).call(about);
    return stub.call(about);
  }

  async #change<T>(work: () => T): Promise<Outcome<T>> {
    const was = this.#here;
    const result = outcome(work);
    this.#tell(was);
    await this.#settle();
    return result;
  }

  /** `origin`: the address by which the client came, for the urls of its files. */
  async send(
    command: SendCommand,
    who: Identity,
    files: KnownFiles = new Map(),
    origin?: string,
  ): Promise<Outcome<SendResult>> {
    if (origin !== undefined) this.#host.reachedBy(origin);
    if (command.type === 'action') await this.#recall([command.message]);
    return this.#change(() => this.#host.run((channel) => channel.send(command, who, files)));
  }

  /** The same where the conversation has no open turn; otherwise `busy` names it. */
  sendAlone(
    command: MessageCommand,
    who: Identity,
    files: KnownFiles,
    origin: string,
  ): Promise<Outcome<SendResult | { busy: string }>> {
    this.#host.reachedBy(origin);
    return this.#change(() =>
      this.#host.run((channel) => {
        const { conversation = DEFAULT_CONVERSATION } = command;
        const open = channel.open.turns.find((one) => one.conversation === conversation);
        return open ? { busy: open.turn } : channel.send(command, who, files);
      }),
    );
  }

  cancel(turn: string): Promise<Outcome<void>> {
    return this.#change(() => this.#host.run((channel) => channel.cancel(turn)));
  }

  async ingest(request: IngestRequest): Promise<Outcome<IngestResponse>> {
    await this.#recall(editedBy(request));
    return this.#change(() => this.#host.run((channel) => channel.ingest(request)));
  }

  /** The turn's own object has made its first call; the answer is the turn's status. */
  async attempted(turn: string, accepted: boolean) {
    this.#host.run((channel) => channel.attempted(turn, accepted));
    await this.#settle();
    return this.#host.channel.turn(turn)?.status;
  }

  turn(turn: string) {
    return this.#host.run((channel) => channel.turn(turn));
  }

  /** Everything of a turn, as JSON (`TurnRecord`); undefined where there is none. */
  turnRecord(turn: string, origin: string): string | undefined {
    this.#host.reachedBy(origin);
    const record = this.#host.run((channel) => channel.turnRecord(turn));
    return record && JSON.stringify(record);
  }

  /** What is open now, as JSON (`OpenView`). */
  open(): string {
    return JSON.stringify(this.#host.run((channel) => channel.open));
  }

  /** A page of history, as the JSON that the client gets. */
  async history(
    conversation: string,
    before = Number.MAX_SAFE_INTEGER,
    limit: number,
    origin?: string,
  ): Promise<string> {
    if (origin !== undefined) this.#host.reachedBy(origin);
    return JSON.stringify(await this.#recorder.page(conversation, before, limit));
  }

  /** Whether there is such a conversation; the one of frames that name none always is. */
  async has(conversation: string): Promise<boolean> {
    if (conversation === DEFAULT_CONVERSATION) return true;
    return this.#has(conversation);
  }

  /** Whether anything was ever said in a conversation, or it was created. */
  async #has(conversation: string): Promise<boolean> {
    const standing = this.#host.channel.conversations.standing(conversation);
    if (standing !== 'unknown') return standing === 'here';
    return (await this.#conversations.get(this.#owner, conversation)) !== undefined;
  }

  /** What the user is called; '' where nobody knows. */
  userName(): string {
    return this.#host.channel.archive.name;
  }

  /** Gives the records (D1) what they lack, so that reading them is reading what was written. */
  record(): Promise<void> {
    return this.#recorder.record();
  }

  createConversation(title: string): Promise<Outcome<ConversationView>> {
    return this.#change(() => {
      const { id, created_at } = this.#host.run(({ conversations }) => conversations.create(title));
      return { id, title, created_at, updated_at: created_at, last_message: null };
    });
  }

  async renameConversation(id: string, title: string): Promise<Outcome<ConversationView>> {
    await this.#recorder.record();
    const view = await this.#conversations.get(this.#owner, id);
    return this.#change(() => {
      if (!view) throw new StarwireError('not_found', 'there is no such conversation');
      this.#host.run(({ conversations }) => conversations.rename(id, title));
      return { ...view, title };
    });
  }

  async deleteConversation(id: string): Promise<Outcome<void>> {
    const known = await this.#has(id);
    const result = await this.#change(() => {
      if (!known) throw new StarwireError('not_found', 'there is no such conversation');
      this.#host.run(({ conversations }) => conversations.delete(id));
    });
    // It is gone from every answer already; where the records are down, the alarm takes it out of them.
    if (!('error' in result)) await this.#recorder.try();
    return result;
  }

  async regenerate(turn: string, who: Identity): Promise<Outcome<string>> {
    const kept = outcome(() => this.#host.run((channel) => channel.askedBy(turn)));
    if ('error' in kept) return kept;
    const asked = kept.value ?? (await this.#recorder.askedBy(turn));
    return this.#change(() => {
      if (!asked) throw new StarwireError('not_found', 'there is no such turn, or no message that began it');
      return this.#host.run((channel) => channel.regenerate(asked, who));
    });
  }

  /** Erases the user: what is open is cancelled, sessions close, journal and records go. Throws where the records are down. */
  async erase(): Promise<void> {
    this.#host.run((channel) => channel.leave());
    await this.#settle();
    // From here on a new journal begins, and its user is unknown; what is left in the records goes before it comes there.
    this.#recorder.erasing();
    this.#host.drop();
    this.#host.schedule(this.#recorder.due);
    await this.#arrivals.leave();
    await this.#recorder.record();
  }

  /** Counts a `/v1` request of this user, once; throws nothing: its refusal is `rate_limited`. */
  async admit(request: string): Promise<Outcome<void>> {
    if (this.#requests.has(request)) return { value: undefined };
    const { open_completions } = contextOf(this.env).config.limits;
    if (this.#requests.size >= open_completions) await this.#requests.verify();
    return this.#change(() => {
      if (this.#requests.size >= open_completions)
        throw new StarwireError('rate_limited', `there are already ${open_completions} open requests`, {
          retry_after: 1,
        });
      this.#host.run((channel) => channel.admit());
      this.#requests.add(request);
    });
  }

  /** A `/v1` request is over. */
  release(request: string): void {
    const was = this.#here;
    this.#requests.remove(request);
    this.#tell(was);
  }

  /** What is going on, each part of it verified. */
  async load(): Promise<HubLoad> {
    await this.#requests.verify();
    return {
      connections: this.sessions().length,
      turns: this.#host.channel.openTurns + this.#requests.size,
    };
  }

  sessions(): SessionView[] {
    this.#host.reap();
    return this.#host.channel.sessions.map(({ is }) => ({
      session: is.id,
      user_id: is.user,
      user_name: is.name,
      avatar: is.avatar,
      connected_at: is.connected_at,
      dialect: is.dialect,
    }));
  }

  closeSessions(): number {
    const { length } = this.#host.channel.sessions;
    this.#host.channel.closeAll(1000, 'closed by the service');
    return length;
  }
}
