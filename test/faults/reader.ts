import { setTimeout as pause } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { type DurableFrame, isTerminal, type ServerFrame } from '../../src/protocol/server-frames.ts';
import type { Person, World } from '../integration/world.ts';

const again_ms = 40;

/** A program that reads `GET /api/events` and goes on by `Last-Event-ID`, as `EventSource` does. Strict: any fault is kept. */
export class Reader {
  /** Every durable frame, by its place: what it has is the journal. */
  readonly journal: DurableFrame[] = [];
  /** What must never be: gaps, repetitions, resets, holes in a text. */
  readonly faults: string[] = [];
  /** Connections that it took. */
  connections = 0;
  readonly #world: World;
  readonly #person: Person;
  readonly #stop = new AbortController();
  readonly #texts = new Map<string, { text: string; reasoning: string }>();
  /** Turns that were open on this very connection: their text is to come whole. */
  readonly #named = new Set<string>();
  /** Replay is over. */
  #live = false;
  #last: string | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(world: World, person: Person) {
    this.#world = world;
    this.#person = person;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#read().catch(() => undefined);
      await pause(again_ms);
    }
  }

  async #read(): Promise<void> {
    const response = await fetch(`${this.#world.origin}/api/events`, {
      headers: {
        authorization: `Bearer ${this.#person.token}`,
        ...(this.#last === undefined ? {} : { 'last-event-id': this.#last }),
      },
      signal: this.#stop.signal,
    });
    if (response.status !== 200) {
      if (response.status < 500) this.faults.push(`answered ${response.status}`);
      await response.body?.cancel();
      return;
    }
    this.connections += 1;
    this.#named.clear();
    this.#live = false;
    const parser = createParser({
      onEvent: ({ id, data }) => {
        this.#see(JSON.parse(data));
        this.#last = id ?? this.#last;
      },
    });
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      for (const look of this.#waiting) look();
    }
  }

  #see(frame: ServerFrame): void {
    switch (frame.type) {
      case 'welcome':
        // What comes after this is to be resumed even where nothing has come yet.
        this.#last ??= `${frame.epoch}.${frame.seq}`;
        return;
      case 'ready':
        this.#live = true;
        return;
      case 'ack':
      case 'typing':
      case 'batch':
        return;
      case 'error':
      case 'reset':
        this.faults.push(JSON.stringify(frame));
        return;
      case 'chunk':
        return this.#grow(frame);
      default:
        return this.#durable(frame);
    }
  }

  #grow({ turn, kind, offset, text }: Extract<ServerFrame, { type: 'chunk' }>): void {
    const known = this.#texts.get(turn) ?? { text: '', reasoning: '' };
    const before = known[kind];
    // From 0 again: the server had less than was shown, and repairs it (P-WS-8).
    if (offset !== before.length && offset !== 0)
      this.faults.push(`${kind} of ${turn} at ${offset} after ${before.length}`);
    this.#texts.set(turn, { ...known, [kind]: before.slice(0, offset) + text });
  }

  #durable(frame: DurableFrame): void {
    if (frame.type === 'turn' && (this.#live || frame.snapshot)) this.#named.add(frame.turn);
    if ('snapshot' in frame) return;
    const expected = (this.journal.at(-1)?.seq ?? 0) + 1;
    if (frame.seq !== expected) this.faults.push(`event ${frame.seq} where ${expected} was due`);
    this.journal.push(frame);
    if (frame.type === 'message' && frame.turn !== undefined && frame.role === 'assistant')
      this.#ended(frame.turn, frame);
    if (frame.type === 'turn' && isTerminal(frame.status)) this.#texts.delete(frame.turn);
  }

  /** The message says what had been streamed, to the last character; of what was missed meanwhile, only that tells. */
  #ended(turn: string, message: Extract<DurableFrame, { type: 'message' }>): void {
    const streamed = this.#texts.get(turn) ?? { text: '', reasoning: '' };
    for (const kind of ['text', 'reasoning'] as const) {
      const whole = message[kind] ?? '';
      const fits = this.#named.has(turn) ? streamed[kind] === whole : whole.startsWith(streamed[kind]);
      if (!fits) this.faults.push(`the stream of ${turn} was ${streamed[kind]}, and is ${whole}`);
    }
  }

  /** Resolves when it is live. */
  get live(): Promise<void> {
    return this.#until(() => this.#live);
  }

  /** Resolves when it has the entry of that place. */
  reached(seq: number): Promise<void> {
    return this.#until(() => (this.journal.at(-1)?.seq ?? 0) >= seq);
  }

  async #until(holds: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (holds()) resolve();
    };
    this.#waiting.add(look);
    look();
    await promise;
    this.#waiting.delete(look);
  }

  close(): void {
    this.#stop.abort();
  }
}
