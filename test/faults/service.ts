import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import type { Delivery } from '../../src/protocol/delivery.ts';
import type { World } from '../integration/world.ts';
import { attempt, insist, type Line } from './post.ts';
import type { Random } from './random.ts';

/** How a service replies: posting its result, posting it again for every delivery, or in the answer itself. */
const WAYS = ['posted', 'posted again', 'inline'] as const;

/** An inference service behind a webhook. The same delivery always gets the same reply; now and then it is refused at first. */
export class Service {
  /** How often each `webhook-id` came. */
  readonly deliveries = new Map<string, number>();
  /** The `webhook-id`s of each message, by its text. */
  readonly ids = new Map<string, Set<string>>();
  /** Turns that it was told to stop. */
  readonly cancelled = new Set<string>();
  /** What must never be: wrong signatures, refusals of a reply, deliveries of other kinds. */
  readonly faults: string[] = [];
  readonly #http: Server;
  readonly #random: Random;
  readonly #replying = new Map<string, Promise<void>>();
  #world: World | undefined;

  constructor(random: Random) {
    this.#random = random;
    this.#http = createServer((request, response) => {
      void this.#take(request, response).catch((error: unknown) => {
        this.faults.push(String(error));
        response.destroy();
      });
    });
  }

  async listen(): Promise<string> {
    await once(this.#http.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/hook`;
  }

  /** Where it posts its results. */
  serve(world: World): void {
    this.#world = world;
  }

  /** The one reply to a message. */
  replyTo(text: string): string {
    return `${text}: ${this.#random.fork(text).text(40)}`;
  }

  /** Resolves when it has posted all that it wanted to. */
  async done(): Promise<void> {
    while (this.#replying.size > 0) await Promise.all(this.#replying.values());
  }

  close(): void {
    this.#http.close();
    this.#http.closeAllConnections();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const world = this.#world;
    if (!world) return void response.writeHead(503).end();
    const header = (name: string): string => String(request.headers[name]);
    const id = header('webhook-id');
    new Webhook(world.server.secrets.UPSTREAM_WEBHOOK_SECRET).verify(body, {
      'webhook-id': id,
      'webhook-timestamp': header('webhook-timestamp'),
      'webhook-signature': header('webhook-signature'),
    });
    const delivery: Delivery = JSON.parse(body);
    if (delivery.type === 'cancel') {
      this.cancelled.add(delivery.turn);
      return void response.writeHead(200).end();
    }
    if (delivery.type !== 'message' && delivery.type !== 'completion')
      throw new Error(`nobody asked for a ${delivery.type}`);
    const count = (this.deliveries.get(id) ?? 0) + 1;
    this.deliveries.set(id, count);
    this.ids.set(delivery.text, (this.ids.get(delivery.text) ?? new Set()).add(id));
    await this.#answer(response, id, delivery, count);
  }

  async #answer(response: ServerResponse, id: string, delivery: Delivery, count: number): Promise<void> {
    const random = this.#random.fork(`way ${id}`);
    const way = random.pick(WAYS);
    if (random.chance(0.15) && count === 1) return void response.writeHead(503).end();
    await pause(random.between(0, 40));
    const events = this.#events(id, delivery);
    if (way === 'inline') {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      for (const event of events) {
        response.write(`${JSON.stringify(event)}\n`);
        await pause(random.between(0, 15));
      }
      response.end();
      return;
    }
    response.writeHead(202).end();
    if (way === 'posted' && this.#replying.has(id)) return;
    const name = `${id} ${way === 'posted' ? '' : count}`;
    const reply = this.#post(id, events).finally(() => this.#replying.delete(name));
    this.#replying.set(name, reply);
  }

  #events(id: string, { tenant, channel_id: channel, turn, text }: Delivery): Line[] {
    const pieces = this.#random.fork(`cuts ${id}`).cut(this.replyTo(text), 12);
    const chunks = pieces.map((piece) => ({ tenant, channel, kind: 'chunk', turn, text: piece }));
    return [...chunks, { tenant, channel, kind: 'done', turn }];
  }

  async #post(id: string, events: Line[]): Promise<void> {
    const world = this.#world;
    if (!world) return;
    const pace = this.#random.fork(`pace ${id}`);
    const { status, text } = await insist(() =>
      attempt(world, {
        events,
        headers: { 'idempotency-key': id },
        ndjson: { pause_ms: () => pace.between(0, 15) },
      }),
    );
    if (status !== 200 || text.includes('"error"')) this.faults.push(`reply to ${id}: ${status} ${text}`);
  }
}
