import type { ChannelEvent } from '../channel/events.ts';
import type { IngestRequest } from '../channel/ingest.ts';
import { each, enqueue, type Numbered, type NumberedResult } from '../channel/runs.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { OutboundResult } from '../protocol/outbound.ts';
import type { TurnStatus } from '../protocol/server-frames.ts';
import type { Batch, BatchAnswer } from './ingest-wire.ts';
import { unwrap } from './outcome.ts';
import { StorePolicy } from './store-policy.ts';

/** An object that takes events over a socket. */
export interface IngestTarget {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** Characters of events that may wait here before the source is asked to wait. */
const HIGH_WATER = 1_048_576;
/** Characters of events that may be under way without anybody having said that they came. */
const UNHEARD = 4_096;
const RECONNECTS = 6;
const RECONNECT_MS = 50;

/**
 * A long ingest into one object, over an internal socket: messages there cost a twentieth of calls. What arrives while a
 * batch is under way goes with the next one (P-WS-6); a little text that becomes of it what became of the last goes without an
 * answer. Batches are kept until they are stored and sent again after a crash of the object, which counts each event once by
 * the request's key.
 */
export class IngestLink {
  /** Given anew for each connection: a stub that saw its object reset stays broken. */
  readonly #target: () => IngestTarget;
  readonly #fields: Omit<IngestRequest, 'events' | 'end'>;
  readonly #onResult: (n: number, result: OutboundResult) => void;
  #socket: Promise<WebSocket> | undefined;
  #queue: Numbered[] = [];
  #queued = 0;
  /** Sent, and not known to be stored. */
  #kept: Numbered[] = [];
  /** What became of the last chunk: others are expected to fare the same. */
  #expected: OutboundResult | undefined;
  /** Sent without asking what became of it, and how many characters that were. */
  #unanswered: NumberedResult[] = [];
  #unheard = 0;
  #ending = false;
  /** Whoever ends waits for everything to be stored. */
  #wanted = false;
  #reconnects = 0;
  #status: TurnStatus | undefined;
  #idle = Promise.withResolvers<void>();
  #busy = false;
  /** Something was sent. */
  #begun = false;
  /** Something was sent twice: what the object calls a duplicate may be our own. */
  #resent = false;
  #failed = false;
  readonly #storing = new StorePolicy(() => this.flush());

  constructor(
    target: () => IngestTarget,
    fields: Omit<IngestRequest, 'events' | 'end'>,
    onResult: (n: number, result: OutboundResult) => void,
  ) {
    this.#target = target;
    this.#fields = fields;
    this.#onResult = onResult;
    this.#idle.resolve();
  }

  /** The status of the watched turn, as of the last answer. */
  get status(): TurnStatus | undefined {
    return this.#status;
  }

  /** Takes an event, which `flush` sends; a link that has failed takes none. */
  push(n: number, event: ChannelEvent): void {
    if (this.#failed) return;
    enqueue(this.#queue, n, event);
    this.#queued += 'text' in event && event.text ? event.text.length : 256;
  }

  /** Sends what was pushed, as soon as nothing is under way. */
  flush(): void {
    if (!this.#busy && !this.#failed && (this.#queue.length > 0 || this.#storing.due)) this.#send();
  }

  /** What the source has to wait for before it goes on; undefined where there is room. Rejects with what the link failed with. */
  get room(): Promise<void> | undefined {
    return this.#failed || this.#queued > HIGH_WATER ? this.#idle.promise : undefined;
  }

  /**
   * Resolves when everything is applied and stored; closes the socket. The end goes alone: the channel then forgets a request of
   * ours, and would take what is sent again for new.
   */
  async end(): Promise<void> {
    this.flush();
    await this.#quiet();
    while (this.#kept.length > 0) {
      this.#wanted = true;
      this.#send();
      await this.#quiet();
    }
    this.#ending = true;
    this.#send();
    await this.#quiet();
    (await this.#socket)?.close(1000, 'done');
  }

  /** Gives the socket up without an end: the source broke off. */
  async abandon(): Promise<void> {
    this.flush();
    await this.#quiet();
    this.#storing.stop();
    (await this.#socket)?.close(1000, 'source broke off');
  }

  /** Everything was sent and answered; throws what the link failed with. */
  async #quiet(): Promise<void> {
    // What waited behind a batch goes with the answer to it, so that one follows the other.
    do await this.#idle.promise;
    while (this.#busy);
  }

  #send(): void {
    const events = this.#queue;
    const size = this.#queued;
    this.#kept.push(...events);
    this.#queue = [];
    this.#queued = 0;
    const expect = this.#expectedOf(events, size);
    if (expect) {
      this.#unheard += size;
      for (const { n, more } of events)
        this.#unanswered.push({ n, result: expect, ...(more && { more: more.length }) });
      this.#storing.told(false);
    } else this.#wait();
    void this.#transmit(events, expect).catch((error: unknown) => this.#retry(error));
  }

  /** What will become of a little more text, as far as anybody knows; undefined where an answer is needed. */
  #expectedOf(events: Numbered[], size: number): OutboundResult | undefined {
    if (this.#ending || this.#wanted || this.#storing.due || this.#socket === undefined) return undefined;
    if (this.#unheard + size > UNHEARD || !events.every(({ event }) => event.kind === 'chunk'))
      return undefined;
    return this.#expected;
  }

  #wait(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#idle = Promise.withResolvers<void>();
    // Never unhandled: whoever waits next gets it.
    this.#idle.promise.catch(() => undefined);
  }

  async #transmit(fresh: Numbered[], expect?: OutboundResult): Promise<void> {
    // A new socket may lead to a reset object: it gets everything that was not known to be stored.
    const anew = this.#socket === undefined;
    const events = anew ? [...this.#kept] : fresh;
    this.#resent ||= events.length > fresh.length;
    if (anew) this.#unanswered = [];
    this.#socket ??= this.#connect();
    const socket = await this.#socket;
    const asked = { end: this.#ending, store: this.#wanted || this.#storing.due };
    const batch: Batch = {
      ...this.#fields,
      events,
      ...(this.#begun && events.length > fresh.length && { again: true }),
      ...(expect ? { end: false, expect } : asked),
    };
    socket.send(JSON.stringify(batch));
    this.#begun = true;
  }

  async #connect(): Promise<WebSocket> {
    const response = await this.#target().fetch('https://object/ingest', {
      headers: { upgrade: 'websocket' },
    });
    if (response.status === 404) throw new StarwireError('not_found', 'there is no such channel');
    const socket = response.webSocket;
    if (!socket) throw new Error('the object took no socket');
    socket.accept();
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#answer(JSON.parse(data));
    });
    const lost = (): void => this.#lost(socket);
    socket.addEventListener('close', lost);
    socket.addEventListener('error', lost);
    return socket;
  }

  #answer({ answer, stored, aside }: BatchAnswer): void {
    try {
      const { results, status } = unwrap(answer);
      this.#status = status ?? this.#status;
      // Batches are answered in their order: what was sent before this one, and was not told of, became what was expected.
      const first = aside ? (results[0]?.n ?? 0) : Number.POSITIVE_INFINITY;
      const told = new Set(results.map(({ n }) => n));
      const before = this.#unanswered.filter(({ n }) => n < first);
      this.#unanswered = this.#unanswered.filter(({ n }) => n >= first && !told.has(n));
      for (const { n, result } of each([...before, ...results]))
        this.#onResult(n, this.#resent ? { ...result, duplicate: undefined } : result);
      const last = results.at(-1)?.result;
      if (last && !last.error) this.#expected = { id: last.id, delivered: last.delivered };
    } catch (error) {
      return this.#fail(error);
    }
    if (aside) return;
    if (stored) this.#kept = [];
    this.#storing.told(stored);
    this.#unheard = 0;
    this.#reconnects = 0;
    this.#busy = false;
    this.#idle.resolve();
    this.flush();
  }

  /** The object was reset: what it may not have stored is sent again. */
  #lost(socket: WebSocket): void {
    void this.#socket?.then(
      (current) => {
        if (current !== socket) return;
        this.#socket = undefined;
        if (this.#busy || this.#unanswered.length > 0) this.#again();
      },
      () => undefined,
    );
  }

  #again(): void {
    if (this.#reconnects >= RECONNECTS)
      return this.#fail(new StarwireError('internal', 'the channel could not be reached'));
    const delay = RECONNECT_MS * 2 ** this.#reconnects;
    this.#reconnects += 1;
    this.#resent = true;
    this.#wait();
    setTimeout(() => void this.#transmit([]).catch((error: unknown) => this.#retry(error)), delay);
  }

  /** A refusal stands; anything else may pass. */
  #retry(error: unknown): void {
    this.#socket = undefined;
    if (error instanceof StarwireError) this.#fail(error);
    else this.#again();
  }

  #fail(error: unknown): void {
    this.#wait();
    this.#busy = false;
    this.#storing.stop();
    this.#failed = true;
    this.#idle.reject(error);
  }
}
