import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between a bot and the server: everything that goes through it can be cut off, as often as a test likes. */
export class CutProxy {
  readonly #server = createServer((near) => this.#join(near));
  readonly #sockets = new Set<Socket>();
  readonly #port: number;
  /** Connections that were made. */
  connections = 0;
  /** Bytes towards the server after which a connection is cut, one number per connection; the rest stay whole. */
  cuts: number[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  static async start(port: number): Promise<CutProxy> {
    const proxy = new CutProxy(port);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get origin(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  #join(near: Socket): void {
    this.connections += 1;
    let left = this.cuts.shift() ?? Number.POSITIVE_INFINITY;
    const far = connect(this.#port, '127.0.0.1');
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    far.pipe(near);
    near.on('data', (bytes: Buffer) => {
      far.write(bytes.subarray(0, left));
      left -= bytes.length;
      if (left <= 0) cut();
    });
  }

  /** Breaks every connection there is. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
