/** A tool call, or a part of one, as the API gives it. */
type ToolCall = Record<string, unknown>;

/** Tool calls with further parts: texts of a part go on, everything else is taken as it comes. Pure. */
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

/** Fields whose parts go on from what came before; the rest is repeated, or said once. */
const GROWING = new Set(['arguments']);

function joined(known: ToolCall, part: ToolCall): ToolCall {
  const call: ToolCall = { ...known };
  for (const [name, value] of Object.entries(part)) {
    const before = call[name];
    if (isRecord(value)) call[name] = joined(isRecord(before) ? before : {}, value);
    else if (GROWING.has(name) && typeof value === 'string')
      call[name] = (typeof before === 'string' ? before : '') + value;
    else if (value !== null && value !== undefined && value !== '') call[name] = value;
  }
  return call;
}

function isRecord(value: unknown): value is ToolCall {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
