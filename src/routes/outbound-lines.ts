import type { ChannelEvent } from '../channel/events.ts';
import type { Producer } from '../channel/producers.ts';
import { IngestLink } from '../objects/ingest-link.ts';
import { type ErrorBody, StarwireError } from '../protocol/errors.ts';
import { type Line, ndjsonLines } from '../protocol/ndjson.ts';
import type { OutboundResult } from '../protocol/outbound.ts';
import { parseJson } from '../protocol/parse.ts';
import { bodyOf, type Ctx, use } from './app.ts';
import { complete, dropOrphan, failed, type Placed, placed, type RequestFields } from './outbound-events.ts';
import type { Target } from './targets.ts';

/** Results of consecutive lines that are told as one: chunks of one turn (P-UP-6). */
interface Slot {
  /** Chunks of which turn and channel; undefined for any other event. */
  chunks: { turn: string | undefined; to: string } | undefined;
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
export async function ingestLines(c: Ctx, fields: RequestFields): Promise<OutboundResult[]> {
  const lines = new Lines(c, fields);
  const body = bodyOf(c);
  try {
    if (body) await lines.read(body);
  } catch (error) {
    // The upstream broke off: what came is applied and stored, and may be sent again under the same name.
    await lines.abandon();
    throw error;
  }
  return lines.end();
}

/** The lines of one request, on their way to their channels. */
class Lines {
  readonly #c: Ctx;
  readonly #producer: Producer | undefined;
  /** Names this request to the channels, so that a crash of one in the middle repeats nothing. */
  readonly #key: string;
  readonly #links = new Map<string, IngestLink>();
  /** Those that were given something since the last flush. */
  readonly #touched = new Set<IngestLink>();
  readonly #slots: Slot[] = [];
  readonly #pending = new Map<number, Sent>();
  #last: Placed | undefined;
  #errors = 0;
  /** Lines that came. */
  #count = 0;

  constructor(c: Ctx, { key, producer }: RequestFields) {
    this.#c = c;
    this.#producer = producer;
    this.#key = key ?? `~lines ${crypto.randomUUID()}`;
  }

  async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const { line_bytes, outbound_results } = use(this.#c).config.limits;
    for await (const lines of ndjsonLines(body, line_bytes)) {
      for (const line of lines) {
        if (this.#slots.length + this.#errors >= outbound_results)
          return this.#refuse(
            new StarwireError('too_large', 'one request has too many results; go on in another'),
            line.number,
          );
        const wait = this.#take(line);
        if (wait !== undefined) await wait;
      }
      this.#flush();
    }
  }

  /** What came together is sent together. */
  #flush(): void {
    for (const link of this.#touched) link.flush();
    this.#touched.clear();
  }

  /** Takes a line; a promise where there is something to wait for before the next one. Throws what ends the whole request. */
  #take(line: Line): Promise<void> | undefined {
    const n = this.#count++;
    let one: Placed;
    try {
      if ('error' in line) throw line.error;
      one = placed(this.#c, parseJson(line.text, 'line'), this.#last);
      this.#last = one;
    } catch (error) {
      return this.#refuse(error, line.number);
    }
    if (one.event.kind !== 'file') return this.#send(n, one.target, one.event, line.number);
    this.#flush();
    return complete(this.#c, one).then(
      (event) => this.#send(n, one.target, event, line.number),
      (error: unknown) => this.#refuse(error, line.number),
    );
  }

  #send(n: number, target: Target, event: ChannelEvent, line: number): Promise<void> | undefined {
    const link = this.#linkTo(target);
    const slot = slotOf(this.#slots, event, target.name);
    this.#pending.set(n, { slot, event, line, to: target.name });
    link.push(n, event);
    this.#touched.add(link);
    // Where one has failed the other channels go on; how it ended is told at the end.
    return this.#producer ? link.room : link.room?.catch(() => undefined);
  }

  /** Throws where a producer would write to a second channel. */
  #linkTo({ name, stub }: Target): IngestLink {
    const known = this.#links.get(name);
    if (known) return known;
    if (this.#producer && this.#links.size > 0) {
      throw new StarwireError('bad_request', 'a producer writes to one channel per request', {
        field: 'Producer-Id',
      });
    }
    const link = new IngestLink(stub, { key: this.#key, producer: this.#producer }, (n, result) =>
      this.#told(n, result),
    );
    this.#links.set(name, link);
    return link;
  }

  #told(n: number, result: OutboundResult): void {
    const sent = this.#pending.get(n);
    if (!sent) return;
    this.#pending.delete(n);
    if (result.error) this.#errors += 1;
    record(sent.slot, result, sent.line);
    void dropOrphan(this.#c, sent.event, result).catch(() => undefined);
  }

  #refuse(error: unknown, line: number): undefined {
    const slot: Slot = { chunks: undefined, result: undefined, count: 0, errors: [] };
    this.#slots.push(slot);
    record(slot, failed(error, this.#c.get('request_id')), line);
  }

  async abandon(): Promise<void> {
    await Promise.allSettled([...this.#links.values()].map((link) => link.abandon()));
  }

  /** Resolves to the results when everything is stored. Throws where the only channel cannot be reached. */
  async end(): Promise<OutboundResult[]> {
    await Promise.all(
      [...this.#links].map(([name, link]) => link.end().catch((error) => this.#lost(name, error))),
    );
    return this.#slots.flatMap(resultsOf);
  }

  #lost(name: string, error: unknown): void {
    if (this.#links.size === 1) throw error;
    const told = failed(error, this.#c.get('request_id'));
    for (const { slot, line, to } of this.#pending.values()) if (to === name) record(slot, told, line);
  }
}

/** The slot of the next event: the last one's, if both are chunks of one turn. */
function slotOf(slots: Slot[], event: ChannelEvent, to: string): Slot {
  const last = slots.at(-1);
  const chunks = event.kind === 'chunk' ? { turn: event.turn, to } : undefined;
  if (chunks && last?.chunks && last.chunks.turn === chunks.turn && last.chunks.to === to) return last;
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
