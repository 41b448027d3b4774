import type { ClientOptions, Clock, OpenTransport, TokenReason } from '../../../src/client/index.ts';
import { StarwireClient } from '../../../src/client/index.ts';
import { DEFAULT_LIMITS, publicLimits } from '../../../src/protocol/limits.ts';
import type { ServerFrame, WelcomeFrame } from '../../../src/protocol/server-frames.ts';

/** Time that moves when told to. */
export class FakeClock implements Clock {
  #now = 1_700_000_000_000;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets `ms` pass; what falls due runs in its order, and promises settle in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settle();
    }
    this.#now = end;
  }
}

/** Everything that waits for promises only has run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
}

/** One socket of the fake server. */
export class FakeSocket {
  readonly url: URL;
  readonly protocols: readonly string[];
  readonly sent: string[] = [];
  closed = false;
  readonly #events: Parameters<OpenTransport>[2];

  constructor(...[url, protocols, events]: Parameters<OpenTransport>) {
    this.url = new URL(url);
    this.protocols = protocols;
    this.#events = events;
  }

  push(...frames: ServerFrame[]): void {
    for (const frame of frames) this.text(JSON.stringify(frame));
  }

  /** The client gave it up. */
  drop(): void {
    this.closed = true;
  }

  text(data: string): void {
    this.#events.text(data);
  }

  close(code = 1006): void {
    this.closed = true;
    this.#events.closed(code);
  }

  /** The frames the client sent, without pings. */
  get frames(): Record<string, unknown>[] {
    return this.sent.filter((text) => text !== 'ping').map((text) => JSON.parse(text));
  }

  of(type: string): Record<string, unknown>[] {
    return this.frames.filter((frame) => frame['type'] === type);
  }

  get pings(): number {
    return this.sent.filter((text) => text === 'ping').length;
  }
}

export const EPOCH = 'e1';

export function welcome(seq: number, resumed = false, epoch = EPOCH): WelcomeFrame {
  return {
    type: 'welcome',
    protocol: 1,
    session: 'ses_1',
    epoch,
    seq,
    user: { id: 'ann', name: 'Ann', avatar: '', tenant: 'default' },
    bot: { platform: 'webchat', user_id: 'star', display_name: 'Star', mention: '@Star' },
    resumed,
    heartbeat_s: 25,
    limits: publicLimits(DEFAULT_LIMITS),
  };
}

/** A client with a fake world around it. */
export class World {
  readonly clock = new FakeClock();
  readonly sockets: FakeSocket[] = [];
  readonly asked: TokenReason[] = [];
  readonly stale: string[] = [];
  readonly losses: string[] = [];
  readonly seen: ServerFrame[] = [];
  token: ClientOptions['token'] = () => 'token-1';
  online = true;
  random = 1;
  readonly client: StarwireClient;
  #changes: { back(): void; gone(): void } | undefined;

  constructor(options: Partial<ClientOptions> = {}) {
    let ids = 0;
    this.client = new StarwireClient({
      url: 'wss://chat.example/ws',
      token: (reason) => {
        this.asked.push(reason);
        return this.token(reason);
      },
      open: (...args) => {
        const socket = new FakeSocket(...args);
        this.sockets.push(socket);
        return { send: (text) => void socket.sent.push(text), close: () => socket.drop() };
      },
      clock: this.clock,
      random: () => this.random,
      newId: () => `c${++ids}`,
      surroundings: {
        online: () => this.online,
        watch: (changes) => {
          this.#changes = changes;
          return () => {
            this.#changes = undefined;
          };
        },
      },
      ...options,
    });
    this.client.on('stale', ({ reason }) => this.stale.push(reason));
    this.client.on('loss', ({ what }) => this.losses.push(what));
    this.client.on('frame', (frame) => this.seen.push(frame));
  }

  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (!last) throw new Error('the client has not connected');
    return last;
  }

  back(): void {
    this.#changes?.back();
  }

  gone(): void {
    this.#changes?.gone();
  }

  /** Starts and goes live on a journal that ends at `seq`. */
  async live(seq = 0): Promise<FakeSocket> {
    this.client.start();
    await settle();
    this.socket.push(welcome(seq), { type: 'ready', seq });
    return this.socket;
  }

  /** Drops the connection and waits for the next attempt. */
  async drop(code = 1006, ms = 60_000): Promise<FakeSocket> {
    const before = this.sockets.length;
    this.socket.close(code);
    for (let passed = 0; this.sockets.length === before && passed < ms; passed += 100)
      await this.clock.pass(100);
    return this.socket;
  }
}

/** An unsigned token that ends `seconds` after `clock` shows now. */
export function tokenUntil(clock: Clock, seconds: number, name = 'a'): string {
  const claims = btoa(JSON.stringify({ sub: 'ann', exp: Math.floor(clock.now() / 1000) + seconds, name }));
  return `e30.${claims.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}.x`;
}
