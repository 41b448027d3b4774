import * as v from 'valibot';
import { IDENTITY_FIELDS, type Identity } from '../protocol/identity.ts';
import { batched, type Out, type Sink } from './out.ts';
import type { Place, Standing } from './place.ts';
import type { Socket } from './ports.ts';

const Attachment = v.object({
  v: v.literal(1),
  id: v.string(),
  ...IDENTITY_FIELDS,
  connected_at: v.number(),
  dialect: v.string(),
  origin: v.string(),
  epoch: v.string(),
  batch: v.boolean(),
  /** Bytes that may be under way to an SSE relay; undefined for sockets of clients. */
  credit: v.optional(v.number()),
  /** Where an SSE relay without credit stands; undefined while it is live. */
  behind: v.optional(
    v.object({
      seq: v.number(),
      turns: v.array(v.tuple([v.string(), v.number(), v.number()])),
      /** It has not had its open state and `ready` yet. */
      opening: v.boolean(),
    }),
  ),
});

/** What is kept beside the socket and survives hibernation: versioned, and far below the 16 KiB that fit. */
export type Attachment = v.InferOutput<typeof Attachment>;

/** How many frames a `seen` speaks for at least: clients send it every 64 frames and when idle. */
const SEEN_EVERY = 64;

/** One live connection: its socket, who it belongs to, and how far it has been heard. */
export class Session implements Sink {
  readonly socket: Socket;
  #attachment: Attachment;
  #open = true;
  /** Frames sent and not yet `seen`, as sizes and seqs; only for clients that send `seen`. */
  #unseen: { bytes: number; seq: number }[] | undefined;
  #unseenBytes = 0;
  readonly #marks = { bad: [] as number[], refused: [] as number[] };

  constructor(socket: Socket, attachment: Attachment) {
    this.socket = socket;
    this.#attachment = attachment;
  }

  /** Rebuilds a session after a hibernation. Returns undefined where the socket carries none of ours. */
  static restore(socket: Socket): Session | undefined {
    const parsed = v.safeParse(Attachment, socket.load());
    return parsed.success ? new Session(socket, parsed.output) : undefined;
  }

  get is(): Readonly<Attachment> {
    return this.#attachment;
  }

  get open(): boolean {
    return this.#open;
  }

  get identity(): Identity {
    const { tenant, user, name, avatar, roles, exp } = this.#attachment;
    return { tenant, user, name, avatar, roles, exp };
  }

  save(change: Partial<Attachment> = {}): void {
    this.#attachment = { ...this.#attachment, ...change };
    this.socket.save(this.#attachment);
  }

  /** Sends frames in order. A dead socket ends only this session (P-WS-4); returns whether they were written. */
  send(outs: readonly Out[]): boolean {
    if (!this.#open || outs.length === 0) return false;
    try {
      if (this.#attachment.batch && outs.length > 1) for (const text of batched(outs)) this.socket.send(text);
      else for (const out of outs) this.socket.send(out.json);
    } catch {
      this.#open = false;
      return false;
    }
    if (this.#unseen) {
      for (const out of outs) this.#unseen.push({ bytes: out.bytes, seq: out.seq });
      this.#unseenBytes += outs.reduce((sum, out) => sum + out.bytes, 0);
    }
    return true;
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.socket.close(code, reason);
    } catch {
      // The peer had already gone: nothing is left to close.
    }
  }

  /** Bytes sent and not `seen` (P-WS-14); of a client that never sent a `seen`, what its socket still holds. */
  get unseenBytes(): number {
    return this.#unseen ? this.#unseenBytes : (this.socket.buffered ?? 0);
  }

  /** The client has everything up to `seq`, and at least one round of frames more than at its last word. */
  seen(seq: number): void {
    this.#unseen ??= [];
    const known = this.#unseen.findLastIndex((one) => one.seq > 0 && one.seq <= seq) + 1;
    const gone = this.#unseen.splice(0, Math.max(known, Math.min(SEEN_EVERY, this.#unseen.length)));
    this.#unseenBytes -= gone.reduce((sum, one) => sum + one.bytes, 0);
  }

  /** Counts an offence; true once there were `limit` of the kind within a minute. */
  mark(kind: 'bad' | 'refused', limit: number, now: number): boolean {
    const recent = this.#marks[kind].filter((at) => at > now - 60_000);
    recent.push(now);
    this.#marks[kind] = recent;
    return recent.length >= limit;
  }

  /** Bytes that an SSE relay was sent and has not read yet. */
  inflight = 0;

  /** Where an SSE relay is to go on once it has credit again. */
  fallBehind({ seq, turns }: Standing, opening: boolean): void {
    const lengths = [...turns].map(([turn, { text, reasoning }]): [string, number, number] => [
      turn,
      text,
      reasoning,
    ]);
    this.save({ behind: { seq, turns: lengths, opening } });
  }

  caughtUp(): void {
    this.save({ behind: undefined });
  }

  /** An SSE relay's place in the channel while it has no credit. */
  get behind(): { at: Place; opening: boolean } | undefined {
    const { behind } = this.#attachment;
    if (!behind) return undefined;
    const turns = new Map(behind.turns.map(([turn, text, reasoning]) => [turn, { text, reasoning }]));
    return { at: { seq: behind.seq, turns }, opening: behind.opening };
  }
}
