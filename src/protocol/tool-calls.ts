import { utf8Bytes, wellCut } from './text.ts';

/** A tool call of the OpenAI API, or a part of one. */
export type ToolCall = Record<string, unknown>;

/** What of a call grows from part to part, by where it stands; everything else is said once. */
const GROWING: readonly [string, string][] = [
  ['function', 'arguments'],
  ['custom', 'input'],
];

/**
 * Code units of one event's tool calls: P-OA-3 keeps an event under 64 KiB, and a unit takes at most six bytes on the wire.
 */
const PIECE = 8_192;
/** Bytes of a part that cannot be cut. */
const UNCUT_BYTES = 49_152;

/** Parts of tool calls as parts that are small, in groups of which each fits one event. */
export function toolCallPieces(parts: readonly ToolCall[]): ToolCall[][] {
  const groups: ToolCall[][] = [];
  let room = 0;
  for (const part of parts.flatMap(cut)) {
    const { length } = JSON.stringify(part);
    if (length > room || groups.length === 0) {
      groups.push([]);
      room = PIECE;
    }
    groups.at(-1)?.push(part);
    room -= length;
  }
  return groups;
}

/** Whether a part has so much beside its arguments that no event can hold it. */
export function isUnwieldy(part: ToolCall): boolean {
  const [head = {}] = cut(part);
  return utf8Bytes(JSON.stringify(head)) > UNCUT_BYTES;
}

/** First what the call is, then its arguments bit by bit. */
function cut(part: ToolCall): ToolCall[] {
  if (JSON.stringify(part).length <= PIECE) return [part];
  const { index } = part;
  let head = part;
  const rest: ToolCall[] = [];
  for (const [name, field] of GROWING) {
    const body = part[name];
    const text = isRecord(body) ? body[field] : undefined;
    if (!isRecord(body) || typeof text !== 'string') continue;
    head = { ...head, [name]: { ...body, [field]: '' } };
    for (const piece of wellCut(text, PIECE)) rest.push({ index, [name]: { [field]: piece } });
  }
  return [head, ...rest];
}

/** Tool calls by their index, with further parts: what grows goes on, everything else is taken as it comes. Pure. */
export function withParts(
  calls: ReadonlyMap<number, ToolCall>,
  parts: readonly ToolCall[],
): Map<number, ToolCall> {
  const grown = new Map(calls);
  for (const { index, ...part } of parts) {
    const at = typeof index === 'number' ? index : 0;
    grown.set(at, joined(grown.get(at) ?? {}, part));
  }
  return grown;
}

const GROWING_FIELDS = new Set(GROWING.map(([, field]) => field));

function joined(known: ToolCall, part: ToolCall): ToolCall {
  const call: ToolCall = { ...known };
  for (const [name, value] of Object.entries(part)) {
    const before = call[name];
    if (isRecord(value)) call[name] = joined(isRecord(before) ? before : {}, value);
    else if (GROWING_FIELDS.has(name) && typeof value === 'string')
      call[name] = (typeof before === 'string' ? before : '') + value;
    else if (value !== null && value !== undefined && value !== '') call[name] = value;
  }
  return call;
}

function isRecord(value: unknown): value is ToolCall {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
