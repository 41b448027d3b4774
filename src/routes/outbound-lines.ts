import type { ChannelEvent } from '../channel/events.ts';
import { IngestLink } from '../objects/ingest-link.ts';
import { type ErrorBody, StarwireError } from '../protocol/errors.ts';
import { type Line, ndjsonLines } from '../protocol/ndjson.ts';
import type { OutboundResult } from '../protocol/outbound.ts';
import { parseJson } from '../protocol/parse.ts';
import { type Ctx, use } from './app.ts';
import { dropOrphan, failed, prepare, type RequestFields } from './outbound-events.ts';

/** Results of consecutive lines that are told as one: chunks of one turn (P-UP-6). */
interface Slot {
  /** Chunks of which turn and channel; undefined for any other event. */
  chunks: string | undefined;
  result: OutboundResult | undefined;
  count: number;
  errors: ErrorBody[];
}

/**
 * NDJSON of any length, applied line by line as it arrives (P-UP-4). It ends here, since it may be for many channels; each
 * gets an internal socket. A malformed line gets its own error; the others are applied and reported (P-UP-8).
 */
export async function ingestLines(c: Ctx, { key, producer }: RequestFields): Promise<OutboundResult[]> {
  const { limits } = use(c).config;
  const links = new Map<string, IngestLink>();
  const slots: Slot[] = [];
  const pending = new Map<number, { slot: Slot; event: ChannelEvent; line: number }>();
  // Names this request to the channels, so that a crash of one in the middle repeats nothing.
  const request = key ?? `~lines ${crypto.randomUUID()}`;

  const onResult = (n: number, result: OutboundResult): void => {
    const entry = pending.get(n);
    if (!entry) return;
    pending.delete(n);
    record(entry.slot, result, entry.line);
    void dropOrphan(c, [{ n, event: entry.event }], n, result).catch(() => undefined);
  };

  const take = async (line: Line, n: number): Promise<void> => {
    if (slots.length >= limits.outbound_results)
      throw new StarwireError('too_large', 'one request has too many events', { line: line.number });
    if ('error' in line) throw line.error;
    const { target, event } = await prepare(c, parseJson(line.text, 'line'));
    let link = links.get(target.name);
    if (!link) {
      if (producer && links.size > 0)
        throw new StarwireError('bad_request', 'a producer writes to one channel per request', {
          field: 'Producer-Id',
        });
      link = new IngestLink(target.stub, { key: request, producer }, onResult);
      links.set(target.name, link);
    }
    pending.set(n, { slot: slotOf(slots, event, target.name), event, line: line.number });
    await link.push(n, event);
  };

  let n = 0;
  const { body } = c.req.raw;
  try {
    if (body) {
      for await (const line of ndjsonLines(body, limits.line_bytes)) {
        try {
          await take(line, n);
        } catch (error) {
          if (producer) throw error;
          const { error: told } = failed(error, c.get('request_id'));
          if (told)
            slots.push({
              chunks: undefined,
              result: undefined,
              count: 0,
              errors: [{ ...told, line: line.number }],
            });
        }
        n += 1;
      }
    }
  } catch (error) {
    // The upstream broke off: what came is applied and stored, and may be sent again under the same name.
    await Promise.allSettled([...links.values()].map((link) => link.abandon()));
    throw error;
  }
  await Promise.all([...links.values()].map((link) => link.end()));
  return slots.flatMap(resultsOf);
}

/** The slot of the next event: the last one's, if both are chunks of one turn. */
function slotOf(slots: Slot[], event: ChannelEvent, channel: string): Slot {
  const chunks = event.kind === 'chunk' ? JSON.stringify([channel, event.turn ?? null]) : undefined;
  const last = slots.at(-1);
  if (last && chunks !== undefined && last.chunks === chunks) return last;
  const slot: Slot = { chunks, result: undefined, count: 0, errors: [] };
  slots.push(slot);
  return slot;
}

function record(slot: Slot, result: OutboundResult, line: number): void {
  if (result.error) {
    slot.errors.push({ ...result.error, line });
    return;
  }
  slot.count += 1;
  const before = slot.result;
  slot.result = {
    ...result,
    delivered: result.delivered || (before?.delivered ?? false),
    ...(before && !before.duplicate ? { duplicate: undefined } : {}),
  };
}

function resultsOf({ chunks, result, count, errors }: Slot): OutboundResult[] {
  const told: OutboundResult[] = errors.map((error) => ({ delivered: false, error }));
  if (!result) return told;
  return [chunks === undefined ? result : { ...result, count }, ...told];
}
