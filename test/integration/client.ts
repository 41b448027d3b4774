import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import { SUBPROTOCOL } from '../../src/protocol/client-frames.ts';
import { formatLengths, type Lengths } from '../../src/protocol/cursor.ts';
import { isTerminal, type ServerFrame } from '../../src/protocol/server-frames.ts';
import { Watched } from './watched.ts';

export type FrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

export interface Close {
  code: number;
  reason: string;
}

export interface OpenOptions {
  token?: string;
  /** Where the token goes; a browser can only use the subprotocol. */
  by?: 'header' | 'subprotocol';
  origin?: string;
  headers?: Record<string, string>;
  protocols?: string[];
  /** Of the query: `cursor`, `turns`, `batch`, … */
  query?: Record<string, string>;
}

/** The server answered the handshake with a plain response. */
export class Refused extends Error {
  readonly status: number;
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;

  constructor({ statusCode = 0, headers }: IncomingMessage, body: string) {
    super(`the handshake was refused: ${statusCode} ${body}`);
    this.status = statusCode;
    this.body = JSON.parse(body);
    this.headers = headers;
  }
}

/** A native client as simple as one can be: it keeps what came, in order, and knows where it stands. */
export class Client extends Watched {
  /** Every frame, those of a `batch` one by one. */
  readonly frames: ServerFrame[] = [];
  /** Every message of the socket as it came, but for answers to pings. */
  readonly raw: string[] = [];
  /** The text of each turn, put together by offsets; a hole is an error at once. */
  readonly texts = new Map<string, { text: string; reasoning: string }>();
  readonly #socket: WebSocket;
  readonly #openTurns = new Set<string>();
  #close: Close | undefined;
  /** The first one is sent when the socket opens. */
  #pings = 1;
  #pongs = 0;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on('message', (data) => this.#take(data.toString()));
    // What ends a socket is told by `closed`.
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.#close = { code, reason: reason.toString() };
      this.over = `closed ${code}`;
      this.wake();
    });
  }

  /** Resolves when the socket is open; throws `Refused` where the server answers otherwise. */
  static async open(origin: string, options: OpenOptions = {}): Promise<Client> {
    const { token, by = 'header', headers = {}, protocols = [], query } = options;
    const bearer = token === undefined ? undefined : `Bearer ${token}`;
    const socket = new WebSocket(
      `${origin.replace('http', 'ws')}/ws${query ? `?${new URLSearchParams(query)}` : ''}`,
      by === 'subprotocol' ? [...protocols, SUBPROTOCOL, `bearer.${token}`] : protocols,
      {
        ...(options.origin === undefined ? {} : { origin: options.origin }),
        headers: { ...(bearer && by === 'header' ? { authorization: bearer } : {}), ...headers },
      },
    );
    const client = new Client(socket);
    await new Promise<void>((resolve, reject) => {
      socket.on('open', () => {
        // workerd ends the TCP connection of a client that has never sent anything only when the object hibernates.
        socket.send('ping');
        resolve();
      });
      socket.on('error', reject);
      socket.on('unexpected-response', (_, response) => {
        void bodyOf(response).then((body) => reject(new Refused(response, body)));
      });
    });
    return client;
  }

  /** How the connection ended, once it has. */
  get closed(): Promise<Close> {
    return this.until(() => this.#close, 'the end');
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  send(frame: object | string): void {
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  sendBinary(bytes: Uint8Array): void {
    this.#socket.send(bytes, { binary: true });
  }

  #take(text: string): void {
    if (text === 'pong') this.#pongs += 1;
    else {
      this.raw.push(text);
      const frame: ServerFrame = JSON.parse(text);
      for (const one of frame.type === 'batch' ? frame.frames : [frame]) this.#see(one);
    }
    this.wake();
  }

  #see(frame: ServerFrame): void {
    this.frames.push(frame);
    if (frame.type === 'turn') this.#openTurns[isTerminal(frame.status) ? 'delete' : 'add'](frame.turn);
    if (frame.type !== 'chunk') return;
    const known = this.texts.get(frame.turn) ?? { text: '', reasoning: '' };
    const before = known[frame.kind];
    if (frame.offset > before.length)
      throw new Error(`a hole in ${frame.turn}: ${before.length} characters, then offset ${frame.offset}`);
    this.texts.set(frame.turn, { ...known, [frame.kind]: before.slice(0, frame.offset) + frame.text });
  }

  /** The first frame of a type, come or to come, for which `where` holds. */
  frame<T extends ServerFrame['type']>(
    type: T,
    where: (frame: FrameOf<T>) => boolean = () => true,
    within_ms?: number,
  ): Promise<FrameOf<T>> {
    return this.until(() => this.all(type).find(where), `${type} ${where}`, within_ms);
  }

  /** All frames of a type that have come. */
  all<T extends ServerFrame['type']>(type: T): FrameOf<T>[] {
    return this.frames.filter((frame): frame is FrameOf<T> => frame.type === type);
  }

  /** The durable frames that have come, but for snapshots: each `seq` once, in order. */
  durable(): { type: ServerFrame['type']; seq: number }[] {
    return this.frames.flatMap((frame) =>
      'seq' in frame && !('snapshot' in frame) && !['welcome', 'ready', 'ack', 'reset'].includes(frame.type)
        ? [{ type: frame.type, seq: frame.seq }]
        : [],
    );
  }

  /** The heartbeat of a client; resolves with its answer. */
  async ping(): Promise<void> {
    const sent = ++this.#pings;
    this.send('ping');
    await this.until(() => this.#pongs >= sent || undefined, 'pong');
  }

  /** Resolves when everything has come that the user's object had sent by now: its own answer comes behind it. */
  async settled(): Promise<void> {
    const answers = () => this.all('error').filter(({ code }) => code === 'not_found').length;
    const before = answers();
    this.send({ type: 'cancel', turn: 'turn_of_nobody' });
    await this.until(() => answers() > before || undefined, 'an answer of the object');
  }

  /** The query with which another connection goes on where this one stands. */
  position(): { cursor: string; turns: string } {
    const [welcome] = this.all('welcome');
    if (!welcome) throw new Error('there was no welcome');
    const reset = this.all('reset').at(-1);
    const seq = this.durable().at(-1)?.seq ?? reset?.seq ?? this.#startedAt ?? welcome.seq;
    const lengths = new Map<string, Lengths>();
    for (const turn of this.#openTurns) {
      const { text = '', reasoning = '' } = this.texts.get(turn) ?? {};
      lengths.set(turn, { text: text.length, reasoning: reasoning.length });
    }
    return { cursor: `${welcome.epoch}.${seq}`, turns: formatLengths(lengths) };
  }

  /** Takes over what an earlier connection of the same client has, as a page does that reconnects. */
  continue(earlier: Client): this {
    for (const [turn, texts] of earlier.texts) this.texts.set(turn, texts);
    this.#startedAt = Number(earlier.position().cursor.split('.')[1]);
    return this;
  }

  #startedAt: number | undefined;

  protected override get tail(): string {
    return this.raw
      .slice(-12)
      .map((text) => text.slice(0, 300))
      .join('\n');
  }

  /** Closes properly. */
  close(): Promise<Close> {
    this.#socket.close(1000);
    return this.closed;
  }

  /** Breaks the connection, as a lost network does. */
  drop(): Promise<Close> {
    this.#socket.terminate();
    return this.closed;
  }
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return body;
}
