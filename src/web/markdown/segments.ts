import type { Insert } from '../../client/index.ts';

/** A reply in pieces: text, and what stands between. `at` is where the piece begins, and names it. */
export type Segment =
  | { kind: 'text'; at: number; text: string; last: boolean }
  | { kind: 'insert'; insert: Insert };

/** Cuts a text at the offsets of its inserts: each step of the model is Markdown of its own. */
export function segments(text: string, inserts: readonly Insert[]): Segment[] {
  const pieces: Segment[] = [];
  let at = 0;
  for (const insert of inserts) {
    const end = Math.min(insert.offset, text.length);
    if (end > at) pieces.push({ kind: 'text', at, text: text.slice(at, end), last: false });
    at = Math.max(at, end);
    pieces.push({ kind: 'insert', insert });
  }
  if (at < text.length) pieces.push({ kind: 'text', at, text: text.slice(at), last: true });
  return pieces;
}
