import type { Clock, Row, Socket, Sql, SqlValue } from '../channel/ports.ts';

/** The Channel's small interfaces, given by the runtime. */

export class DurableSql implements Sql {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  all<R extends object>(query: string, ...values: SqlValue[]): R[] {
    // The rows are those of our own schema: the query's caller names its columns.
    return this.#storage.sql.exec<Row>(query, ...values).toArray() as R[];
  }

  run(query: string, ...values: SqlValue[]): void {
    this.#storage.sql.exec(query, ...values);
  }

  transaction<T>(work: () => T): T {
    return this.#storage.transactionSync(work);
  }
}

export const clock: Clock = { now: () => Date.now() };

class HibernatingSocket implements Socket {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Runtimes of 2026-11-17 and later tell. */
  get buffered(): number | undefined {
    const amount: unknown = Reflect.get(this.#socket, 'bufferedAmount');
    return typeof amount === 'number' ? amount : undefined;
  }

  load(): unknown {
    return this.#socket.deserializeAttachment();
  }

  save(value: unknown): void {
    this.#socket.serializeAttachment(value);
  }
}

const sockets = new WeakMap<WebSocket, Socket>();

/** The Channel's view of a WebSocket; the same object for the same socket. */
export function socketOf(socket: WebSocket): Socket {
  let known = sockets.get(socket);
  if (!known) {
    known = new HibernatingSocket(socket);
    sockets.set(socket, known);
  }
  return known;
}
