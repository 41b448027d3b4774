import { StarwireError } from '../protocol/errors.ts';
import type { NewId } from '../protocol/ids.ts';
import type { Limits } from '../protocol/limits.ts';
import type { ChunkFrame, DurableFrame, ServerFrame, TurnFrame } from '../protocol/server-frames.ts';
import { Ingests } from './ingests.ts';
import { type Epochs, Journal, type Unnumbered } from './journal.ts';
import { Out } from './out.ts';
import { Outbox } from './outbox.ts';
import type { Standing } from './place.ts';
import type { Clock, Sql } from './ports.ts';
import { Producers } from './producers.ts';
import { Prompts } from './prompts.ts';
import { Recalled } from './recalled.ts';
import { type Links, render } from './render.ts';
import { Tables } from './tables.ts';
import { type OpenTurn, Turns } from './turns.ts';

/** What a channel is made of: everything that is not the Channel's own thought comes in here. */
export interface Ports {
  /** `webchat:{user}` or `sse:{request}`. */
  name: string;
  sql: Sql;
  clock: Clock;
  epochs: Epochs;
  newId: NewId;
  limits: Limits;
  /** A signed url of a file of ours. */
  url: Links['url'];
  /** Whoever reads brings a place to begin at, so that nobody asks what was never written to anybody (P-WS-9). */
  placed?: boolean;
  /** Told of every turn that fails or expires: whoever waits for it is told by its frame, operators by this. */
  broken?: (frame: TurnFrame) => void;
}

/** Code units of streamed text that may wait to be stored. */
const UNFLUSHED_UNITS = 32_768;

/** The sessions, as the state of the channel sees them. */
export interface Audience {
  /** Gives frames to the sessions, in order; says whether at least one was written them. */
  fanout(outs: readonly Out[], before: Standing | undefined): boolean;
  /** Whether a frame that is sent now reaches somebody. */
  readonly online: boolean;
  /** Whether somebody may fall behind, and needs to know where the channel stood before the frames. */
  readonly relayed: boolean;
}

/**
 * The state of one channel and the only way to change it: `commit` writes in one transaction, then shows (P-UP-6: what was
 * answered is durable; DESIGN 4: commit, then show, then acknowledge).
 */
export class Core {
  readonly ports: Ports;
  readonly tables: Tables;
  readonly journal: Journal;
  readonly turns: Turns;
  readonly prompts: Prompts;
  readonly outbox: Outbox;
  readonly ingests: Ingests;
  readonly producers: Producers;
  readonly recalled: Recalled;
  readonly #audience: Audience;
  #frames: ServerFrame[] = [];
  /** How often something was stored: where it is the same, nothing that is stored has changed. */
  revision = 0;
  /** The entries after `seq` as a client was sent them; nothing was stored since. */
  replayed: { seq: number; until: number; outs: readonly Out[] } | undefined;
  /** A write failed: memory is no longer what is stored, and must not be stored any more. */
  #broken = false;

  constructor(ports: Ports, audience: Audience) {
    this.ports = ports;
    this.#audience = audience;
    this.tables = new Tables(ports.sql);
    const { tables } = this;
    this.journal = new Journal(ports, tables);
    this.turns = new Turns(ports.sql, tables);
    this.prompts = new Prompts(ports.sql, tables);
    this.outbox = new Outbox(ports.sql, ports.clock, tables);
    this.ingests = new Ingests(ports.sql, tables, this.turns.marks);
    this.producers = new Producers(ports.sql, tables);
    this.recalled = new Recalled(ports.sql, tables);
  }

  get now(): number {
    return this.ports.clock.now();
  }

  /** What frames of files are completed with. */
  get links(): Links {
    return { url: this.ports.url, data: (id) => this.#data(id) };
  }

  #data(id: string): string | undefined {
    if (!this.tables.has('blobs')) return undefined;
    return this.ports.sql.all<{ data: string }>('SELECT data FROM blobs WHERE id = ?', id)[0]?.data;
  }

  /** Unix seconds, as frames carry them. */
  get timestamp(): number {
    return this.now / 1000;
  }

  get standing(): Standing {
    const turns = new Map(
      [...this.turns.open].map(({ state, text, reasoning }) => [
        state.turn,
        { text: text.shown.length, reasoning: reasoning.shown.length },
      ]),
    );
    return { seq: this.journal.head, turns };
  }

  /**
   * Runs `work` in one transaction, stores the text of every turn, then shows the frames it made.
   * What `work` throws undoes what it wrote; it must throw its refusals before it changes memory. `acknowledge` runs between
   * the two: an `ack` comes before the frames it is about.
   */
  commit<T>(work: () => T, acknowledge?: (value: T) => void): { value: T; delivered: boolean } {
    const { head } = this.journal;
    const before = this.#before;
    this.#frames = [];
    const value = this.#write(work);
    acknowledge?.(value);
    const delivered = this.#show(before);
    // Sockets that looked alive were dead, or have no credit: the next connection is given what went to nobody (P-WS-9).
    if (!delivered && this.journal.head > head)
      this.ports.sql.transaction(() => this.journal.missed(head + 1));
    return { value, delivered };
  }

  /**
   * Shows text before it is stored: it must not wait for a disk, and a crash is repaired by offsets (DESIGN 4). Whoever sends
   * it asks for its storing in time; much of it is stored at once.
   */
  stream<T>(work: () => T): { value: T; delivered: boolean } {
    const before = this.#before;
    this.#frames = [];
    const value = work();
    const delivered = this.#show(before);
    if (this.turns.unflushed >= UNFLUSHED_UNITS) this.flush();
    return { value, delivered };
  }

  /** Stores streamed text that is not stored yet. */
  flush(): void {
    if (this.#broken || (this.turns.unflushed === 0 && !this.ingests.dirty)) return;
    this.#write(() => undefined);
  }

  #write<T>(work: () => T): T {
    this.revision += 1;
    this.replayed = undefined;
    try {
      return this.journal.writing(() =>
        this.ports.sql.transaction(() => {
          this.journal.prepare();
          const value = work();
          const { mark } = this.ingests;
          const written = this.turns.storeAll(this.now, mark);
          const { ended, replaced } = this.turns.takeDropped();
          // Text without a mark takes the place of one that had it.
          const texts = replaced || (written && mark === null);
          this.ingests.storeAll(this.now, { marked: written && mark !== null, dropped: ended, texts });
          return value;
        }),
      );
    } catch (error) {
      this.tables.undone();
      this.#broken ||= !(error instanceof StarwireError);
      throw error;
    }
  }

  get #before(): Standing | undefined {
    return this.#audience.relayed ? this.standing : undefined;
  }

  #show(before: Standing | undefined): boolean {
    const outs = this.#frames.map((frame) => Out.of(frame));
    this.#frames = [];
    return outs.length > 0 && this.#audience.fanout(outs, before);
  }

  /** Journals a frame, inside `commit`, and returns it numbered; `conversation` where it is of one that it does not name. */
  emit<F extends DurableFrame>(entry: Unnumbered<F>, conversation?: string): F {
    const frame = this.journal.append<F>(entry, this.#audience.online, conversation);
    this.#frames.push(render(frame, this.links));
    return frame;
  }

  /** Shows a frame that is not journalled. */
  live(frame: ServerFrame): void {
    this.#frames.push(frame);
  }

  /** Shows new text of a turn; neighbours of one kind become one chunk (P-WS-6). */
  chunk(
    { state }: OpenTurn,
    kind: ChunkFrame['kind'],
    { offset, text }: { offset: number; text: string },
  ): void {
    if (text === '') return;
    const last = this.#frames.at(-1);
    if (last?.type === 'chunk' && last.turn === state.turn && last.kind === kind) last.text += text;
    else {
      const { turn, message, conversation } = state;
      this.#frames.push({ type: 'chunk', turn, message, conversation, kind, offset, text });
    }
  }
}
