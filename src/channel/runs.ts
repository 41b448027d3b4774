import type { OutboundResult } from '../protocol/outbound.ts';
import type { ChannelEvent } from './events.ts';

/** An event with its number in its request. */
export interface Numbered {
  n: number;
  event: ChannelEvent;
  /** Texts of the chunks behind it, `n + 1` and so on, that differ from it in nothing else. */
  more?: string[];
}

/** What became of event `n`, and of so many behind it. */
export interface NumberedResult {
  n: number;
  result: OutboundResult;
  more?: number;
}

/** Adds an event to those that wait: a chunk to the run of chunks before it, where it differs in nothing but its text. */
export function enqueue(queue: Numbered[], n: number, event: ChannelEvent): void {
  const last = queue.at(-1);
  if (last && continues(last, n, event)) {
    last.more ??= [];
    last.more.push(event.text);
  } else queue.push({ n, event });
}

function continues(
  last: Numbered,
  n: number,
  event: ChannelEvent,
): event is Extract<ChannelEvent, { kind: 'chunk' }> {
  if (last.event.kind !== 'chunk' || event.kind !== 'chunk') return false;
  const { turn, reasoning, offset } = last.event;
  const next = last.n + 1 + (last.more?.length ?? 0);
  if (n !== next || event.turn !== turn || event.reasoning !== reasoning) return false;
  // A text beside the text, or one that says where it begins, stands alone.
  return typeof reasoning !== 'string' && offset === undefined && event.offset === undefined;
}

/** The results one by one. */
export function each(results: readonly NumberedResult[]): NumberedResult[] {
  return results.flatMap(({ n, result, more = 0 }) =>
    Array.from({ length: 1 + more }, (_, i) => ({ n: n + i, result })),
  );
}
