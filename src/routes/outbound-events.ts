import type { ChannelEvent } from '../channel/events.ts';
import type { Producer } from '../channel/producers.ts';
import { type Addressed, type OutboundResult, parseOutbound } from '../protocol/outbound.ts';
import { stored } from '../records/store-event.ts';
import { type Ctx, refusal, use } from './app.ts';
import { type Target, targetOf } from './targets.ts';

/** How a request names itself, so that its events count once (P-UP-7). */
export interface RequestFields {
  /** The upstream's `Idempotency-Key`. */
  key?: string;
  producer?: Producer;
}

/** An event as it came, and its channel. */
export interface Placed extends Addressed {
  target: Target;
}

/** Reads an event and finds its channel, which often is that of the event before it. Throws what is wrong with it. */
export function placed(c: Ctx, input: unknown, before?: Placed): Placed {
  const addressed = parseOutbound(input);
  const { tenant, channel } = addressed;
  const known =
    before?.channel.id === channel.id && before.channel.kind === channel.kind && before.tenant === tenant;
  return { ...addressed, target: known ? before.target : targetOf(c, addressed) };
}

/** Stores the file that an event may carry. */
export function complete(c: Ctx, { target, event }: Placed): Promise<ChannelEvent> {
  return stored(use(c), target.owner, event);
}

/** A file that was stored for an event that was not applied anew belongs to nobody. */
export async function dropOrphan(
  c: Ctx,
  event: ChannelEvent | undefined,
  result: OutboundResult,
): Promise<void> {
  if (event?.kind !== 'file' || event.url !== undefined) return;
  if (result.error || result.duplicate) await use(c).files.drop(event.id);
}

export function failed(error: unknown, request_id: string): OutboundResult {
  return { delivered: false, error: refusal(error, request_id).body };
}
