import { each, enqueue, type Numbered } from '../../../../src/channel/runs.ts';
import type { Command } from '../../../../src/protocol/client-frames.ts';
import type { Position } from '../../../../src/protocol/cursor.ts';
import type { OutboundResult } from '../../../../src/protocol/outbound.ts';
import type { DurableFrame, ServerFrame } from '../../../../src/protocol/server-frames.ts';
import { utf8Bytes } from '../../../../src/protocol/text.ts';
import { event, type Tab, World } from '../harness.ts';
import type { How, Line, Stream, Surroundings, Written } from './world.ts';

/** Small, so that relays fall behind. */
const CREDIT = 1_500;

/** A stream asks for the storing of its text so soon. */
const STORED_WITHIN_MS = 2_000;

/** The pure Channel as the surroundings of a schedule. */
export class FakeWorld implements Surroundings {
  readonly #world = new World({ limits: { open_turns: 4, messages_burst: 1_000, sessions_per_user: 100 } });
  readonly #lines = new Set<FakeLine>();
  readonly #written = new Set<number>();
  #stream: FakeStream | undefined;

  async connect(position: Position, how: How): Promise<Line> {
    const before = this.#world.head;
    const tab = this.#world.connect(position, {
      batch: how === 'batch',
      ...(how === 'relay' ? { credit: CREDIT } : {}),
    });
    const line = new FakeLine(this.#world, tab);
    this.#lines.add(line);
    // A client that is reset reads history instead: everything counts as given.
    if (tab.socket.of('reset').length > 0) for (let seq = 1; seq <= before; seq += 1) this.#written.add(seq);
    return line;
  }

  async post(events: Written[], key?: string): Promise<OutboundResult[]> {
    const numbered = events.map((one, n) => ({ n, event: event(one) }));
    const fields = key === undefined ? {} : { key: `key ${key}`, body: JSON.stringify(events) };
    return this.#world.ingest({ ...fields, events: numbered }).results.map(({ result }) => result);
  }

  async stream(): Promise<Stream> {
    this.#stream = new FakeStream(this.#world);
    return this.#stream;
  }

  async pass(ms: number): Promise<void> {
    this.#world.pass(ms);
    if (ms >= STORED_WITHIN_MS) this.#stream?.store();
    const { wake } = this.#world.channel;
    if (wake !== undefined && wake <= this.#world.now) this.#world.channel.expire();
  }

  async evict(): Promise<void> {
    this.#world.evict();
  }

  async crash(): Promise<void> {
    this.#note();
    this.#world.crash();
    this.#stream?.again();
  }

  remove(conversation: string): void {
    const { conversations } = this.#world.channel;
    this.#note();
    if (conversations.standing(conversation) === 'here') conversations.delete(conversation);
  }

  async until(condition: () => boolean, what: () => string): Promise<void> {
    if (!condition()) throw new Error(what());
  }

  async journal(): Promise<DurableFrame[]> {
    return this.#world.journal;
  }

  unwritten(): number[] {
    this.#note();
    return this.#world.journal.map(({ seq }) => seq).filter((seq) => !this.#written.has(seq));
  }

  /** Remembers what was written to any socket, read or not. */
  #note(): void {
    for (const line of this.#lines) for (const seq of line.written()) this.#written.add(seq);
  }

  close(): void {
    this.#world.sql.close();
  }
}

const NOT_ENTRIES = new Set(['welcome', 'ready', 'reset', 'ack']);

class FakeLine implements Line {
  readonly #world: World;
  readonly #tab: Tab;
  #read = 0;
  #noted = 0;
  #untold = 0;

  constructor(world: World, tab: Tab) {
    this.#world = world;
    this.#tab = tab;
  }

  get open(): boolean {
    return this.#world.tabs.includes(this.#tab) && !this.#tab.socket.closed;
  }

  /** A relay tells what it has read in quarters of its window, and may get more at once. */
  read(): ServerFrame[] {
    const { session, socket } = this.#tab;
    const frames: ServerFrame[] = [];
    for (let text = socket.texts[this.#read]; text !== undefined; text = socket.texts[this.#read]) {
      this.#read += 1;
      frames.push(JSON.parse(text));
      this.#untold += utf8Bytes(text);
      if (session.is.credit === undefined || this.#untold < CREDIT / 4 || !this.open || socket.dead) continue;
      const told = this.#untold;
      this.#untold = 0;
      this.#world.channel.credit(this.#tab.session, told);
    }
    return frames;
  }

  *written(): Generator<number> {
    const { texts } = this.#tab.socket;
    for (; this.#noted < texts.length; this.#noted += 1) {
      const frame: ServerFrame = JSON.parse(texts[this.#noted] ?? '');
      for (const one of frame.type === 'batch' ? frame.frames : [frame])
        if ('seq' in one && !NOT_ENTRIES.has(one.type) && !('snapshot' in one)) yield one.seq;
    }
  }

  send(command: Command): void {
    if (command.type !== 'refresh') this.#world.channel.receive(this.#tab.session, command);
  }

  sendAndLose(command: Command): void {
    this.die();
    this.send(command);
  }

  die(): void {
    this.#tab.socket.dead = true;
  }

  drop(): void {
    this.#world.drop(this.#tab);
  }
}

/** A long request, as the Worker keeps it: what the channel has not stored is sent again after a crash. */
class FakeStream implements Stream {
  static #names = 0;
  readonly #world: World;
  readonly #key = `~lines ${++FakeStream.#names}`;
  #kept: Numbered[] = [];
  #n = 0;
  #ended = false;

  constructor(world: World) {
    this.#world = world;
  }

  #send(events: Numbered[], { end = false, store = false, again = false } = {}): OutboundResult[] {
    const { results } = this.#world.ingest({ key: this.#key, events, end, store, again });
    if (this.#world.channel.stored) this.#kept = [];
    return each(results).map(({ result }) => result);
  }

  async push(events: Written[]): Promise<OutboundResult[]> {
    const numbered: Numbered[] = [];
    for (const one of events) enqueue(numbered, this.#n++, event(one));
    this.#kept.push(...numbered);
    return this.#send(numbered);
  }

  again(): void {
    if (!this.#ended) this.#send(this.#kept, { again: true });
  }

  store(): void {
    if (this.#kept.length > 0 && !this.#ended) this.#send([], { store: true });
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#send([], { end: true });
  }
}
