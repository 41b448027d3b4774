import type { ChannelEvent } from '../channel/events.ts';
import { IngestLink } from '../objects/ingest-link.ts';
import { type ErrorBody, StarwireError } from '../protocol/errors.ts';
import { type Line, ndjsonLines } from '../protocol/ndjson.ts';
import type { OutboundResult } from '../protocol/outbound.ts';
import { parseJson } from '../protocol/parse.ts';
import { bodyOf, type Ctx, use } from './app.ts';
import { dropOrphan, failed, prepare, type RequestFields } from './outbound-events.ts';
import type { Target } from './targets.ts';

/** Results of consecutive lines that are told as one: chunks of one turn (P-UP-6). */
interface Slot {
  /** Chunks of which turn and channel; undefined for any other event. */
  chunks: string | undefined;
  result: OutboundResult | undefined;
  count: number;
  errors: ErrorBody[];
}

/** An event on its way to its channel. */
interface Sent {
  slot: Slot;
  event: ChannelEvent;
  /** Its line. */
  line: number;
  /** Its channel. */
  to: string;
}

/**
 * NDJSON of any length, applied line by line as it arrives (P-UP-4). It ends here, since it may be for many channels; each
 * gets an internal socket. A malformed line gets its own error; the others are applied and reported (P-UP-8), and so are
 * those for other channels where one cannot be reached.
 */
export async function ingestLines(c: Ctx, { key, producer }: RequestFields): Promise<OutboundResult[]> {
  const { limits } = use(c).config;
  const links = new Map<string, IngestLink>();
  const slots: Slot[] = [];
  const pending = new Map<number, Sent>();
  // Names this request to the channels, so that a crash of one in the middle repeats nothing.
  const request = key ?? `~lines ${crypto.randomUUID()}`;
  let errors = 0;

  const onResult = (n: number, result: OutboundResult): void => {
    const sent = pending.get(n);
    if (!sent) return;
    pending.delete(n);
    if (result.error) errors += 1;
    record(sent.slot, result, sent.line);
    void dropOrphan(c, [{ n, event: sent.event }], n, result).catch(() => undefined);
  };

  const refuse = (error: unknown, line: number): void => {
    const slot: Slot = { chunks: undefined, result: undefined, count: 0, errors: [] };
    slots.push(slot);
    record(slot, failed(error, c.get('request_id')), line);
  };

  /** Throws where a producer would write to a second channel. */
  const linkTo = ({ name, stub }: Target): IngestLink => {
    const known = links.get(name);
    if (known) return known;
    if (producer && links.size > 0) {
      throw new StarwireError('bad_request', 'a producer writes to one channel per request', {
        field: 'Producer-Id',
      });
    }
    const link = new IngestLink(stub, { key: request, producer }, onResult);
    links.set(name, link);
    return link;
  };

  const take = async (line: Line, n: number): Promise<void> => {
    let prepared: Awaited<ReturnType<typeof prepare>>;
    try {
      if ('error' in line) throw line.error;
      prepared = await prepare(c, parseJson(line.text, 'line'));
    } catch (error) {
      return refuse(error, line.number);
    }
    const { target, event } = prepared;
    const link = linkTo(target);
    pending.set(n, { slot: slotOf(slots, event, target.name), event, line: line.number, to: target.name });
    await link.push(n, event).catch((error: unknown) => {
      // The other channels go on; how this one ended is told at the end.
      if (producer) throw error;
    });
  };

  const body = bodyOf(c);
  try {
    let n = 0;
    for await (const line of body ? ndjsonLines(body, limits.line_bytes) : []) {
      if (slots.length + errors >= limits.outbound_results) {
        refuse(
          new StarwireError('too_large', 'one request has too many results; go on in another'),
          line.number,
        );
        break;
      }
      await take(line, n);
      n += 1;
    }
  } catch (error) {
    // The upstream broke off: what came is applied and stored, and may be sent again under the same name.
    await Promise.allSettled([...links.values()].map((link) => link.abandon()));
    throw error;
  }
  await Promise.all(
    [...links].map(([name, link]) =>
      link.end().catch((error: unknown) => {
        if (links.size === 1) throw error;
        const told = failed(error, c.get('request_id'));
        for (const { slot, line, to } of pending.values()) if (to === name) record(slot, told, line);
      }),
    ),
  );
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
