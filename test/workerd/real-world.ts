import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test';
import type { Command } from '../../src/protocol/client-frames.ts';
import type { Position } from '../../src/protocol/cursor.ts';
import type { OutboundResult } from '../../src/protocol/outbound.ts';
import type { DurableFrame, ServerFrame } from '../../src/protocol/server-frames.ts';
import type { How, Line, Stream, Surroundings, Written } from '../unit/channel/model/world.ts';
import { Changes, type Client, connect, hubOf, journalOf, openLines, post, someone } from './harness.ts';

/** Refusals that a schedule may meet in the middle of a stream. */
const ALLOWED = new Set(['turn_finished', 'rate_limited', 'conflict', 'not_found']);

/** The real objects of one user as the surroundings of a schedule. */
export class RealWorld implements Surroundings {
  readonly user = someone();
  readonly #changes = new Changes();
  readonly #clients: Client[] = [];

  async connect(position: Position, how: How): Promise<Line> {
    const client = await connect(this.user, { ...position, batch: how === 'batch', changes: this.#changes });
    this.#clients.push(client);
    return new RealLine(client);
  }

  post(events: Written[], key?: string): Promise<OutboundResult[]> {
    return post(this.user, events, key === undefined ? {} : { 'idempotency-key': `${this.user} ${key}` });
  }

  async stream(): Promise<Stream> {
    const lines = openLines(this.user);
    return {
      async push(events) {
        await lines.write(...events);
        return undefined;
      },
      async end() {
        for (const { error } of await lines.end())
          if (error && !ALLOWED.has(error.code))
            throw new Error(`refused in a stream: ${JSON.stringify(error)}`);
      },
    };
  }

  async pass(): Promise<void> {}

  async evict(): Promise<void> {
    // Only what runs can be evicted.
    await hubOf(this.user).sessions();
    await evictDurableObject(hubOf(this.user)).catch((error: unknown) => {
      // What has something under way stays up, as it would by itself.
      if (!String(error).includes('active references')) throw error;
    });
  }

  crash(): Promise<void> {
    return abortAllDurableObjects();
  }

  async until(condition: () => boolean, what: () => string): Promise<void> {
    await this.#changes.until(condition, what);
  }

  journal(): Promise<DurableFrame[]> {
    return runInDurableObject(hubOf(this.user), (_, state) =>
      state.storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'events'").toArray().length === 0
        ? []
        : journalOf(state),
    );
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

class RealLine implements Line {
  readonly #client: Client;
  #read = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  get open(): boolean {
    return this.#client.closed === undefined;
  }

  read(): ServerFrame[] {
    const fresh = this.#client.frames.slice(this.#read);
    this.#read += fresh.length;
    return fresh;
  }

  send(command: Command): void {
    if (this.open) this.#client.send(command);
  }

  sendAndLose(command: Command): void {
    this.send(command);
    this.drop();
  }

  die(): void {
    this.drop();
  }

  drop(): void {
    this.#client.close();
  }
}
