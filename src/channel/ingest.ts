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
  /** The sender does not know whether they were applied: they came before a crash, too. */
  again?: boolean;
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
  { key, body, producer, events, again = false, end, store, only, watch }: IngestRequest,
): IngestResponse {
  producer && core.producers.check(producer);
  const name = producer ? producerKey(producer) : key;
  const remembered = name === undefined ? undefined : core.ingests.open(name, body ?? null);
  const results: NumberedResult[] = [];
  const begins = producer !== undefined && !core.producers.began(producer);
  const streamable = !end && !store && !begins && areStreamable(core, events, only);
  const apply = (): void => {
    if (begins) core.producers.begin(producer, core.now);
    for (const one of events) results.push(...applyRun(core, one, { only, remembered, again }, streamable));
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

/** What events are applied with. */
interface About {
  only: OnlyTurn;
  remembered: Ingest | undefined;
  again: boolean;
}

/** Whether nothing of the result must be found again: of a chunk, that it was seen is enough; the end of a turn is seen by the turn. */
function isKnownByItself({ kind }: ChannelEvent, { passing }: Ingest): boolean {
  return kind === 'chunk' || kind === 'typing' || (passing && (kind === 'done' || kind === 'error'));
}

/** The turn that an event is about, where it has come to its end: what of it comes again was part of that. */
function endedTurn(core: Core, event: ChannelEvent, only: OnlyTurn) {
  if (event.kind !== 'chunk' && event.kind !== 'done' && event.kind !== 'error') return undefined;
  const turn = core.turns.find(event.turn ?? only ?? '');
  return turn?.status === 'completed' || turn?.status === 'failed' ? turn : undefined;
}

/** A run of chunks is one text where all of it is new and fits; what is known or refused in part is taken one by one. */
function applyRun(core: Core, { n, event, more }: Numbered, about: About, fits: boolean): NumberedResult[] {
  const once = (at: number, one: ChannelEvent): NumberedResult => ({
    n: at,
    result: { ...applyOnce(core, at, one, about), delivered: false },
  });
  if (!more || event.kind !== 'chunk') return [once(n, event)];
  const { remembered } = about;
  if (fits && (remembered?.isNew(n) ?? true)) {
    const whole = once(n, { ...event, text: event.text + more.join('') });
    if (!whole.result.error) {
      remembered?.applied(n + more.length, undefined);
      return [{ ...whole, more: more.length }];
    }
  }
  return [once(n, event), ...more.map((text, i) => once(n + 1 + i, { ...event, text }))];
}

function applyOnce(core: Core, n: number, event: ChannelEvent, { only, remembered, again }: About): Applied {
  const earlier = remembered?.earlier(n);
  if (earlier) return earlier;
  if (remembered?.isFull(n)) return { error: TOO_MANY_REFUSED.body };
  const ended = again && remembered?.passing ? endedTurn(core, event, only) : undefined;
  if (ended) return { id: ended.message, seq: ended.seq, duplicate: true };
  try {
    const applied = applyEvent(core, event, only);
    const found = remembered && !isKnownByItself(event, remembered);
    remembered?.applied(n, found ? { ...applied, delivered: false } : undefined);
    return applied;
  } catch (error) {
    if (!(error instanceof StarwireError)) throw error;
    remembered?.refused(n);
    return { error: error.body };
  }
}
