import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** A message of a socket, with the moment at which the read that ended it was made. */
export interface Message {
  at: number;
  payload: Buffer;
}

export interface Door {
  port: number;
  path: string;
  headers?: Record<string, string>;
  /** Sent as soon as the socket is open. */
  hello?: string[];
  /** What the server asks as a message, and what is answered. */
  heartbeat?: { ask: string; answer: string };
  /** Sent after every 64 messages. */
  receipt?: string;
}

const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;
const RECEIPT_EVERY = 64;

/**
 * A WebSocket client that does as little as it can: it finds where messages begin and end and keeps them as they came, so
 * that the generator of the load is not what is measured.
 */
export class RawSocket {
  readonly messages: Message[] = [];
  /** Of the TCP connection, the handshake not counted. */
  bytes = 0;
  readonly #socket: Socket;
  readonly #door: Door;
  #rest: Buffer = Buffer.alloc(0);
  #opened: (() => void) | undefined;
  #marker: Buffer | undefined;
  #marked: ((message: Message) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #over = false;

  private constructor(door: Door) {
    this.#door = door;
    this.#socket = connect(door.port, '127.0.0.1');
    this.#socket.setNoDelay(true);
  }

  /** Resolves when the handshake is done. */
  static open(door: Door): Promise<RawSocket> {
    const raw = new RawSocket(door);
    return new Promise((resolve, reject) => {
      raw.#failed = reject;
      raw.#opened = () => resolve(raw);
      raw.#shake();
    });
  }

  /** The first message from now on, or among those that are here, that contains the text. */
  until(text: string): Promise<Message> {
    const marker = Buffer.from(text);
    const known = this.messages.find(({ payload }) => payload.includes(marker));
    if (known) return Promise.resolve(known);
    if (this.#over) return Promise.reject(new Error(`the socket has ended without ${text}: ${this.tail}`));
    return new Promise((resolve, reject) => {
      this.#marker = marker;
      this.#marked = resolve;
      this.#failed = reject;
    });
  }

  /** Whether the connection has ended. */
  get over(): boolean {
    return this.#over;
  }

  get tail(): string {
    return this.messages
      .slice(-3)
      .map(({ payload }) => payload.toString().slice(0, 300))
      .join('\n');
  }

  /** Forgets what has come. */
  clear(): void {
    this.messages.length = 0;
    this.bytes = 0;
  }

  send(text: string): void {
    this.#write(OPCODE.text, Buffer.from(text));
  }

  close(): void {
    this.#over = true;
    this.#write(OPCODE.close, Buffer.from([3, 232]));
    this.#socket.destroySoon();
  }

  /** Breaks the connection, as a lost network does. */
  drop(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  #shake(): void {
    const headers = {
      host: `127.0.0.1:${this.#door.port}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      ...this.#door.headers,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('the connection was closed')));
    this.#socket.on('data', (read) => this.#take(read));
    this.#socket.write(`GET ${this.#door.path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#failed?.(new Error(`${error.message}; ${this.#door.path}; ${this.tail}`));
  }

  #take(read: Buffer): void {
    const at = performance.now();
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, read]) : read;
    if (this.#opened) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end >= 0) this.#open(bytes.subarray(0, end).toString('latin1'));
      if (end < 0 || this.#over) {
        this.#rest = bytes;
        return;
      }
      bytes = bytes.subarray(end + 4);
      this.bytes += bytes.length;
    } else this.bytes += read.length;
    this.#rest = this.#walk(bytes, at);
  }

  #open(head: string): void {
    if (!head.startsWith('HTTP/1.1 101')) return this.#fail(new Error(`refused: ${head}`));
    for (const text of this.#door.hello ?? []) this.send(text);
    this.#opened?.();
    this.#opened = undefined;
  }

  /** Takes the whole messages; gives what is left. */
  #walk(bytes: Buffer, at: number): Buffer {
    let position = 0;
    while (bytes.length - position >= 2) {
      const short = (bytes[position + 1] ?? 0) & 127;
      const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
      const begin = position + 2 + extra;
      if (bytes.length < begin) break;
      const length =
        extra === 0
          ? short
          : extra === 2
            ? bytes.readUInt16BE(position + 2)
            : Number(bytes.readBigUInt64BE(position + 2));
      if (bytes.length < begin + length) break;
      this.#message((bytes[position] ?? 0) & 15, bytes.subarray(begin, begin + length), at);
      position = begin + length;
    }
    return bytes.subarray(position);
  }

  #message(opcode: number, payload: Buffer, at: number): void {
    if (opcode === OPCODE.ping) return this.#write(OPCODE.pong, payload);
    if (opcode === OPCODE.close) return this.#fail(new Error(`closed ${payload.readUInt16BE(0)}`));
    if (opcode === OPCODE.pong) return;
    const { heartbeat, receipt } = this.#door;
    if (heartbeat && payload.length === heartbeat.ask.length && payload.toString() === heartbeat.ask)
      return this.send(heartbeat.answer);
    const message = { at, payload };
    this.messages.push(message);
    if (receipt && this.messages.length % RECEIPT_EVERY === 0) this.send(receipt);
    if (this.#marker && payload.includes(this.#marker)) {
      this.#marker = undefined;
      this.#marked?.(message);
    }
  }

  /** Masked with zeros, which leaves the payload as it is. */
  #write(opcode: number, payload: Buffer): void {
    const { length } = payload;
    const head = length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
    head[0] = 128 | opcode;
    head[1] = 128 | Math.min(length, 126);
    if (length >= 126) head.writeUInt16BE(length, 2);
    this.#socket.write(Buffer.concat([head, payload]));
  }
}
