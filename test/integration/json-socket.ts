import WebSocket from 'ws';
import type { Close } from './client.ts';
import { Watched } from './watched.ts';

/** A frame of some system's own. */
export type JsonFrame = Record<string, unknown>;

interface Listener {
  take?: (frame: JsonFrame) => void;
  /** The connection is over: how. */
  end?: (how: string) => void;
}

/** The socket of a client that knows another system's frames only: it keeps what came, in order. */
export class JsonSocket extends Watched {
  readonly frames: JsonFrame[] = [];
  readonly #socket: WebSocket;
  #close: Close | undefined;

  private constructor(socket: WebSocket, { take, end }: Listener) {
    super();
    this.#socket = socket;
    socket.on('message', (data) => {
      const frame: JsonFrame = JSON.parse(data.toString());
      this.frames.push(frame);
      take?.(frame);
      this.wake();
    });
    // What ends a socket is told by `closed`.
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.#close = { code, reason: reason.toString() };
      this.over = `closed ${code}`;
      end?.(this.over);
      this.wake();
    });
  }

  /** Resolves when the socket is open; rejects where the server answers otherwise. */
  static async open(
    origin: string,
    path: string,
    headers: Record<string, string> = {},
    listener: Listener = {},
  ): Promise<JsonSocket> {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}`, { headers });
    const client = new JsonSocket(socket, listener);
    await new Promise<void>((resolve, reject) => {
      socket.on('open', resolve);
      socket.on('error', reject);
    });
    return client;
  }

  send(frame: object | string): void {
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  sendBinary(bytes: Uint8Array): void {
    this.#socket.send(bytes, { binary: true });
  }

  /** The first frame, come or to come, that has these fields. */
  frame(fields: JsonFrame, after = 0): Promise<JsonFrame> {
    const has = (frame: JsonFrame) => Object.entries(fields).every(([name, value]) => frame[name] === value);
    return this.until(() => this.frames.slice(after).find(has), JSON.stringify(fields));
  }

  /** How the connection ended, once it has. */
  get closed(): Promise<Close> {
    return this.until(() => this.#close, 'the end');
  }

  close(code?: number, reason?: string): Promise<Close> {
    this.#socket.close(code, reason);
    return this.closed;
  }

  /** Breaks the connection, as a lost network does. */
  drop(): Promise<Close> {
    this.#socket.terminate();
    return this.closed;
  }

  protected override get tail(): string {
    return this.frames
      .slice(-12)
      .map((frame) => JSON.stringify(frame).slice(0, 300))
      .join('\n');
  }
}
