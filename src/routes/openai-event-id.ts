import type { OpenAiState } from '../dialects/openai.ts';
import { formatPosition, type Position, parsePosition } from '../protocol/cursor.ts';

/** The id of a place before everything. */
const START = '0';

/**
 * The `id:` of a `/v1` event: the place in the channel, and behind `!` what of the stream's state no place tells, in base 36.
 * With it a stream resumes after exactly this event (P-OA-8).
 */
export function eventId({ cursor, turns }: Position, state: OpenAiState, midFrame = false): string {
  if (!cursor) return START;
  const { id, text, reasoning } = state;
  // What the client was sent, not what is stored: after a crash of the object that may be less.
  const lengths = midFrame || turns.has(id) ? new Map(turns).set(id, { text, reasoning }) : turns;
  const { part, spaces, sum, buttons, begun, said, block } = state;
  const flags = (begun ? 1 : 0) + (said ? 2 : 0) + (block ? 4 : 0);
  const mark = [part, spaces, sum, buttons, flags].map((number) => number.toString(36)).join('.');
  return `${formatPosition(cursor, lengths)}!${mark}`;
}

const MARK = /^(?:[0-9a-z]{1,7}\.){4}[0-7]$/;

/** Reads an event id back, into a stream's state at its start. Returns undefined where it is none of ours. */
export function readEventId(
  id: string,
  start: OpenAiState,
): { position: Position; state: OpenAiState } | undefined {
  if (id === START) return { position: { turns: new Map() }, state: start };
  const [place = '', mark = '', ...more] = id.split('!');
  const position = parsePosition(place);
  if (!position || !MARK.test(mark) || more.length > 0) return undefined;
  const [part = 0, spaces = 0, sum = 0, buttons = 0, flags = 0] = mark
    .split('.')
    .map((number) => Number.parseInt(number, 36));
  const lengths = position.turns.get(start.id) ?? { text: 0, reasoning: 0 };
  const [begun, said, block] = [1, 2, 4].map((flag) => (flags & flag) > 0);
  return {
    position,
    state: {
      ...{ ...start, ...lengths, part, spaces, sum, buttons },
      ...{ begun: begun ?? false, said: said ?? false, block: block ?? false },
    },
  };
}
