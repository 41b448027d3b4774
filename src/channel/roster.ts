import { CLOSE, StarwireError } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import { CREDIT_STEPS, type Limits } from '../protocol/limits.ts';
import type { ErrorFrame, ServerFrame } from '../protocol/server-frames.ts';
import type { Audience, Core } from './core.ts';
import { Out } from './out.ts';
import type { Standing } from './place.ts';
import type { Clock, Socket } from './ports.ts';
import { advance, entries, openState, openText } from './replay.ts';
import { type Attachment, Session } from './session.ts';

/** The sessions of one channel, and how frames get to them. */
export class Roster implements Audience {
  readonly #sessions = new Map<Socket, Session>();
  readonly #clock: Clock;
  readonly #limits: Limits;

  /** `sockets` are those that were open before a hibernation. */
  constructor(sockets: Iterable<Socket>, clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
    for (const socket of sockets) {
      const session = Session.restore(socket);
      if (session) this.#sessions.set(socket, session);
    }
  }

  get all(): Session[] {
    return [...this.#sessions.values()].filter((session) => session.open);
  }

  get size(): number {
    let open = 0;
    for (const session of this.#sessions.values()) if (session.open) open += 1;
    return open;
  }

  /** Whether a frame that is sent now reaches somebody. */
  get online(): boolean {
    const now = this.#clock.now();
    for (const session of this.#sessions.values())
      if (session.open && session.is.exp * 1000 > now) return true;
    return false;
  }

  get(socket: Socket): Session | undefined {
    return this.#sessions.get(socket);
  }

  add(socket: Socket, attachment: Attachment): Session {
    const session = new Session(socket, attachment);
    session.save();
    this.#sessions.set(socket, session);
    return session;
  }

  remove(socket: Socket): void {
    this.#sessions.delete(socket);
  }

  closeAll(code: number, reason: string): void {
    for (const session of this.#sessions.values()) session.close(code, reason);
  }

  /** Whether there is an SSE relay. */
  get relayed(): boolean {
    for (const session of this.#sessions.values()) if (session.is.credit !== undefined) return true;
    return false;
  }

  /** Sends to all sessions in the same order (P-WS-4); returns whether at least one was written. */
  fanout(outs: readonly Out[], before: Standing | undefined): boolean {
    let delivered = false;
    for (const session of this.#sessions.values()) {
      if (!session.open || this.expired(session)) continue;
      if (before && session.is.credit !== undefined)
        delivered = this.#relay(session, outs, before) || delivered;
      else delivered = session.send(outs) || delivered;
      this.#closeIfSlow(session);
    }
    return delivered;
  }

  /** P-WS-12: checked before every push and on every client frame. */
  expired(session: Session): boolean {
    if (session.is.exp * 1000 > this.#clock.now()) return false;
    refuse(session, new StarwireError('token_expired', 'the token has expired'));
    session.close(CLOSE.token_expired, 'token expired');
    return true;
  }

  /** Tells the user's other sessions that this one is being typed in. */
  typing(from: Session, { active, conversation }: { active: boolean; conversation?: string }): void {
    const out = Out.of({
      type: 'typing',
      active,
      sender: from.is.user,
      ...(conversation === undefined ? {} : { conversation }),
    });
    for (const session of this.#sessions.values())
      if (session !== from && !this.expired(session)) session.send([out]);
  }

  /** A new token for a live session (P-WS-12). */
  refreshed(session: Session, who: Identity): void {
    if (this.expired(session)) return;
    if (who.user !== session.is.user || who.tenant !== session.is.tenant) {
      refuse(session, new StarwireError('forbidden', 'the token belongs to somebody else'));
      session.close(CLOSE.forbidden, 'forbidden');
      return;
    }
    session.save({ exp: who.exp, name: who.name, avatar: who.avatar, roles: [...who.roles] });
  }

  #closeIfSlow(session: Session): void {
    if (session.unseenBytes > this.#limits.unseen_bytes) session.close(CLOSE.slow_consumer, 'slow consumer');
  }

  /** An SSE relay takes what its credit allows; without credit it falls behind and is served from the journal later. */
  #relay(session: Session, outs: readonly Out[], before: Standing): boolean {
    if (session.behind) return false;
    const bytes = outs.reduce((sum, out) => sum + out.bytes, 0);
    if (!fits(session, bytes)) {
      session.fallBehind(before, false);
      return false;
    }
    session.inflight += bytes;
    return session.send(outs);
  }

  /** The relay has read `bytes`: it gets what it missed, as far as the credit reaches. */
  credit(session: Session, core: Core, bytes: number): void {
    session.inflight = Math.max(0, session.inflight - bytes);
    const { behind } = session;
    if (!behind) return;
    const { at, opening } = behind;
    // The journal was cut behind its back: the Worker comes again with its cursor and is told so (P-WS-8).
    if (at.seq < core.journal.cut) return session.close(CLOSE.restart, 'retention');
    for (const out of missed(core, at, opening)) {
      if (!fits(session, out.bytes)) {
        for (const turn of at.turns.keys()) if (!core.turns.get(turn)) at.turns.delete(turn);
        session.fallBehind(at, opening);
        return;
      }
      session.inflight += out.bytes;
      session.send([out]);
      advance(core, at, out);
    }
    session.caughtUp();
  }
}

/** What a relay has read may be less than a step and is then never told: it is never waited for. */

function fits({ inflight, is }: Session, bytes: number): boolean {
  const { credit = 0 } = is;
  return inflight < credit / CREDIT_STEPS || inflight + bytes <= credit;
}

/** What a relay that stands at `at` has not had. The place moves while it is read, so that it is read lazily. */
function* missed(core: Core, at: Standing, opening: boolean): Generator<Out> {
  yield* entries(core, at.seq);
  if (opening) {
    yield* openState(core, at.turns);
    yield Out.of({ type: 'ready', seq: core.journal.head });
    return;
  }
  for (const { state } of core.turns.open) yield* openText(core, at.turns, state.turn);
}

/** Tells one session of a refusal. */
export function refuse(session: Session, error: StarwireError, client_id?: string): void {
  const frame: ErrorFrame = {
    type: 'error',
    ...error.body,
    ...(client_id === undefined ? {} : { client_id }),
  };
  session.send([Out.of(frame)]);
}

export function sendFrames(session: Session, frames: ServerFrame[]): void {
  session.send(frames.map((frame) => Out.of(frame)));
}
