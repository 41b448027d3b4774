import type { Command, SendCommand, SendResult } from '../protocol/client-frames.ts';
import type { Position } from '../protocol/cursor.ts';
import { CLOSE, StarwireError } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import { Archive } from './archive.ts';
import { called, dueCalls, type StartPolicy } from './calls.ts';
import { Conversations } from './conversations.ts';
import { Core, type Ports } from './core.ts';
import { greet } from './greeting.ts';
import { type IngestRequest, type IngestResponse, ingest } from './ingest.ts';
import { Maintenance } from './maintenance.ts';
import { offended } from './offences.ts';
import type { Pending } from './outbox.ts';
import type { Socket } from './ports.ts';
import { type Asked, regenerate } from './regenerate.ts';
import { Roster, refuse, sendFrames } from './roster.ts';
import { checkSend, earlierSend, type KnownFiles } from './sends.ts';
import type { Attachment, Session } from './session.ts';
import { TokenBucket } from './token-bucket.ts';
import { attempted, cancel, expire, nextExpiry, openOwnTurn } from './turn-life.ts';
import { type OpenView, openView, type TurnRecord, turnRecord } from './turn-record.ts';

/** How soon an unanswered call to a turn's own object is tried again. */
const OUTBOX_RETRY_MS = 5_000;

const NO_FILES: KnownFiles = new Map();

/**
 * The heart: an ordered journal with sessions attached. Everything here is synchronous, so that no two changes of a channel
 * ever interleave. A fault while writing (not a refusal) leaves memory behind storage: the owner must then build a new
 * Channel from storage, and the old one stores nothing any more.
 */
export class Channel {
  readonly conversations: Conversations;
  readonly archive: Archive;
  readonly #core: Core;
  readonly #roster: Roster;
  readonly #messages: TokenBucket;
  readonly #maintenance = new Maintenance();

  constructor(ports: Ports, sockets: Iterable<Socket>) {
    this.#roster = new Roster(sockets, ports.clock, ports.limits);
    this.#core = new Core(ports, this.#roster);
    this.conversations = new Conversations(this.#core);
    this.archive = new Archive(this.#core, this.#maintenance);
    const told = this.#roster.all[0]?.is.epoch;
    if (told !== undefined) this.#core.journal.adopt(told);
    const { messages_burst, messages_per_minute } = ports.limits;
    this.#messages = new TokenBucket(messages_burst, messages_per_minute, ports.clock.now());
  }

  get sessions(): readonly Session[] {
    return this.#roster.all;
  }

  get epoch(): string {
    return this.#core.journal.epoch;
  }

  /** How often something was stored. */
  get revision(): number {
    return this.#core.revision;
  }

  session(socket: Socket): Session | undefined {
    return this.#roster.get(socket);
  }

  /** Takes a new connection in: `welcome`, what it missed, what is open, `ready` (P-WS-8, P-WS-9). */
  attach(socket: Socket, attachment: Omit<Attachment, 'v' | 'epoch'>, position: Position): Session {
    const { ports, journal } = this.#core;
    const crowded = this.#roster.size >= ports.limits.sessions_per_user;
    const session = this.#roster.add(socket, { ...attachment, v: 1, epoch: journal.epoch });
    if (crowded) {
      refuse(
        session,
        new StarwireError('rate_limited', `there are already ${ports.limits.sessions_per_user} sessions`),
      );
      session.close(CLOSE.too_many_sessions, 'too many sessions');
      return session;
    }
    greet(this.#core, this.#roster, session, position);
    if (session.open) this.#delivered(session);
    return session;
  }

  /** The session has been written everything up to where it stands. */
  #delivered({ behind }: Session): void {
    const { journal, ports } = this.#core;
    const seq = behind?.at.seq ?? journal.head;
    if ((journal.undelivered ?? Number.POSITIVE_INFINITY) <= seq)
      ports.sql.transaction(() => journal.delivered(seq));
  }

  detach(socket: Socket): void {
    this.#roster.remove(socket);
  }

  /** A command of a session; what it refuses is told to that session alone. `refresh` is the owner's: it verifies tokens. */
  receive(
    session: Session,
    command: Exclude<Command, { type: 'refresh' }>,
    files: KnownFiles = NO_FILES,
  ): void {
    if (this.#roster.expired(session)) return;
    switch (command.type) {
      case 'message':
      case 'action':
      case 'answer':
        return this.#receiveSend(session, command, files);
      case 'cancel':
        return this.#guard(session, undefined, () => this.cancel(command.turn));
      case 'typing':
        return this.#roster.typing(session, command);
      case 'seen':
        return session.seen(command.seq);
      default:
        command satisfies never;
    }
  }

  #receiveSend(session: Session, command: SendCommand, files: KnownFiles): void {
    const { client_id } = command;
    this.#guard(session, client_id, () => {
      this.send(command, session.identity, files, (result) =>
        sendFrames(session, [{ type: 'ack', client_id, ...result }]),
      );
    });
  }

  #guard(session: Session, client_id: string | undefined, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof StarwireError)) throw error;
      offended(this.#core, session, error, client_id);
    }
  }

  /** A frame that could not be read (P-WS-13). */
  malformed(session: Session, error: StarwireError, client_id?: string): void {
    if (!this.#roster.expired(session)) offended(this.#core, session, error, client_id);
  }

  /** Applies a send once per `client_id` (P-WS-5). Throws its refusal; then nothing has changed. */
  send(
    command: SendCommand,
    who: Identity,
    files: KnownFiles = NO_FILES,
    acknowledge?: (result: SendResult) => void,
  ): SendResult {
    const earlier = earlierSend(this.#core, command);
    if (earlier) {
      acknowledge?.(earlier);
      return earlier;
    }
    this.#requirePace();
    const checked = checkSend(this.#core, command, who, files);
    return this.#core.commit(() => ({ ...checked.run(), duplicate: false }), acknowledge).value;
  }

  #requirePace(): void {
    const wait_ms = this.#messages.take(this.#core.now);
    if (wait_ms <= 0) return;
    throw new StarwireError('rate_limited', 'too many messages; slow down', {
      retry_after: Math.ceil(wait_ms / 1000),
    });
  }

  /** Asks again for the reply of a turn; returns the new turn's id. */
  regenerate(asked: Asked, who: Identity): string {
    this.#requirePace();
    return regenerate(this.#core, asked, who);
  }

  /** Cancels a turn (P-WS-11). Throws `turn_finished` or `not_found`. */
  cancel(turn: string): void {
    this.#core.commit(() => cancel(this.#core, turn));
  }

  /** A new token for a live session (P-WS-12). */
  refreshed(session: Session, who: Identity): void {
    this.#roster.refreshed(session, who);
  }

  /** Applies events of an upstream (section 5.2). */
  ingest(request: IngestRequest): IngestResponse {
    return ingest(this.#core, request);
  }

  /** Stores streamed text that is not stored yet. */
  flush(): void {
    this.#core.flush();
  }

  /** Whether everything that was applied is in storage. */
  get stored(): boolean {
    return this.#core.turns.unflushed === 0 && !this.#core.ingests.dirty;
  }

  /** An SSE relay has read so many bytes. */
  credit(session: Session, bytes: number): void {
    this.#roster.credit(session, this.#core, bytes);
    if (session.open) this.#delivered(session);
  }

  /**
   * Opens the one turn of an `sse:` channel, whose own object is this one. `running`: its upstream is called once and at once, so
   * that its first word need not wait for the change to be stored.
   */
  openOnlyTurn(turn: string, conversation: string, status: 'queued' | 'running'): void {
    this.#core.commit(() => openOwnTurn(this.#core, turn, conversation, status));
  }

  /** The turn's own object has made its first call of the upstream. A running turn's next step does not hang on it: no row. */
  attempted(turn: string, accepted: boolean): void {
    const change = () => attempted(this.#core, turn, accepted);
    if (this.#core.turns.get(turn)?.state.status === 'running') change();
    else this.#core.commit(change);
  }

  /** Ends what has run out of time, and keeps the channel within its bounds. */
  expire(): void {
    const next = nextExpiry(this.#core);
    if (next !== undefined && next <= this.#core.now) this.#core.commit(() => expire(this.#core));
    if (this.#maintenance.isDue(this.#core)) this.#core.commit(() => this.#maintenance.run(this.#core));
  }

  /** When the channel wants to be woken (Unix ms). */
  get wake(): number | undefined {
    const times = [nextExpiry(this.#core)].filter((time) => time !== undefined);
    if (this.calls.length > 0) times.push(this.#core.now + OUTBOX_RETRY_MS);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Calls to the turns' own objects that may be made now, in order (P-WS-15). */
  get calls(): Pending[] {
    return dueCalls(this.#core);
  }

  /** A call was answered, with the policy of the turn's upstream. */
  called(pending: Pending, policy: StartPolicy): void {
    this.#core.commit(() => called(this.#core, pending, policy));
  }

  /** Open turns whose own object is calling the upstream. */
  get running(): string[] {
    return [...this.#core.turns.open]
      .filter(({ state }) => state.runs && state.started)
      .map(({ state }) => state.turn);
  }

  /** How many turns are open here. */
  get openTurns(): number {
    return this.#core.turns.size;
  }

  /** The stored facts of a turn (section 5.3). */
  turn(turn: string) {
    this.#core.flush();
    return this.#core.turns.find(turn);
  }

  /** Everything that is here of a turn; undefined where there is none, or its conversation was deleted. */
  turnRecord(turn: string): TurnRecord | undefined {
    return turnRecord(this.#core, (id) => this.conversations.deletedAt(id), turn);
  }

  /** What is open now. */
  get open(): OpenView {
    return openView(this.#core);
  }

  /** Cancels what is open, and ends all sessions: their user goes. `drop` comes when the turns' own objects know. */
  leave(): void {
    for (const { state } of [...this.#core.turns.open]) this.cancel(state.turn);
    this.closeAll(CLOSE.unauthorized, 'erased');
  }

  /** Drops everything that is stored. This Channel is over: the owner builds a new one, with a new epoch. */
  drop(): void {
    this.closeAll(CLOSE.unauthorized, 'erased');
    this.#core.ports.sql.transaction(() => this.#core.tables.drop());
  }

  /** Ends all sessions. */
  closeAll(code: number, reason: string): void {
    this.#roster.closeAll(code, reason);
  }
}
