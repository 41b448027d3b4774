import { StarwireError } from '../protocol/errors.ts';
import type { TurnStatus } from '../protocol/server-frames.ts';
import type { Applied, OnlyTurn } from './applied.ts';
import { applyEvent, areStreamable } from './apply.ts';
import type { Core } from './core.ts';
import type { ChannelEvent } from './events.ts';
import type { Ingest } from './ingests.ts';
import { type Producer, producerKey } from './producers.ts';
import type { Numbered, NumberedResult } from './runs.ts';

/** A piece of an upstream's request that is for one channel. */
export interface IngestRequest {
  /** The request's name: events with the same one and the same number count once. */
  key?: string;
  /** Hash of the body, where the key came from the upstream and names one body. */
  body?: string;
  producer?: Producer;
  events: Numbered[];
  /** No more events will come. */
  end: boolean;
  /** Everything that came so far is to be stored now (see StorePolicy). */
  store?: boolean;
  /** The turn of events that name none (`sse:` channels). */
  only?: OnlyTurn;
  /** The turn whose status the caller wants to know, to stop when it has ended. */
  watch?: string;
}

export interface IngestResponse {
  results: NumberedResult[];
  status?: TurnStatus;
}

/**
 * Applies a piece of a request. Text alone is shown at once and stored later; everything else is stored before it is shown.
 * With `end` or `store`, everything is stored when this returns, so that results are durable when they are told (P-UP-6).
 */
export function ingest(
  core: Core,
  { key, body, producer, events, end, store, only, watch }: IngestRequest,
): IngestResponse {
  producer && core.producers.check(producer);
  const name = producer ? producerKey(producer) : key;
  const remembered = name === undefined ? undefined : core.ingests.open(name, body ?? null);
  const results: NumberedResult[] = [];
  const begins = producer !== undefined && !core.producers.began(producer);
  const streamable = !end && !store && !begins && areStreamable(core, events, only);
  const apply = (): void => {
    if (begins) core.producers.begin(producer, core.now);
    for (const one of events) results.push(...applyRun(core, one, only, remembered, streamable));
    if (end) {
      remembered?.end();
      if (producer) core.producers.end(producer, core.now);
    }
  };
  const { delivered } = streamable ? core.stream(apply) : core.commit(apply);
  for (const { result } of results)
    result.delivered = delivered && result.error === undefined && result.duplicate !== true;
  const status = watch === undefined ? undefined : core.turns.find(watch)?.status;
  return { results, ...(status === undefined ? {} : { status }) };
}

/** Nothing after it is applied: what is refused must be remembered, so that a repetition can try it again. */
const TOO_MANY_REFUSED = new StarwireError('bad_request', 'too many events of one request were refused');

/** A run of chunks is one text where all of it is new and fits; what is known or refused in part is taken one by one. */
function applyRun(
  core: Core,
  { n, event, more }: Numbered,
  only: OnlyTurn,
  remembered: Ingest | undefined,
  fits: boolean,
): NumberedResult[] {
  const once = (at: number, one: ChannelEvent): NumberedResult => ({
    n: at,
    result: { ...applyOnce(core, at, one, only, remembered), delivered: false },
  });
  if (!more || event.kind !== 'chunk') return [once(n, event)];
  if (fits && (remembered?.isNew(n) ?? true)) {
    const whole = once(n, { ...event, text: event.text + more.join('') });
    if (!whole.result.error) {
      remembered?.applied(n + more.length, undefined);
      return [{ ...whole, more: more.length }];
    }
  }
  return [once(n, event), ...more.map((text, i) => once(n + 1 + i, { ...event, text }))];
}

function applyOnce(
  core: Core,
  n: number,
  event: ChannelEvent,
  only: OnlyTurn,
  remembered: Ingest | undefined,
): Applied {
  const earlier = remembered?.earlier(n);
  if (earlier) return earlier;
  if (remembered?.isFull(n)) return { error: TOO_MANY_REFUSED.body };
  try {
    const applied = applyEvent(core, event, only);
    // Chunks give nothing that must be found again: that they were seen is enough.
    remembered?.applied(
      n,
      event.kind === 'chunk' || event.kind === 'typing' ? undefined : { ...applied, delivered: false },
    );
    return applied;
  } catch (error) {
    if (!(error instanceof StarwireError)) throw error;
    remembered?.refused(n);
    return { error: error.body };
  }
}
