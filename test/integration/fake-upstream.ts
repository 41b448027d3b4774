import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Delivery } from '../../src/protocol/delivery.ts';
import { Watched } from './watched.ts';
import { useWorld, type World } from './world.ts';

/** A delivery as it came, and the response that is still to be given. */
export interface Delivered {
  headers: IncomingHttpHeaders;
  raw: string;
  body: Delivery;
  /** Unix ms of its arrival. */
  at: number;
  response: ServerResponse;
}

export type Answer = (delivered: Delivered) => unknown;

/** An inference service over real HTTP: takes deliveries, and answers them as the test wants. */
export class FakeUpstream extends Watched {
  readonly #server = createServer();
  /** Everything that came, in its order. */
  readonly deliveries: Delivered[] = [];
  /** How deliveries are answered; by default they are accepted. */
  answer: Answer = ({ response }) => response.end();

  /** Listens; on a port that is named where the test has chosen one. */
  static async start(port = 0): Promise<FakeUpstream> {
    const upstream = new FakeUpstream();
    upstream.#server.on('request', async (request, response) => {
      const raw = await text(request);
      const body: Delivery = JSON.parse(raw);
      const delivered = { headers: request.headers, raw, body, at: Date.now(), response };
      upstream.deliveries.push(delivered);
      upstream.answer(delivered);
      upstream.wake();
    });
    await once(upstream.#server.listen(port, '127.0.0.1'), 'listening');
    return upstream;
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo;
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** The environment of a server that delivers here. */
  get env(): Record<string, string> {
    return { UPSTREAM_MODE: 'webhook', UPSTREAM_URL: this.url };
  }

  /** The deliveries of a turn, once there are so many. */
  of(turn: string, count = 1): Promise<Delivered[]> {
    return this.until(() => {
      const found = this.deliveries.filter(({ body }) => body.turn === turn);
      return found.length >= count ? found : undefined;
    }, `${count} deliveries of ${turn}`);
  }

  /** The first delivery that a test looks for, already there or still to come. */
  first(wanted: (body: Delivery) => boolean): Promise<Delivered> {
    return this.until(() => this.deliveries.find(({ body }) => wanted(body)), String(wanted));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  protected override get tail(): string {
    return this.deliveries.map(({ raw }) => raw.slice(0, 300)).join('\n');
  }
}

/** One server for all tests of a file, and the fake upstream that it delivers to; `env`: variables besides. */
export function useUpstream(env: Record<string, string> = {}): {
  world: () => World;
  upstream: () => FakeUpstream;
} {
  let started: FakeUpstream | undefined;
  const upstream = () => started ?? expect.fail('the upstream has not started');
  beforeAll(async () => {
    started = await FakeUpstream.start();
  });
  afterAll(() => started?.stop());
  return { world: useWorld(() => ({ env: { ...upstream().env, ...env } })), upstream };
}

/** Checks a delivery's signature as its receiver would. Throws where it is not ours. */
export function verify(secret: string, { raw, headers }: Pick<Delivered, 'raw' | 'headers'>): void {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const signed = Object.fromEntries(names.map((name) => [name, String(headers[name])]));
  expect(new Webhook(secret).verify(raw, signed)).toEqual(JSON.parse(raw));
}
