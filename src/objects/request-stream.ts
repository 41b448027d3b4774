import { DurableObject } from 'cloudflare:workers';
import type { StartPolicy } from '../channel/calls.ts';
import type { IngestRequest, IngestResponse } from '../channel/ingest.ts';
import type { Call, Pending } from '../channel/outbox.ts';
import { contextOf, type Env } from '../env.ts';
import { CLOSE, StarwireError } from '../protocol/errors.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import { log } from '../protocol/log.ts';
import { isTerminal, type TurnStatus } from '../protocol/server-frames.ts';
import { TurnRun } from '../upstream/run.ts';
import { admissionsOf } from './admissions.ts';
import { readAttach } from './attach-request.ts';
import { ChannelHost } from './channel-host.ts';
import { type Outcome, outcome } from './outcome.ts';
import { RequestBody } from './request-body.ts';
import { REMEMBER_RETRY_MS, rememberFiles, tellEnd } from './request-end.ts';
import { RequestOwner } from './request-owner.ts';
import type { HubCall, OpenRequest, Owner, StreamFacts } from './request-types.ts';
import { aboutOf, opening, takeCall } from './turn-deliveries.ts';
import { turnPorts } from './turn-ports.ts';
import { TurnUpstream } from './turn-upstream.ts';

/**
 * One object per request or turn: it calls the upstream for its turn, and for a `/v1` request it is also the channel, the
 * SSE queue `sse:{request_id}`.
 */
export class RequestStream extends DurableObject<Env> {
  #host: ChannelHost;
  readonly #whose: RequestOwner;
  readonly #run: TurnRun;
  readonly #body: RequestBody;
  readonly #upstream: TurnUpstream;
  /** When a client that went away counts as gone (Unix ms). */
  #graceUntil: number | undefined;
  /** When to see whether there still is a client (Unix ms). */
  #lookAt: number | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { kv } = ctx.storage;
    this.#whose = new RequestOwner(kv);
    this.#host = this.#newHost();
    this.#body = new RequestBody(kv);
    this.#upstream = new TurnUpstream(env, () => this.#whose.required, this.#body);
    const object = {
      env,
      kv,
      upstream: this.#upstream,
      owner: () => this.#whose.required,
      host: () => this.#host,
    };
    this.#run = new TurnRun(turnPorts(object));
  }

  #newHost(): ChannelHost {
    return new ChannelHost(this.ctx, this.env, () => {
      const { tenant, user, turn } = this.#whose.required;
      return { tenant, user, channel: `sse:${turn}` };
    });
  }

  get #owner(): Owner | undefined {
    return this.#whose.current;
  }

  get #limits() {
    return contextOf(this.env).config.limits;
  }

  /** The status of the turn that is here. Other than with its facts, nothing is stored to tell it. */
  get #status(): TurnStatus | undefined {
    const { turn } = this.#whose.required;
    return this.#host.run((channel) => channel.ingest({ events: [], end: false, watch: turn })).status;
  }

  /** A hub's call; answered as soon as it is stored (DESIGN 5), with how the conversation's next turn may follow. */
  async call({ tenant, user, turn, conversation, call }: HubCall): Promise<StartPolicy> {
    const upstream = this.#owner ? undefined : await contextOf(this.env).tenants.upstreamOf(tenant);
    const owner = this.#owner;
    if (!owner) {
      const about = call.type === 'start' ? aboutOf(call.delivery) : { conversation };
      this.#own({ tenant, user, turn, channel: 'hub', about, upstream });
    }
    if (!owner || (owner.tenant === tenant && owner.user === user)) {
      this.#take(turn, call);
      this.#go();
    }
    return this.#upstream.policy;
  }

  #own(owner: Omit<Owner, 'forget_at'>): void {
    this.#whose.set({ ...owner, forget_at: Date.now() + this.#limits.idempotency_ms });
  }

  #take(turn: string, call: Call): void {
    takeCall(this.#run, this.#whose.required, turn, call);
  }

  /** Goes on with what a crash broke off; where nothing was, nothing happens. */
  async look(): Promise<void> {
    if (this.#owner && !this.#run.active) await this.#settle();
  }

  /** Starts what is due and sets the alarm. The object stays up while a call is under way; the alarm finds a broken one. */
  #go(): void {
    const running = this.#run.run();
    this.#schedule();
    this.ctx.waitUntil(
      running.then(
        () => this.#settle(),
        (error: unknown) => {
          const { tenant, user, turn } = this.#owner ?? {};
          log('error', 'turn run failed', { tenant, user, turn, error });
          this.#schedule();
        },
      ),
    );
  }

  #schedule(): void {
    const owner = this.#owner;
    if (!owner) return;
    const times = [this.#run.due, this.#graceUntil, this.#lookAt, owner.forget_at].filter(
      (time) => time !== undefined,
    );
    if (owner.channel === 'here') this.#host.schedule(Math.min(...times));
    else void this.ctx.storage.setAlarm(Math.min(...times));
  }

  /** The channel's calls to its turn's object stay in this object. */
  async #settle(): Promise<void> {
    const owner = this.#owner;
    if (!owner) return;
    if (owner.channel === 'here') {
      await this.#host.dispatch(async ({ turn, call }: Pending) => {
        this.#take(turn, call);
        return this.#upstream.policy;
      });
      const status = this.#status;
      const soon = Date.now() + this.#limits.stream_retention_ms;
      if (status && isTerminal(status) && owner.forget_at > soon) {
        this.#whose.set({ ...owner, forget_at: soon });
        this.#body.delete();
        this.ctx.waitUntil(
          tellEnd(this.env, owner, this.#host.channel.archive.endings(Number.MAX_SAFE_INTEGER)),
        );
      }
      this.#leave();
    }
    if (this.#run.due !== undefined && this.#run.due <= Date.now() && !this.#run.active) this.#go();
    else this.#schedule();
  }

  /** With nobody listening, a turn that is not detached has so long to live (P-OA-6). */
  #leave(): void {
    const owner = this.#whose.required;
    const { sse_grace_ms, sse_heartbeat_ms } = this.#limits;
    const status = owner.detach ? undefined : this.#status;
    const needed = status !== undefined && !isTerminal(status);
    const abandoned = needed && this.#host.channel.sessions.length === 0;
    this.#graceUntil = abandoned ? (this.#graceUntil ?? Date.now() + sse_grace_ms) : undefined;
    // A crash that takes this object and its clients' Workers at once tells nobody that they have gone.
    this.#lookAt = needed ? Date.now() + sse_heartbeat_ms + sse_grace_ms : undefined;
  }

  override async alarm(): Promise<void> {
    const owner = this.#owner;
    if (!owner) return;
    if (owner.forget_at <= Date.now()) return this.#forget(owner);
    if (owner.channel === 'here') {
      this.#host.rang();
      // A crash has taken the time of grace from memory: it begins again.
      this.#leave();
      if (this.#graceUntil !== undefined && this.#graceUntil <= Date.now())
        this.#host.run((channel) => channel.cancel(owner.turn));
    }
    await this.#settle();
  }

  async #forget(owner: Owner): Promise<void> {
    if (owner.channel === 'here') {
      this.#host.channel.closeAll(CLOSE.normal, 'forgotten');
      // Nobody else knows those that came while D1 was down.
      const kept = await rememberFiles(this.env, owner, this.#host.channel.archive.strays);
      if (!kept) return this.ctx.storage.setAlarm(Date.now() + REMEMBER_RETRY_MS);
    }
    await this.ctx.storage.deleteAll();
    this.#whose.gone();
    this.#run.gone();
    // The same key may come again while this object lives: the channel in memory is of what was stored.
    this.#host = this.#newHost();
  }

  /**
   * Makes the channel `sse:{request_id}` and its turn, from the bytes of the request's body; the same request again only finds it.
   */
  async open(request: OpenRequest, bytes: ReadableStream<Uint8Array>): Promise<Outcome<StreamFacts>> {
    if (this.#owner) await bytes.cancel();
    else {
      const [admitted, upstream, body] = await Promise.all([
        admissionsOf(this.env, request).admit(request.user, request.request_id),
        contextOf(this.env).tenants.upstreamOf(request.tenant),
        new Response(bytes).arrayBuffer(),
      ]);
      if ('error' in admitted) return admitted;
      // The same request may have come a second time meanwhile.
      if (!this.#owner) this.#begin(request, new Uint8Array(body), upstream);
      await this.#settle();
    }
    return outcome(() => {
      const owner = this.#whose.required;
      if (owner.body !== request.body)
        throw new StarwireError('idempotency_mismatch', 'the Idempotency-Key was used with another body');
      return this.#facts(owner);
    });
  }

  #begin(request: OpenRequest, bytes: Uint8Array, upstream: Owner['upstream']): void {
    const { tenant, user, request_id, detach, body, model, include_usage } = request;
    const start = opening(request);
    const seen = { model, include_usage, created: Math.floor(Date.now() / 1000) };
    const owner = { tenant, user, turn: request_id, detach, body, seen, upstream, about: aboutOf(start) };
    this.#own({ ...owner, channel: 'here' });
    this.#body.put(bytes);
    // A generation is called once; a delivery may be repeated until there is a sign that it was taken.
    const status = this.#upstream.repeatable ? 'queued' : 'running';
    this.#host.run((channel) => channel.openOnlyTurn(request_id, DEFAULT_CONVERSATION, status));
    this.#take(request_id, { type: 'start', delivery: start });
  }

  /** What a reader of the stream needs to know; undefined where it is not a stream of that user. */
  streamOf(tenant: string, user: string): StreamFacts | undefined {
    const owner = this.#owner;
    if (owner?.channel !== 'here' || owner.tenant !== tenant || owner.user !== user) return undefined;
    return this.#facts(owner);
  }

  #facts({ turn, seen = { model: '', include_usage: false, created: 0 } }: Owner): StreamFacts {
    return { ...seen, message: this.#host.channel.turn(turn)?.message ?? '' };
  }

  override async fetch(request: Request): Promise<Response> {
    if (this.#owner?.channel !== 'here') return new Response(null, { status: 404 });
    if (new URL(request.url).pathname === '/ingest') return this.#host.attachIngest();
    const response = this.#host.attach(readAttach(request));
    // A run that a crash broke off is found by the first reader, not only by the alarm.
    await this.#settle();
    return response;
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (await this.#host.receive(socket, message, this.#owner?.turn)) await this.#settle();
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    if (!this.#owner) return;
    this.#host.gone(socket);
    await this.#settle();
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.webSocketClose(socket);
  }

  async #change<T>(work: () => T): Promise<Outcome<T>> {
    const result = outcome(() => {
      if (this.#owner?.channel !== 'here') throw new StarwireError('not_found', 'there is no such channel');
      return work();
    });
    await this.#settle();
    return result;
  }

  ingest(request: IngestRequest): Promise<Outcome<IngestResponse>> {
    return this.#change(() =>
      this.#host.run((channel) => channel.ingest({ ...request, only: this.#owner?.turn })),
    );
  }

  /** Whether this is a request of that user which is under way. */
  isRunning(tenant: string, user: string): boolean {
    const status = this.streamOf(tenant, user) && this.#status;
    return status !== undefined && !isTerminal(status);
  }

  /** Where the turn's channel is, and for one that is here its facts (section 5.3). */
  facts() {
    const owner = this.#owner;
    if (!owner) return undefined;
    const { tenant, user, turn, channel } = owner;
    return {
      tenant,
      user,
      channel,
      state: channel === 'here' ? this.#host.run((one) => one.turn(turn)) : undefined,
    };
  }
}
