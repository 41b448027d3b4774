import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

/** How a reply's pieces are written as bytes. */
export interface Encoding {
  chunk(token: string): string;
  end: string;
}

/** A reply on its way into a system, as the service that generates it writes it. */
export interface Reply extends Encoding {
  write(bytes: string | Buffer): void;
  /** Resolves when the system has said that it has everything. */
  finished(): Promise<void>;
}

export interface Post {
  port: number;
  path: string;
  headers?: Record<string, string>;
}

/** One request for the whole reply, a line for each token. */
export class LinesReply implements Reply {
  readonly chunk: Encoding['chunk'];
  readonly end: string;
  readonly #request: ClientRequest;
  readonly #response: Promise<string>;

  constructor({ port, path, headers }: Post, { chunk, end }: Encoding) {
    this.chunk = (token) => `${chunk(token)}\n`;
    this.end = `${end}\n`;
    this.#request = request({
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', ...headers },
    });
    this.#request.setNoDelay(true);
    this.#response = once(this.#request, 'response').then(async ([response]: IncomingMessage[]) => {
      const said = response ? await text(response) : '';
      if (response?.statusCode !== 200) throw new Error(`${path} answered ${response?.statusCode}: ${said}`);
      return said;
    });
    this.#response.catch(() => undefined);
    this.#request.flushHeaders();
  }

  write(bytes: string | Buffer): void {
    this.#request.write(bytes);
  }

  async finished(): Promise<void> {
    this.#request.end();
    const said = await this.#response;
    if (said.includes('"error"')) throw new Error(`the reply was refused: ${said.slice(0, 500)}`);
  }
}

/** A connection to Redis that only publishes. */
export class Publisher {
  readonly #socket: Socket;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true).resume();
  }

  reply(channel: string, { chunk, end }: Encoding): Reply {
    const publish = (payload: string) =>
      `*3\r\n$7\r\nPUBLISH\r\n$${Buffer.byteLength(channel)}\r\n${channel}\r\n$${Buffer.byteLength(payload)}\r\n${payload}\r\n`;
    return {
      chunk: (token) => publish(chunk(token)),
      end: publish(end),
      write: (bytes) => void this.#socket.write(bytes),
      finished: async () => undefined,
    };
  }

  close(): void {
    this.#socket.destroy();
  }
}
