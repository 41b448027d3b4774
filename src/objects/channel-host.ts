import type { StartPolicy } from '../channel/calls.ts';
import { Channel } from '../channel/channel.ts';
import type { IngestRequest } from '../channel/ingest.ts';
import type { Pending } from '../channel/outbox.ts';
import { contextOf, type Env } from '../env.ts';
import { CLOSE, StarwireError } from '../protocol/errors.ts';
import { log } from '../protocol/log.ts';
import { type AttachRequest, positionOf } from './attach-request.ts';
import { Commands, type Recall } from './commands.ts';
import { clock, DurableSql, socketOf } from './durable-ports.ts';
import { isIngest, isMarked, markIngest } from './ingest-mark.ts';
import { type Batch, type BatchAnswer, isExpected } from './ingest-wire.ts';
import { outcome } from './outcome.ts';
import { creditOf } from './relay-frames.ts';

const SESSION = 'session';
const INGEST = 'ingest';

/** A client that misses so many heartbeats has gone without a word. */
const MISSED_HEARTBEATS = 2.5;

export interface Identified {
  tenant: string;
  user: string;
  /** The channel's name. */
  channel: string;
}

/**
 * A Channel inside a Durable Object: sockets, alarm, and the repair of faults. The Channel is rebuilt from storage whenever
 * the object has slept or a write failed.
 */
export class ChannelHost {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #who: () => Identified;
  #channel: Channel | undefined;
  #heard: string | undefined;
  readonly #commands: Commands;
  /** When the alarm is set for; undefined: not known since the object woke. */
  #alarm: number | undefined;

  constructor(ctx: DurableObjectState, env: Env, who: () => Identified) {
    this.#ctx = ctx;
    this.#env = env;
    this.#who = who;
    this.#commands = new Commands(env, this);
  }

  get channel(): Channel {
    if (this.#channel) return this.#channel;
    this.#channel = this.#build();
    this.#repair(this.#channel);
    return this.#channel;
  }

  /** The object fell asleep over text that was shown and not stored: both sides begin again from what is stored. */
  #repair(channel: Channel): void {
    const unstored = this.#ctx
      .getWebSockets(INGEST)
      .filter((socket) => isIngest(socket.deserializeAttachment(), true));
    if (unstored.length === 0) return;
    channel.closeAll(CLOSE.restart, 'restart');
    for (const socket of unstored) {
      // While it closes it may be seen again, and then nobody is to begin anew for it.
      markIngest(socket, false);
      socket.close(CLOSE.restart, 'restart');
    }
  }

  #build(): Channel {
    const { config, seal, files } = contextOf(this.#env);
    const { tenant, user, channel } = this.#who();
    return new Channel(
      {
        name: channel,
        sql: new DurableSql(this.#ctx.storage),
        clock,
        epochs: seal.epochs(JSON.stringify([tenant, channel])),
        newId: seal.newId,
        limits: config.limits,
        placed: channel.startsWith('sse:'),
        url: (id, filename) => files.url(this.#origin, id, filename),
        // Its message may repeat what somebody wrote.
        broken: ({ turn, status, error }) =>
          log('warn', `turn ${status}`, { tenant, user, turn, type: error?.type }),
      },
      this.#ctx.getWebSockets(SESSION).map(socketOf),
    );
  }

  /** Where clients reach us: the address by which one came last. */
  get #origin(): string {
    return this.#heard ?? this.#channel?.sessions.at(-1)?.is.origin ?? '';
  }

  /** A client came by this address. */
  reachedBy(origin: string): void {
    this.#heard = origin;
  }

  /** Runs synchronous work on the channel. A fault (not a refusal) ends all sessions: they resume from what is stored. */
  run<T>(work: (channel: Channel) => T): T {
    try {
      return work(this.channel);
    } catch (error) {
      if (!(error instanceof StarwireError)) {
        this.#channel?.closeAll(CLOSE.restart, 'restart');
        this.#channel = undefined;
      }
      throw error;
    }
  }

  /** Forgets everything that was ever stored; what comes next is a new journal. */
  drop(): void {
    this.channel.drop();
    // Sockets that are closing are no sessions of the new one.
    for (const socket of this.#ctx.getWebSockets(SESSION)) socket.serializeAttachment(null);
    this.#channel = undefined;
  }

  /** Sets the alarm for what the channel, or its owner (`also`), waits for. Part of the same commit as the writes before it. */
  schedule(also?: number): void {
    const times = [this.channel.wake, also].filter((time) => time !== undefined);
    if (times.length === 0) return;
    const at = Math.max(Math.min(...times), Date.now());
    // An alarm that rings too early only looks and is set again: moving it back is not worth a row.
    if (this.#alarm !== undefined && this.#alarm <= at && this.#alarm > Date.now()) return;
    this.#alarm = at;
    // Not awaited: it commits with the writes of this event, and the output gate waits for it.
    void this.#ctx.storage.setAlarm(at);
  }

  /** The alarm rang. */
  rang(): void {
    this.#alarm = undefined;
    this.run((channel) => channel.expire());
  }

  /** Makes the calls that are due, one after the other; what is not answered stays for the alarm. */
  async dispatch(call: (pending: Pending) => Promise<StartPolicy>): Promise<void> {
    for (;;) {
      const next = this.channel.calls[0];
      if (!next) return;
      let policy: StartPolicy;
      try {
        policy = await call(next);
      } catch (error) {
        log('error', 'a call is put off', { ...this.#who(), turn: next.turn, call: next.call.type, error });
        return;
      }
      this.run((channel) => channel.called(next, policy));
    }
  }

  /** Takes a client's socket in, for hibernation. */
  attach({ session, protocol, credit, ...attach }: AttachRequest): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [SESSION]);
    this.reachedBy(attach.origin);
    this.run((channel) =>
      channel.attach(
        socketOf(server),
        {
          id: session,
          tenant: attach.tenant,
          user: attach.user,
          name: attach.name,
          avatar: attach.avatar,
          roles: attach.roles,
          exp: attach.exp,
          connected_at: Date.now() / 1000,
          dialect: attach.dialect,
          origin: attach.origin,
          batch: attach.batch,
          ...(credit === undefined ? {} : { credit }),
        },
        positionOf(attach, channel.epoch),
      ),
    );
    this.#tellConnections();
    return new Response(null, {
      status: 101,
      webSocket: client,
      ...(protocol === undefined ? {} : { headers: { 'sec-websocket-protocol': protocol } }),
    });
  }

  /** Takes the Worker's socket for a long ingest in. */
  attachIngest(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [INGEST]);
    markIngest(server, false);
    return new Response(null, { status: 101, webSocket: client });
  }

  /**
   * A message on any of the sockets; `recall` makes messages known that it changes and the journal no longer holds. Says whether
   * anything was stored: text that streams by only passes through.
   */
  async receive(
    socket: WebSocket,
    message: string | ArrayBuffer,
    only?: string,
    recall: Recall = async () => {},
  ): Promise<boolean> {
    const { channel } = this;
    const { revision } = channel;
    await this.#receive(socket, message, only, recall);
    return this.#channel !== channel || channel.revision !== revision;
  }

  async #receive(
    socket: WebSocket,
    message: string | ArrayBuffer,
    only: string | undefined,
    recall: Recall,
  ): Promise<void> {
    if (isMarked(socket) || this.#ctx.getTags(socket).includes(INGEST))
      return this.#ingest(socket, message, only, recall);
    const session = this.channel.session(socketOf(socket));
    if (!session) return socket.close(CLOSE.restart, 'restart');
    if (typeof message !== 'string')
      return session.close(CLOSE.unsupported, 'binary frames are not supported');
    const credit = session.is.credit === undefined ? undefined : creditOf(message);
    if (credit !== undefined) return this.run((channel) => channel.credit(session, credit));
    await this.#commands.take(socket, session, message, recall);
  }

  /** One batch of a long ingest; the answer says what became of it and whether all of it is stored. */
  async #ingest(
    socket: WebSocket,
    message: string | ArrayBuffer,
    only: string | undefined,
    recall: Recall,
  ): Promise<void> {
    if (typeof message !== 'string')
      return socket.close(CLOSE.unsupported, 'binary frames are not supported');
    const { expect, ...request }: Batch = JSON.parse(message);
    const changed = editedBy(request);
    // Without a wait where there is none to be had: batches keep their order.
    if (changed.length > 0) await recall(changed);
    try {
      const answer = outcome(() => this.run((channel) => channel.ingest({ ...request, only })));
      const { stored } = this.channel;
      markIngest(socket, !stored);
      if (
        expect &&
        'value' in answer &&
        answer.value.results.every(({ result }) => isExpected(result, expect))
      )
        return;
      socket.send(JSON.stringify({ answer, stored, aside: expect !== undefined } satisfies BatchAnswer));
    } catch (error) {
      // A fault of ours: the other side connects again and sends what is not stored.
      socket.close(CLOSE.restart, 'restart');
      throw error;
    }
  }

  /** Ends sessions whose client used to ping and has fallen silent; true if there was one. */
  reap(): boolean {
    const { limits } = contextOf(this.#env).config;
    const since = Date.now() - limits.heartbeat_s * 1000 * MISSED_HEARTBEATS;
    let found = false;
    for (const socket of this.#ctx.getWebSockets(SESSION)) {
      const heard = this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime();
      if (heard === undefined || heard > since) continue;
      this.channel.session(socketOf(socket))?.close(CLOSE.restart, 'no sign of life');
      this.channel.detach(socketOf(socket));
      found = true;
    }
    return found;
  }

  /** A socket has gone; true if it was a session's. */
  gone(socket: WebSocket): boolean {
    try {
      // Completes the closing handshake; codes that only the runtime may use are answered with a plain one.
      socket.close(CLOSE.normal, 'closed');
    } catch {
      // The connection itself is gone.
    }
    // A socket that is closed on both sides has lost its tags.
    if (isIngest(socket.deserializeAttachment())) {
      this.run((channel) => channel.flush());
      return false;
    }
    this.channel.detach(socketOf(socket));
    this.#tellConnections();
    return true;
  }

  #tellConnections(): void {
    const { openFiles } = contextOf(this.#env);
    if (openFiles.limited) openFiles.hold(this.#ctx.id.toString(), this.channel.sessions.length);
  }
}

/** The messages that a request changes. */
export function editedBy({ events }: IngestRequest): string[] {
  return events.flatMap(({ event }) => (event.kind === 'edit' ? event.id : []));
}
