/**
 * Places in a channel. A cursor is `<epoch>.<seq>`; text of open turns is resumed by lengths,
 * `<turn>:<text>:<reasoning>,…` (PROTOCOL.md, sections 0 and 2).
 */
export interface Cursor {
  epoch: string;
  seq: number;
}

/** What of a turn's text has been shown, in UTF-16 code units. */
export interface Lengths {
  text: number;
  reasoning: number;
}

export type TurnLengths = ReadonlyMap<string, Lengths>;

/** Where a client stands: `cursor` absent means that it has seen nothing. */
export interface Position {
  cursor?: Cursor;
  turns: TurnLengths;
}

const CURSOR = /^([A-Za-z0-9_-]{1,64})\.(\d{1,15})$/;
const TURN = /^([A-Za-z0-9_.-]{1,128}):(\d{1,15}):(\d{1,15})$/;

export function formatCursor({ epoch, seq }: Cursor): string {
  return `${epoch}.${seq}`;
}

/** Returns undefined where `text` is not a cursor. */
export function parseCursor(text: string): Cursor | undefined {
  const match = CURSOR.exec(text);
  return match?.[1] && match[2] ? { epoch: match[1], seq: Number(match[2]) } : undefined;
}

export function formatLengths(turns: TurnLengths): string {
  return [...turns].map(([turn, { text, reasoning }]) => `${turn}:${text}:${reasoning}`).join(',');
}

/** Returns undefined where `text` is not a list of turn lengths. */
export function parseLengths(text: string): TurnLengths | undefined {
  const turns = new Map<string, Lengths>();
  if (text === '') return turns;
  for (const part of text.split(',')) {
    const match = TURN.exec(part);
    if (!match?.[1]) return undefined;
    turns.set(match[1], { text: Number(match[2]), reasoning: Number(match[3]) });
  }
  return turns;
}

/** The `id:` of an SSE event: the cursor, and `~` with the lengths where turns are open. */
export function formatPosition(cursor: Cursor, turns: TurnLengths): string {
  return turns.size === 0 ? formatCursor(cursor) : `${formatCursor(cursor)}~${formatLengths(turns)}`;
}

/** Reads an SSE id back. Returns undefined where it is none of ours. */
export function parsePosition(id: string): Position | undefined {
  const [head = '', tail = ''] = id.split('~', 2);
  const cursor = parseCursor(head);
  const turns = parseLengths(tail);
  return cursor && turns ? { cursor, turns } : undefined;
}
