import type { Cursor, Lengths, Position } from '../protocol/cursor.ts';
import { type ChunkFrame, isTerminal, type ServerFrame, type TurnFrame } from '../protocol/server-frames.ts';
import type { UnknownFrame } from './decode.ts';

/** What becomes of a frame: it counts, it was known already, or something before it is missing. */
export type Verdict = { is: 'new'; frame: ServerFrame } | { is: 'known' } | { is: 'loss'; what: string };

const KNOWN: Verdict = { is: 'known' };
/** Finished turns whose late chunks are still recognised. */
const FINISHED_KEPT = 64;

/**
 * Knows where the client stands: which durable frames it has, and how much text of open turns. Everything that
 * arrives goes through `take`, which lets each thing pass once and notices every hole (P-WS-6, P-WS-8).
 */
export class Tracker {
  #epoch = '';
  #cursor: Cursor | undefined;
  readonly #turns = new Map<string, Lengths>();
  /** The id of the reply of each open turn. */
  readonly #replies = new Map<string, string>();
  readonly #finished = new Set<string>();
  /** Turns named since a connection that did not resume; the others have ended unseen. */
  #named: Set<string> | undefined;

  /** What to ask for when connecting. */
  get position(): Position {
    return { ...(this.#cursor ? { cursor: this.#cursor } : {}), turns: this.#turns };
  }

  /** The newest durable frame, for `seen`; undefined before there is a cursor. */
  get seq(): number | undefined {
    return this.#cursor?.seq;
  }

  /** Gives everything up: the next connection starts afresh, text at 0, and history is read over HTTP. */
  forget(): void {
    this.#cursor = undefined;
    this.#turns.clear();
    this.#replies.clear();
  }

  take(frame: ServerFrame | UnknownFrame): Verdict {
    switch (frame.type) {
      case 'welcome':
        this.#epoch = frame.epoch;
        // Resumed from before anything was stored, a client goes on in the epoch that the journal has had since.
        if (frame.resumed && this.#cursor) this.#cursor = { ...this.#cursor, epoch: frame.epoch };
        else {
          this.#cursor = undefined;
          this.#named = new Set();
        }
        return { is: 'new', frame };
      case 'reset':
        this.#cursor = { epoch: frame.epoch, seq: frame.seq };
        this.#named = new Set();
        return { is: 'new', frame };
      case 'ready':
        return this.#ready(frame);
      case 'chunk':
        return this.#chunk(frame);
      case 'ack':
      case 'typing':
      case 'error':
      case 'batch':
        return { is: 'new', frame };
      case 'unknown':
        return frame.seq === undefined ? KNOWN : (this.#pass(frame.seq) ?? KNOWN);
      default:
        return this.#durable(frame);
    }
  }

  #ready(frame: Extract<ServerFrame, { type: 'ready' }>): Verdict {
    if (this.#named)
      for (const turn of this.#turns.keys()) if (!this.#named.has(turn)) this.#turns.delete(turn);
    this.#named = undefined;
    // Without a cursor the replay was a choice of frames; from here on there is no gap.
    this.#cursor ??= { epoch: this.#epoch, seq: frame.seq };
    if (frame.seq > this.#cursor.seq)
      return { is: 'loss', what: `replay ended at ${this.#cursor.seq} of ${frame.seq}` };
    return { is: 'new', frame };
  }

  #durable(
    frame: Exclude<
      ServerFrame,
      { type: 'welcome' | 'reset' | 'ready' | 'chunk' | 'ack' | 'typing' | 'error' | 'batch' }
    >,
  ): Verdict {
    const snapshot = 'snapshot' in frame && frame.snapshot === true;
    if (!snapshot) {
      const verdict = this.#pass(frame.seq);
      if (verdict) return verdict;
    }
    if (frame.type === 'turn') this.#turn(frame);
    if (frame.type === 'message' || frame.type === 'edit') this.#rewritten(frame.id, frame.text);
    return { is: 'new', frame };
  }

  /** Moves the cursor by one. Returns a verdict where that is not what `seq` does. */
  #pass(seq: number): Verdict | undefined {
    if (!this.#cursor) return undefined;
    if (seq <= this.#cursor.seq) return KNOWN;
    if (seq > this.#cursor.seq + 1) return { is: 'loss', what: `event ${seq} after ${this.#cursor.seq}` };
    this.#cursor = { ...this.#cursor, seq };
    return undefined;
  }

  /** A reply may come whole, or be edited, and then go on by chunks from its new length. */
  #rewritten(id: string, text: string): void {
    for (const [turn, reply] of this.#replies) {
      if (reply === id)
        this.#turns.set(turn, { reasoning: this.#turns.get(turn)?.reasoning ?? 0, text: text.length });
    }
  }

  #turn({ turn, status, message }: TurnFrame): void {
    this.#named?.add(turn);
    if (!isTerminal(status)) {
      this.#replies.set(turn, message);
      return;
    }
    this.#turns.delete(turn);
    this.#replies.delete(turn);
    this.#finished.add(turn);
    for (const old of this.#finished) {
      if (this.#finished.size <= FINISHED_KEPT) break;
      this.#finished.delete(old);
    }
  }

  #chunk(frame: ChunkFrame): Verdict {
    if (this.#finished.has(frame.turn)) return KNOWN;
    const shown = this.#turns.get(frame.turn) ?? { text: 0, reasoning: 0 };
    const have = shown[frame.kind];
    const { offset, text } = frame;
    if (offset > have) return { is: 'loss', what: `${frame.kind} at ${offset} after ${have}` };
    // Offset 0 where text is shown is the server's repair of a client that has more than there is (P-WS-8).
    const repair = offset === 0 && have > 0;
    this.#replies.set(frame.turn, frame.message);
    const end = offset + text.length;
    if (!repair && end <= have && have > 0) return KNOWN;
    this.#turns.set(frame.turn, { ...shown, [frame.kind]: end });
    return {
      is: 'new',
      frame: repair || offset === have ? frame : { ...frame, offset: have, text: text.slice(have - offset) },
    };
  }
}
