import type { Cursor, Lengths, Position, TurnLengths } from '../protocol/cursor.ts';
import type { DurableFrame, ResetFrame } from '../protocol/server-frames.ts';
import { endsInHighSurrogate } from '../protocol/text.ts';
import type { Core } from './core.ts';
import type { Epochs } from './journal.ts';
import { Out } from './out.ts';
import type { Place } from './place.ts';
import { isPlain, render } from './render.ts';

/** Code units of one replayed chunk: an SSE relay's credit is given in such steps. */
const PIECE = 16_384;

/** Where a client is to be picked up: after `seq`, or not at all. */
export type Start = { after: number; resumed: boolean } | { reset: ResetFrame['reason'] };

/** Decides whether everything after a cursor can be given (P-WS-8); without one, what nobody was given (P-WS-9). */
export function startOf({ journal }: Core, epochs: Epochs, { cursor }: Position): Start {
  if (!cursor) {
    const after = journal.undelivered === undefined ? journal.head : journal.undelivered - 1;
    return { after: Math.max(after, journal.cut), resumed: false };
  }
  if (cursor.epoch !== journal.epoch && !isEmptyBeginning(epochs, cursor)) return { reset: 'unknown' };
  if (cursor.seq > journal.head) return { reset: 'ahead' };
  if (cursor.seq < journal.cut) return { reset: 'retention' };
  return { after: cursor.seq, resumed: true };
}

/** A client that was told an epoch before anything was stored has seen nothing, so that nothing can be missing. */
function isEmptyBeginning(epochs: Epochs, { epoch, seq }: Cursor): boolean {
  return seq === 0 && epochs.genuine(epoch);
}

/** The durable frames after `seq`, ready for sending. */
export function* entries(core: Core, seq: number): Generator<Out> {
  for (const stored of core.journal.after(seq)) {
    if (isPlain(stored.frame)) yield new Out(stored.frame, stored.seq);
    else {
      const frame: DurableFrame = JSON.parse(stored.frame);
      yield Out.of(render(frame, core.links));
    }
  }
}

/** How long a replay is kept for others who come from the same place: a connection that was lost had several tabs. */
const REPLAY_MS = 5_000;

/** The same as one list, which is made once for tabs that come back together (P-WS-4). */
export function replay(core: Core, seq: number): readonly Out[] {
  const { replayed } = core;
  if (replayed?.seq === seq && core.now < replayed.until) return replayed.outs;
  const outs = [...entries(core, seq)];
  // Urls are made for the address by which a client came.
  if (outs.every(({ json }) => isPlain(json))) core.replayed = { seq, until: core.now + REPLAY_MS, outs };
  return outs;
}

/** What is open now (P-WS-8): each open turn and its text beyond what was shown, and each open prompt. */
export function* openState(core: Core, shown: TurnLengths): Generator<Out> {
  for (const open of core.turns.open) {
    yield Out.of({ ...open.frame(), snapshot: true });
    yield* openText(core, shown, open.state.turn);
  }
  for (const { frame } of core.prompts.open) yield Out.of({ ...frame, snapshot: true });
}

/** The text of an open turn beyond what was shown, in pieces; all of it for a client that claims more than there is. */
export function* openText(core: Core, shown: TurnLengths, turn: string): Generator<Out> {
  const open = core.turns.get(turn);
  if (!open) return;
  const { message, conversation } = open.state;
  for (const kind of ['reasoning', 'text'] as const) {
    const text = open[kind].shown;
    const claimed = shown.get(turn)?.[kind] ?? 0;
    for (let offset = claimed > text.length ? 0 : claimed; offset < text.length; ) {
      let piece = text.slice(offset, offset + PIECE);
      if (endsInHighSurrogate(piece)) piece = piece.slice(0, -1);
      yield Out.of({ type: 'chunk', turn, message, conversation, kind, offset, text: piece });
      offset += piece.length;
    }
    // A claim beyond an empty text is repaired by an empty chunk at 0: the client must drop what was lost.
    if (claimed > text.length && text.length === 0) {
      yield Out.of({ type: 'chunk', turn, message, conversation, kind, offset: 0, text: '' });
    }
  }
}

/** More than there ever is: what such a client shows is replaced from 0. */
const REPLACED = Number.MAX_SAFE_INTEGER;

/**
 * The lengths that a client can be taken at its word for, which gets every entry after `after`: not that of a reply that was
 * replaced since then, and none where it is not resumed (`after` undefined).
 */
export function claimsOf(core: Core, shown: TurnLengths, after: number | undefined): TurnLengths {
  const claims = new Map<string, Lengths>();
  for (const [turn, { text, reasoning }] of shown) {
    const open = core.turns.get(turn);
    if (!open) continue;
    const replaced = after === undefined || (open.state.reply?.seq ?? 0) > after;
    claims.set(turn, replaced ? voided({ text, reasoning }) : { text, reasoning });
  }
  return claims;
}

function voided({ text, reasoning }: Lengths): Lengths {
  return { text: text > 0 ? REPLACED : 0, reasoning: reasoning > 0 ? REPLACED : 0 };
}

/** Where a relay stands after it was sent `out`. */
export function advance(core: Core, at: Place, out: Out): void {
  if (out.seq > 0) {
    at.seq = out.seq;
    for (const { state } of core.turns.open) {
      const known = at.turns.get(state.turn);
      if (known && state.reply?.seq === out.seq) at.turns.set(state.turn, voided(known));
    }
    return;
  }
  const frame = JSON.parse(out.json);
  if (frame.type !== 'chunk') return;
  const known = at.turns.get(frame.turn) ?? { text: 0, reasoning: 0 };
  at.turns.set(frame.turn, { ...known, [frame.kind]: frame.offset + frame.text.length });
}
