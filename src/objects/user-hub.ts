import { DurableObject } from 'cloudflare:workers';
import type { StartPolicy } from '../channel/calls.ts';
import type { IngestRequest, IngestResponse } from '../channel/ingest.ts';
import type { Pending } from '../channel/outbox.ts';
import type { KnownFiles } from '../channel/sends.ts';
import { contextOf, type Env } from '../env.ts';
import { PING, PONG, type SendCommand, type SendResult } from '../protocol/client-frames.ts';
import type { HistoryPage } from '../protocol/history.ts';
import type { Identity } from '../protocol/identity.ts';
import { log } from '../protocol/log.ts';
import { Messages } from '../records/messages.ts';
import { ChannelHost } from './channel-host.ts';
import { type Outcome, outcome } from './outcome.ts';
import { presenceOf } from './presence.ts';
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

/** How long after a failure the records are tried again. */
const RECORD_RETRY_MS = 60_000;

/**
 * The connection manager: one object per user, the channel `webchat:{user}` with all sessions of that user. It never calls
 * out for long: the turns' own objects do the slow work.
 */
export class UserHub extends DurableObject<Env> {
  readonly #host: ChannelHost;
  readonly #tenant: string;
  readonly #user: string;
  /** Of the last report to the Directory; later reports must be higher, also after a sleep. */
  #version = 0;
  /** The version of the last report that nobody is here. */
  #left = 0;
  readonly #messages: Messages;
  #recordNotBefore = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const [tenant, user]: string[] = JSON.parse(ctx.id.name ?? '[]');
    this.#tenant = tenant ?? '';
    this.#user = user ?? '';
    this.#host = new ChannelHost(ctx, env, () => ({
      tenant: this.#tenant,
      channel: `webchat:${this.#user}`,
    }));
    this.#messages = new Messages(env.DB, contextOf(env).files.rows);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/ingest') return this.#host.attachIngest();
    // Before the 101, so that the Directory never lacks somebody who is online.
    if (this.#host.channel.sessions.length === 0) await this.#arrive();
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

  /** Tells that the user is here; again where a session that came and went meanwhile has told the opposite. */
  async #arrive(): Promise<void> {
    for (let told = 0; told <= this.#left; ) {
      told = this.#nextVersion();
      await this.#report(told, true);
    }
  }

  async #leave(): Promise<void> {
    this.#left = this.#nextVersion();
    await this.#report(this.#left, false);
  }

  #nextVersion(): number {
    this.#version = Math.max(this.#version + 1, Date.now());
    return this.#version;
  }

  async #report(version: number, here: boolean): Promise<void> {
    await presenceOf(this.env).report(this.#tenant, this.#user, version, here);
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#host.receive(socket, message);
    await this.#settle();
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    if (this.#host.gone(socket) && this.#host.channel.sessions.length === 0) await this.#leave();
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.webSocketClose(socket);
  }

  override async alarm(): Promise<void> {
    this.#host.rang();
    if (this.#host.reap() && this.#host.channel.sessions.length === 0) await this.#leave();
    // No alarm is set before the work is done: one that breaks off rings again by itself, and setting it is a row.
    await this.#host.dispatch((pending) => this.#call(pending));
    if ((this.#recordAt ?? Number.POSITIVE_INFINITY) <= Date.now()) await this.#record();
    this.#host.schedule(this.#recordAt);
  }

  /** Sets the alarm, then makes the calls that are due: should this fail, the alarm makes them. */
  async #settle(): Promise<void> {
    this.#host.schedule(this.#recordAt);
    await this.#host.dispatch((pending) => this.#call(pending));
    this.#host.schedule(this.#recordAt);
  }

  /** When the records are to be given what they lack. */
  get #recordAt(): number | undefined {
    const since = this.#host.channel.unrecordedSince;
    return since === undefined
      ? undefined
      : Math.max(since + contextOf(this.env).config.limits.record_after_ms, this.#recordNotBefore);
  }

  /** Drains the journal into the records (DESIGN 6); while they are down, nothing is lost and nothing is cut. */
  async #record(): Promise<void> {
    try {
      for (let part = this.#host.channel.unrecorded; part; part = this.#host.channel.unrecorded) {
        const { rows, upTo } = part;
        await this.#messages.put(this.#owner, rows);
        this.#host.run((channel) => channel.recorded(upTo));
      }
    } catch (error) {
      this.#recordNotBefore = Date.now() + RECORD_RETRY_MS;
      log('error', 'records are behind', { ...this.#owner, error });
    }
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
    const result = outcome(work);
    await this.#settle();
    return result;
  }

  /** `origin`: the address by which the client came, for the urls of its files. */
  send(
    command: SendCommand,
    who: Identity,
    files: KnownFiles = new Map(),
    origin?: string,
  ): Promise<Outcome<SendResult>> {
    if (origin !== undefined) this.#host.reachedBy(origin);
    return this.#change(() => this.#host.run((channel) => channel.send(command, who, files)));
  }

  cancel(turn: string): Promise<Outcome<void>> {
    return this.#change(() => this.#host.run((channel) => channel.cancel(turn)));
  }

  ingest(request: IngestRequest): Promise<Outcome<IngestResponse>> {
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

  /** A page of history, as the JSON that the client gets: what the journal holds, and before it the records. */
  async history(
    conversation: string,
    before = Number.MAX_SAFE_INTEGER,
    limit: number,
    origin?: string,
  ): Promise<string> {
    if (origin !== undefined) this.#host.reachedBy(origin);
    const { channel } = this.#host;
    const recent = this.#host.run((one) => one.history(conversation)).reverse();
    const rows = recent.filter(({ position }) => position < before).slice(0, limit + 1);
    if (rows.length <= limit && channel.cut > 0) {
      const end = Math.min(before, channel.cut + 1);
      const older = await this.#messages.page(this.#owner, conversation, end, limit + 1 - rows.length);
      const known = new Set(recent.map(({ row }) => row.id));
      rows.push(...older.filter(({ row }) => !known.has(row.id)));
    }
    const page = rows.slice(0, limit);
    const messages = page.map(({ row }) => channel.render(row));
    return JSON.stringify({
      messages,
      next: rows.length > limit ? (page.at(-1)?.position ?? null) : null,
    } satisfies HistoryPage);
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
