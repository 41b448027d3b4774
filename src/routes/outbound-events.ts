import type { ChannelEvent } from '../channel/events.ts';
import type { Producer } from '../channel/producers.ts';
import { type OutboundResult, parseOutbound } from '../protocol/outbound.ts';
import { stored } from '../records/store-event.ts';
import { type Ctx, refusal, use } from './app.ts';
import { type Target, targetOf } from './targets.ts';

/** How a request names itself, so that its events count once (P-UP-7). */
export interface RequestFields {
  /** The upstream's `Idempotency-Key`. */
  key?: string;
  producer?: Producer;
}

/** Reads an event, finds its channel, and stores the file that it may carry. */
export async function prepare(c: Ctx, input: unknown): Promise<{ target: Target; event: ChannelEvent }> {
  const addressed = parseOutbound(input);
  const target = targetOf(c, addressed);
  const event = await stored(use(c), target.owner, addressed.event);
  return { target, event };
}

/** A file that was stored for an event that was not applied anew belongs to nobody. */
export async function dropOrphan(
  c: Ctx,
  events: { n: number; event: ChannelEvent }[],
  n: number,
  result: OutboundResult,
): Promise<void> {
  if (!result.error && !result.duplicate) return;
  const event = events.find((one) => one.n === n)?.event;
  if (event?.kind === 'file' && event.url === undefined) await use(c).files.drop(event.id);
}

export function failed(error: unknown, request_id: string): OutboundResult {
  return { delivered: false, error: refusal(error, request_id).body };
}
