import { Channel } from '../../../src/channel/channel.ts';
import type { Ports } from '../../../src/channel/core.ts';
import type { ChannelEvent } from '../../../src/channel/events.ts';
import type { IngestRequest, IngestResponse } from '../../../src/channel/ingest.ts';
import type { Socket } from '../../../src/channel/ports.ts';
import type { Attachment, Session } from '../../../src/channel/session.ts';
import type { Position } from '../../../src/protocol/cursor.ts';
import type { IdKind } from '../../../src/protocol/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../src/protocol/limits.ts';
import { type OutboundResult, parseOutbound } from '../../../src/protocol/outbound.ts';
import type { DurableFrame, ServerFrame } from '../../../src/protocol/server-frames.ts';
import { MemorySql } from './memory-sql.ts';

export const NOTHING: Position = { turns: new Map() };

/** One end of a connection that keeps what it was sent. */
export class FakeSocket implements Socket {
  readonly texts: string[] = [];
  closed: { code: number; reason: string } | undefined;
  /** The peer has vanished: sending throws. */
  dead = false;
  /** What a runtime that knows would tell. */
  buffered: number | undefined;
  #attachment: string | undefined;

  send(text: string): void {
    if (this.dead || this.closed) throw new Error('the connection is gone');
    this.texts.push(text);
  }

  close(code: number, reason: string): void {
    if (this.dead) throw new Error('the connection is gone');
    this.closed = { code, reason };
  }

  load(): unknown {
    return this.#attachment === undefined ? null : JSON.parse(this.#attachment);
  }

  /** As the runtime keeps it: serialised, and at most 16 KiB. */
  save(value: unknown): void {
    const text = JSON.stringify(value);
    if (text.length >= 16_384) throw new Error('the attachment is too large');
    this.#attachment = text;
  }

  /** The frames, `batch` frames taken apart. */
  get frames(): ServerFrame[] {
    return this.texts.flatMap((text) => {
      const frame: ServerFrame = JSON.parse(text);
      return frame.type === 'batch' ? frame.frames : [frame];
    });
  }

  of<T extends ServerFrame['type']>(type: T): Extract<ServerFrame, { type: T }>[] {
    return this.frames.filter((frame): frame is Extract<ServerFrame, { type: T }> => frame.type === type);
  }

  get types(): string[] {
    return this.frames.map(({ type }) => type);
  }

  /** Everything sent from here on is seen alone. */
  clear(): this {
    this.texts.length = 0;
    return this;
  }
}

export interface Tab {
  socket: FakeSocket;
  session: Session;
}

export const ANN = {
  tenant: 'default',
  user: 'ann',
  name: 'Ann',
  avatar: '',
  roles: [] as string[],
  exp: 4_000_000_000,
};

/** A Channel with time, sockets and storage of our own. */
export class World {
  now = 1_700_000_000_000;
  readonly sql = new MemorySql();
  readonly limits: Limits;
  #ids = 0;
  #epochs = 0;
  tabs: Tab[] = [];
  channel: Channel;

  readonly #placed: boolean;

  constructor({ limits = {}, placed = false }: { limits?: Partial<Limits>; placed?: boolean } = {}) {
    this.#placed = placed;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.channel = this.#build();
  }

  #build(): Channel {
    return new Channel(
      this.#ports,
      this.tabs.map(({ socket }) => socket),
    );
  }

  readonly newId = (kind: IdKind): string => `${kind}_${++this.#ids}`;

  get #ports(): Ports {
    return {
      name: `webchat:${ANN.user}`,
      sql: this.sql,
      clock: { now: () => this.now },
      epochs: {
        make: () => `epoch${++this.#epochs}`,
        genuine: (epoch) => /^epoch\d+$/.test(epoch),
      },
      newId: this.newId,
      limits: this.limits,
      placed: this.#placed,
      url: (id, filename) => `https://chat.example/files/${id}/${filename}?sig=${this.now}`,
    };
  }

  pass(ms: number): void {
    this.now += ms;
  }

  connect(position: Position = NOTHING, attachment: Partial<Attachment> = {}): Tab {
    const socket = new FakeSocket();
    const session = this.channel.attach(
      socket,
      {
        ...ANN,
        id: this.newId('ses'),
        connected_at: this.now / 1000,
        dialect: 'native',
        origin: 'https://chat.example',
        batch: false,
        ...attachment,
      },
      position,
    );
    const tab = { socket, session };
    if (session.open) this.tabs.push(tab);
    return tab;
  }

  /** Where a client stands that has seen everything up to `seq`. */
  at(seq: number, turns: Record<string, [text: number, reasoning: number]> = {}): Position {
    return {
      cursor: { epoch: this.channel.epoch, seq },
      turns: new Map(Object.entries(turns).map(([turn, [text, reasoning]]) => [turn, { text, reasoning }])),
    };
  }

  drop(tab: Tab): void {
    this.tabs = this.tabs.filter((one) => one !== tab);
    this.channel.detach(tab.socket);
  }

  /** A hibernation: memory goes, sockets stay. Whoever sends text has asked for its storing long before. */
  evict(): void {
    this.pass(60_000);
    this.channel.flush();
    this.channel = this.#build();
    for (const tab of this.tabs) tab.session = this.channel.session(tab.socket) ?? tab.session;
  }

  /** What the owner does when a write has failed: sessions end, and a new Channel is built. */
  rebuild(): void {
    this.channel.closeAll(1012, 'restart');
    this.tabs = [];
    this.channel = this.#build();
  }

  /** A crash: memory and sockets go, storage stays as it was committed. */
  crash(): void {
    this.tabs = [];
    this.channel = this.#build();
  }

  ingest(request: Partial<IngestRequest> & Pick<IngestRequest, 'events'>): IngestResponse {
    return this.channel.ingest({ end: true, ...request });
  }

  /** Applies events in one request, each with its result. */
  results(...events: ChannelEvent[]): OutboundResult[] {
    return this.ingest({ events: events.map((event, n) => ({ n, event })) }).results.map(
      ({ result }) => result,
    );
  }

  /** Applies one event. */
  apply(event: ChannelEvent): OutboundResult {
    const [result] = this.results(event);
    if (!result) throw new Error('no result');
    return result;
  }

  /** Shows text without storing it yet: what a long request does between its events. */
  stream(...events: ChannelEvent[]): void {
    this.ingest({ events: events.map((event, n) => ({ n, event })), end: false });
  }

  /** Opens a turn as an upstream does, and returns its id. */
  turn(id?: string): string {
    const { id: turn } = this.apply(event({ kind: 'turn', id }));
    if (!turn) throw new Error('no turn');
    return turn;
  }

  say(tab: Tab, text: string, fields: { client_id?: string; conversation?: string } = {}): void {
    this.channel.receive(tab.session, { type: 'message', client_id: this.newId('msg'), text, ...fields });
  }

  /** The journal as it is stored. */
  get journal(): DurableFrame[] {
    if (!this.sql.all("SELECT 1 FROM sqlite_master WHERE name = 'events'").length) return [];
    return this.sql
      .all<{ frame: string }>('SELECT frame FROM events ORDER BY seq')
      .map(({ frame }) => JSON.parse(frame));
  }

  get head(): number {
    return this.journal.at(-1)?.seq ?? 0;
  }
}

/** An event as an upstream writes it, read as the gateway reads it. */
export function event(fields: { kind: string } & Record<string, unknown>): ChannelEvent {
  const { event: read } = parseOutbound({ channel: `webchat:${ANN.user}`, ...fields });
  if (read.kind === 'file') throw new Error('files are stored first: write the event itself');
  return read;
}

export const chunk = (turn: string, text: string, offset?: number): ChannelEvent =>
  event({ kind: 'chunk', turn, text, offset });

export const think = (turn: string, text: string, offset?: number): ChannelEvent =>
  event({ kind: 'chunk', turn, text, reasoning: true, offset });

export const done = (turn: string, fields: Record<string, unknown> = {}): ChannelEvent =>
  event({ kind: 'done', turn, ...fields });
