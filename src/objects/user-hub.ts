import { DurableObject } from 'cloudflare:workers';
import type { IngestRequest, IngestResponse } from '../channel/ingest.ts';
import type { KnownFiles } from '../channel/sends.ts';
import type { Env } from '../env.ts';
import {
  type MessageCommand,
  PING,
  PONG,
  type SendCommand,
  type SendResult,
} from '../protocol/client-frames.ts';
import type { ConversationView } from '../protocol/conversations.ts';
import type { Identity, Owner } from '../protocol/identity.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import { log } from '../protocol/log.ts';
import { admissionsOf } from './admissions.ts';
import { Arrivals } from './arrivals.ts';
import { readAttach } from './attach-request.ts';
import { ChannelHost, editedBy } from './channel-host.ts';
import { HubConversations } from './hub-conversations.ts';
import { type Outcome, outcome } from './outcome.ts';
import { Recorder } from './recorder.ts';
import { type SessionView, sessionView } from './session-view.ts';
import { TurnObjects } from './turn-objects.ts';

const HEARTBEAT = new WebSocketRequestResponsePair(PING, PONG);

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
  readonly #owner: Owner;
  readonly #arrivals: Arrivals;
  readonly #recorder: Recorder;
  readonly #conversations: HubConversations;
  readonly #turns: TurnObjects;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const [tenant = '', user = '']: string[] = JSON.parse(ctx.id.name ?? '[]');
    this.#owner = { tenant, user };
    this.#arrivals = new Arrivals(env, this.#owner);
    this.#host = new ChannelHost(ctx, env, () => ({ tenant, user, channel: `webchat:${user}` }));
    this.#recorder = new Recorder(ctx, env, this.#host, this.#owner);
    this.#conversations = new HubConversations(env, this.#host, this.#recorder, this.#owner, (work) =>
      this.#change(work),
    );
    this.#turns = new TurnObjects(env, this.#owner);
    ctx.setWebSocketAutoResponse(HEARTBEAT);
  }

  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/ingest') {
      await this.#recorder.begin();
      return this.#host.attachIngest();
    }
    const attach = readAttach(request);
    // Who has been here before is told how far the records are; of anybody else it is asked when there is something to store.
    if (attach.cursor !== undefined) await this.#recorder.begin();
    // Before the 101, so that the Directory never lacks somebody who is online.
    if (this.#host.channel.sessions.length === 0) await this.#arrivals.arrive();
    const response = this.#host.attach(attach);
    for (const turn of this.#host.channel.running) this.ctx.waitUntil(this.#turns.lookAfter(turn));
    return response;
  }

  /** Connected, or with an open turn: what the Directory knows of. */
  get #here(): boolean {
    const { sessions, openTurns } = this.#host.channel;
    return sessions.length > 0 || openTurns > 0;
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
    await this.#recorder.begin();
    const was = this.#here;
    const stored = await this.#host.receive(socket, message, undefined, (ids) => this.#recorder.recall(ids));
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
    await this.#host.dispatch((pending) => this.#turns.call(pending));
    if ((this.#recorder.due ?? Number.POSITIVE_INFINITY) <= Date.now()) await this.#recorder.try();
    this.#host.schedule(this.#recorder.due);
  }

  /** Sets the alarm, then makes the calls that are due: should this fail, the alarm makes them. */
  async #settle(): Promise<void> {
    this.#host.schedule(this.#recorder.due);
    await this.#host.dispatch((pending) => this.#turns.call(pending));
    this.#host.schedule(this.#recorder.due);
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
    await this.#recorder.begin();
    if (command.type === 'action') await this.#recorder.recall([command.message]);
    return this.#change(() => this.#host.run((channel) => channel.send(command, who, files)));
  }

  /** The same where the conversation has no open turn; otherwise `busy` names it. */
  async sendAlone(
    command: MessageCommand,
    who: Identity,
    files: KnownFiles,
    origin: string,
  ): Promise<Outcome<SendResult | { busy: string }>> {
    this.#host.reachedBy(origin);
    await this.#recorder.begin();
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
    await this.#recorder.begin();
    await this.#recorder.recall(editedBy(request));
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
    await this.#recorder.begin();
    return JSON.stringify(await this.#recorder.page(conversation, before, limit));
  }

  has(conversation: string): Promise<boolean> {
    return this.#conversations.has(conversation);
  }

  /** What the user is called; '' where nobody knows. */
  userName(): string {
    return this.#host.channel.archive.name;
  }

  /** Gives the records (D1) what they lack, so that reading them is reading what was written. */
  record(): Promise<void> {
    return this.#recorder.record();
  }

  async createConversation(title: string): Promise<Outcome<ConversationView>> {
    await this.#recorder.begin();
    return this.#conversations.create(title);
  }

  async renameConversation(id: string, title: string): Promise<Outcome<ConversationView>> {
    await this.#recorder.begin();
    return this.#conversations.rename(id, title);
  }

  async deleteConversation(id: string): Promise<Outcome<void>> {
    await this.#recorder.begin();
    return this.#conversations.delete(id);
  }

  async regenerate(turn: string, who: Identity): Promise<Outcome<string>> {
    await this.#recorder.begin();
    return this.#conversations.regenerate(turn, who);
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
    await admissionsOf(this.env, this.#owner).forget(this.#owner.user);
    await this.#recorder.record();
  }

  /** What is going on, as it is and not as the Directory has it. */
  load(): HubLoad {
    return { connections: this.sessions().length, turns: this.#host.channel.openTurns };
  }

  sessions(): SessionView[] {
    this.#host.reap();
    return this.#host.channel.sessions.map(sessionView);
  }

  closeSessions(): number {
    const { length } = this.#host.channel.sessions;
    this.#host.channel.closeAll(1000, 'closed by the service');
    return length;
  }
}
