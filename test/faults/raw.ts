import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { SUBPROTOCOL } from '../../src/protocol/client-frames.ts';
import type { ServerFrame } from '../../src/protocol/server-frames.ts';
import { Watched } from '../integration/watched.ts';
import type { Person, World } from '../integration/world.ts';

const HEAD_END = '\r\n\r\n';

/** A client on bare TCP: it reads when it is told to, and not a byte before. */
abstract class Raw extends Watched {
  /** Everything that came. */
  readonly frames: ServerFrame[] = [];
  /** Bytes that came, the head included. */
  bytes = 0;
  protected readonly socket: Socket;
  protected buffer: Buffer = Buffer.alloc(0);
  #head: string | undefined;

  constructor(world: World, request: readonly string[]) {
    super();
    this.socket = connect(Number(new URL(world.origin).port), '127.0.0.1');
    this.socket.on('data', (bytes) => {
      this.bytes += bytes.length;
      this.buffer = Buffer.concat([this.buffer, bytes]);
      this.#take();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.over = 'closed';
      this.wake();
    });
    this.socket.write(`${request.join('\r\n')}${HEAD_END}`);
  }

  #take(): void {
    if (this.#head === undefined) {
      const end = this.buffer.indexOf(HEAD_END);
      if (end < 0) return;
      this.#head = this.buffer.subarray(0, end).toString();
      this.buffer = this.buffer.subarray(end + HEAD_END.length);
    }
    this.read();
    this.wake();
  }

  /** Takes from `buffer` what is complete. */
  protected abstract read(): void;

  /** Stops reading: the kernel's buffers fill, and then the server's. */
  stall(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.destroy();
  }

  frame<T extends ServerFrame['type']>(type: T): Promise<Extract<ServerFrame, { type: T }>> {
    return this.until(
      () => this.frames.find((frame): frame is Extract<ServerFrame, { type: T }> => frame.type === type),
      type,
    );
  }

  protected override get tail(): string {
    return `${this.#head}\n${this.frames.slice(-3).map((frame) => JSON.stringify(frame).slice(0, 200))}`;
  }
}

const CLOSE = 8;
const TEXT = 1;

/** A WebSocket, by hand (RFC 6455); the server's frames are never fragmented. */
export class RawSocket extends Raw {
  closeCode: number | undefined;

  constructor(world: World, { token }: Person) {
    super(world, [
      'GET /ws HTTP/1.1',
      `Host: ${new URL(world.origin).host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}, bearer.${token}`,
    ]);
  }

  protected override read(): void {
    for (;;) {
      const [opcode = 0, short = 0] = this.buffer;
      const extra = short === 127 ? 8 : short === 126 ? 2 : 0;
      if (this.buffer.length < 2 + extra) return;
      const length =
        extra === 8
          ? Number(this.buffer.readBigUInt64BE(2))
          : extra === 2
            ? this.buffer.readUInt16BE(2)
            : short;
      const end = 2 + extra + length;
      if (this.buffer.length < end) return;
      const payload = this.buffer.subarray(2 + extra, end);
      this.buffer = this.buffer.subarray(end);
      if ((opcode & 0x0f) === TEXT) this.frames.push(JSON.parse(payload.toString()));
      if ((opcode & 0x0f) === CLOSE) this.closeCode = payload.readUInt16BE(0);
    }
  }

  /** A short text frame, masked as a client's must be. */
  send(frame: object): void {
    const payload = Buffer.from(JSON.stringify(frame));
    const mask = randomBytes(4);
    const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
    this.socket.write(Buffer.concat([Buffer.from([0x80 | TEXT, 0x80 | payload.length]), mask, masked]));
  }

  get closed(): Promise<number> {
    return this.until(() => this.closeCode, 'a close frame');
  }
}

/** A reader of `/api/events`, by hand. */
export class RawEvents extends Raw {
  #text = '';

  constructor(world: World, { token }: Person) {
    super(world, [
      'GET /api/events HTTP/1.1',
      `Host: ${new URL(world.origin).host}`,
      `Authorization: Bearer ${token}`,
    ]);
  }

  protected override read(): void {
    // Chunked: each chunk is `length CRLF bytes CRLF`.
    for (;;) {
      const line = this.buffer.indexOf('\r\n');
      if (line < 0) return;
      const length = Number.parseInt(this.buffer.subarray(0, line).toString(), 16);
      const end = line + 2 + length + 2;
      if (this.buffer.length < end) return;
      // Frames are JSON, which escapes line ends; no character of one is cut by a chunk of another.
      this.#text += this.buffer.subarray(line + 2, end - 2).toString('latin1');
      this.buffer = this.buffer.subarray(end);
      const events = this.#text.split('\n\n');
      this.#text = events.pop() ?? '';
      for (const event of events) {
        const data = event.split('\n').find((one) => one.startsWith('data: '));
        if (data) this.frames.push(JSON.parse(Buffer.from(data.slice(6), 'latin1').toString()));
      }
    }
  }
}
