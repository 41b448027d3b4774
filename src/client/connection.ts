import { PING, PONG, SUBPROTOCOL } from '../protocol/client-frames.ts';
import { formatCursor, formatLengths, type Position } from '../protocol/cursor.ts';
import { CLOSE } from '../protocol/errors.ts';
import { backoffMs, isSlow } from './backoff.ts';
import type { Clock, OpenTransport, Surroundings, Transport, Undo } from './environment.ts';
import { Timers } from './timers.ts';
import { CurrentToken, type TokenReason, type TokenSource } from './token.ts';

/** Where the connection stands. `live`: everything has been replayed and what happens is seen as it happens. */
export type Status =
  | { is: 'connecting'; attempt: number }
  | { is: 'live' }
  | { is: 'waiting'; attempt: number /** Unix ms of the next attempt. */; until: number }
  | { is: 'offline'; until: number }
  | { is: 'closed'; reason: 'stopped' | 'unauthorized' | 'forbidden' };

export interface ConnectionOptions {
  /** `wss://host/ws`. */
  url: string;
  token: TokenSource;
  open: OpenTransport;
  clock: Clock;
  random: () => number;
  surroundings: Surroundings;
}

export interface ConnectionEvents {
  status(status: Status): void;
  text(data: string): void;
  /** What to resume from, asked at each attempt. */
  position(): Position;
}

/** From opening to `ready`; a long replay shows life by its frames. */
const SILENCE_MS = 15_000;
/** How long a `pong` may take; shorter where there is reason to doubt. */
const PONG_MS = 10_000;
const DOUBT_MS = 4_000;
/** A connection that lived this long was a good one: the next loss begins with a short wait again. */
const STABLE_MS = 5_000;
/** When whoever gives tokens could not be reached. */
const RENEW_AGAIN_MS = 15_000;

/** What a lost connection is called that said nothing. */
const ABNORMAL = 1006;

/**
 * Keeps one WebSocket alive: connects, waits with growing jittered pauses, notices dead peers, renews the token in
 * place. It knows nothing of what the frames say, apart from what its owner tells it by `welcomed` and `ready`.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  #status: Status = { is: 'closed', reason: 'stopped' };
  #transport: Transport | undefined;
  #attempt = 0;
  /** Changes whenever what was begun before no longer counts. */
  #era = 0;
  readonly #token: CurrentToken;
  /** The server refused a token and has not welcomed one since. */
  #refused = false;
  /** The server asked for a longer pause, which a look at the tab does not end. */
  #patient = false;
  #heartbeat_ms = 25_000;
  #unwatch: Undo | undefined;
  readonly #timers: Timers<'retry' | 'silence' | 'ping' | 'pong' | 'stable' | 'renew'>;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    this.#timers = new Timers(options.clock);
    this.#token = new CurrentToken(options.token, options.clock);
  }

  get status(): Status {
    return this.#status;
  }

  start(): void {
    if (this.#status.is !== 'closed') return;
    this.#attempt = 0;
    this.#refused = false;
    this.#unwatch = this.#options.surroundings.watch({ back: () => this.#back(), gone: () => this.#doubt() });
    void this.#connect('start');
  }

  stop(reason: Extract<Status, { is: 'closed' }>['reason'] = 'stopped'): void {
    if (this.#status.is === 'closed') return;
    this.#drop();
    this.#unwatch?.();
    this.#token.forget();
    this.#set({ is: 'closed', reason });
  }

  /** Gives the connection up and makes a new one: something was lost on it. */
  restart(): void {
    if (this.#status.is === 'closed') return;
    this.#drop();
    this.#wait(ABNORMAL);
  }

  /** Tries at once instead of waiting. */
  retryNow(): void {
    if (this.#status.is === 'waiting' || this.#status.is === 'offline') void this.#connect('start');
  }

  send(frame: object): void {
    this.#transport?.send(JSON.stringify(frame));
  }

  /** The server has answered: its heartbeat is ours. */
  welcomed(heartbeat_s: number): void {
    this.#refused = false;
    if (heartbeat_s > 0) this.#heartbeat_ms = heartbeat_s * 1000;
  }

  /** Replay is over. */
  ready(): void {
    this.#timers.set('stable', STABLE_MS, () => {
      this.#attempt = 0;
    });
    this.#schedulePing();
    this.#set({ is: 'live' });
  }

  async #connect(reason: TokenReason): Promise<void> {
    this.#drop();
    const era = this.#era;
    this.#set({ is: 'connecting', attempt: this.#attempt });
    const token = await this.#tokenFor(reason, era);
    if (token === undefined || era !== this.#era) return;
    this.#alive();
    try {
      this.#transport = this.#options.open(this.#url(), [SUBPROTOCOL, `bearer.${token}`], {
        text: (data) => era === this.#era && this.#text(data),
        closed: (code) => era === this.#era && this.#closed(code),
      });
    } catch {
      this.#closed(ABNORMAL);
      return;
    }
    this.#scheduleRenewal();
  }

  /** Returns undefined where there is none; the status then says what comes next. */
  async #tokenFor(reason: TokenReason, era: number): Promise<string | undefined> {
    try {
      const token = await this.#token.get(reason);
      if (era !== this.#era) return undefined;
      if (token === undefined) this.stop('unauthorized');
      return token;
    } catch {
      // Whoever gives tokens cannot be reached: that passes as any other loss.
      if (era === this.#era) this.#wait(ABNORMAL);
      return undefined;
    }
  }

  #url(): string {
    const { cursor, turns } = this.#events.position();
    const url = new URL(this.#options.url);
    if (cursor) url.searchParams.set('cursor', formatCursor(cursor));
    if (turns.size > 0) url.searchParams.set('turns', formatLengths(turns));
    url.searchParams.set('batch', '1');
    return url.href;
  }

  #text(data: string): void {
    // Whatever arrives proves that the peer lives.
    this.#timers.clear('pong');
    if (this.#status.is === 'connecting') this.#alive();
    if (data !== PONG) this.#events.text(data);
  }

  #alive(): void {
    this.#timers.set('silence', SILENCE_MS, () => this.restart());
  }

  #closed(code: number): void {
    this.#drop();
    if (code === CLOSE.unauthorized || code === CLOSE.forbidden) {
      // One more chance with another token, then it is for the app to sign in again.
      if (this.#refused) this.stop(code === CLOSE.forbidden ? 'forbidden' : 'unauthorized');
      else this.#again('refused');
      return;
    }
    if (code === CLOSE.token_expired && !this.#refused) {
      this.#again('expired');
      return;
    }
    this.#wait(code);
  }

  #again(reason: TokenReason): void {
    this.#refused = true;
    void this.#connect(reason);
  }

  /** Ends what runs on the present connection, its timers included; nothing of it is heard any more. */
  #drop(): void {
    this.#era += 1;
    this.#timers.clear();
    const transport = this.#transport;
    this.#transport = undefined;
    transport?.close();
  }

  #wait(code: number): void {
    const { clock, random, surroundings } = this.#options;
    this.#patient = isSlow(code);
    const pause_ms = backoffMs(this.#attempt, code, random);
    const until = clock.now() + pause_ms;
    this.#attempt += 1;
    this.#timers.set('retry', pause_ms, () => void this.#connect('start'));
    // Browsers err about being offline (a server on this very machine needs no network), so trying goes on.
    this.#set(
      surroundings.online() ? { is: 'waiting', attempt: this.#attempt, until } : { is: 'offline', until },
    );
  }

  #back(): void {
    if (this.#status.is === 'live') this.#doubt();
    else if (!this.#patient) this.retryNow();
  }

  /** Asks for a sign of life now: after a sleep or a change of network a socket may be dead without knowing. */
  #doubt(): void {
    if (this.#status.is === 'live') this.#ping(DOUBT_MS);
  }

  #schedulePing(): void {
    this.#timers.set('ping', this.#heartbeat_ms, () => this.#ping(PONG_MS));
  }

  #ping(patience_ms: number): void {
    this.#transport?.send(PING);
    this.#schedulePing();
    this.#timers.set('pong', patience_ms, () => this.restart());
  }

  #scheduleRenewal(): void {
    const pause_ms = this.#token.renewInMs();
    if (pause_ms !== undefined) this.#timers.set('renew', pause_ms, () => void this.#renew());
  }

  /** A new token on the open socket. Where there is none, the server's own 4010 comes when it is time. */
  async #renew(): Promise<void> {
    const era = this.#era;
    try {
      const token = await this.#token.get('expiring');
      if (era !== this.#era || token === undefined) return;
      this.send({ type: 'refresh', token });
      this.#scheduleRenewal();
    } catch {
      if (era === this.#era) this.#timers.set('renew', RENEW_AGAIN_MS, () => void this.#renew());
    }
  }

  #set(status: Status): void {
    this.#status = status;
    if (status.is === 'live') this.#timers.clear('silence');
    this.#events.status(status);
  }
}
