import type { Dialect, Door, Down, Ending, Step } from '../dialects/dialect.ts';
import { OpenQuestions } from '../dialects/open-questions.ts';
import { CLOSE, StarwireError } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import type { Limits } from '../protocol/limits.ts';
import { log } from '../protocol/log.ts';
import type { ServerFrame } from '../protocol/server-frames.ts';
import { exceedsBytes } from '../protocol/text.ts';
import type { Relay } from './relay.ts';

/** What an interpreter is given: everything that is not its own thought. */
export interface Wiring {
  door: Door;
  limits: Limits;
  /** The token of the handshake. */
  token: string | undefined;
  verify: (token: string) => Promise<Identity>;
  relay: (who: Identity) => Relay;
  newId: () => string;
}

/** Frames that a client may send before it is known who it is, and their characters. */
const WAITING_FRAMES = 32;
const WAITING_CHARS = 524_288;
/** How long what a client said last may take to arrive after it has gone. */
const FAREWELL_MS = 5_000;

/**
 * Stands between a client's socket and the channel of its user, and speaks the client's dialect: the Worker holds the socket
 * until it knows who it is, then relays, one side in native frames (P-DI-1, P-DI-2).
 */
export class Interpreter<S> {
  readonly #socket: WebSocket;
  readonly #dialect: Dialect<S>;
  readonly #wiring: Wiring;
  #open = true;
  #left: Ending | undefined;
  /** Frames that came before there was a state. */
  readonly #waiting: string[] = [];
  #wake = Promise.withResolvers<void>();
  #live: { state: S; relay: Relay } | undefined;
  /** Unix ms of bad frames within the last minute. */
  #bad: number[] = [];

  constructor(socket: WebSocket, dialect: Dialect<S>, wiring: Wiring) {
    this.#socket = socket;
    this.#dialect = dialect;
    this.#wiring = wiring;
    socket.addEventListener('message', ({ data }) => this.#take(data));
    socket.addEventListener('close', ({ code, reason }) => this.#leave({ code, reason }));
    socket.addEventListener('error', () => this.#leave({ code: 1006, reason: '' }));
  }

  /** Resolves when both sides are closed. */
  async run(): Promise<void> {
    try {
      const who = await this.#identify();
      if (who) await this.#converse(this.#dialect.open(this.#wiring.door, who), this.#wiring.relay(who));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The verified user; undefined where the client has gone before. Throws `unauthorized` or `token_expired`. */
  async #identify(): Promise<Identity | undefined> {
    const { token: shown, verify, limits } = this.#wiring;
    const first = this.#dialect.hello ? await this.#first(limits.first_frame_ms) : '';
    if (first === undefined) return undefined;
    const { token = shown, claims } = this.#dialect.hello?.(first) ?? { claims: {} };
    if (token === undefined) throw new StarwireError('unauthorized', 'a user token is missing');
    const who = await verify(token);
    if ((claims.user ?? who.user) !== who.user || (claims.tenant ?? who.tenant) !== who.tenant)
      throw new StarwireError('unauthorized', 'the token belongs to somebody else');
    return who;
  }

  async #first(within_ms: number): Promise<string | undefined> {
    const timer = setTimeout(() => this.#wake.resolve(), within_ms);
    await this.#wake.promise;
    clearTimeout(timer);
    const first = this.#waiting.shift();
    if (first === undefined && !this.#left) throw new StarwireError('unauthorized', 'no first frame came');
    return first;
  }

  async #converse(state: S, relay: Relay): Promise<void> {
    this.#live = { state, relay };
    for (const text of this.#waiting.splice(0)) this.#receive(text);
    if (this.#left) this.#farewell(this.#left);
    const questions = new OpenQuestions();
    for await (const { frame } of relay.frames()) {
      for (const one of questions.pass(frame)) this.#say(one);
      if (!this.#open && relay.idle) break;
    }
    this.#close(relay.ending);
  }

  #take(data: unknown): void {
    if (!this.#open) return;
    if (typeof data !== 'string')
      return this.#end({ code: CLOSE.unsupported, reason: 'binary frames are not supported' });
    if (exceedsBytes(data, this.#wiring.limits.frame_bytes))
      return this.#end({ code: CLOSE.too_large, reason: 'the frame is too large' });
    if (this.#live) return this.#receive(data);
    const chars = this.#waiting.reduce((sum, { length }) => sum + length, data.length);
    if (this.#waiting.length >= WAITING_FRAMES || chars > WAITING_CHARS)
      return this.#end({ code: CLOSE.policy, reason: 'too many frames' });
    this.#waiting.push(data);
    this.#wake.resolve();
  }

  #receive(text: string): void {
    const { limits, newId } = this.#wiring;
    try {
      this.#step((state) => this.#dialect.up(state, text, newId()));
    } catch (error) {
      if (!(error instanceof StarwireError)) throw error;
      this.#say({ type: 'error', ...error.body });
      const now = Date.now();
      this.#bad = [...this.#bad.filter((at) => at > now - 60_000), now];
      if (this.#bad.length >= limits.bad_frames_per_minute)
        this.#end({ code: CLOSE.policy, reason: 'too many bad frames' });
    }
  }

  #say(frame: ServerFrame): void {
    this.#step((state) => this.#dialect.down(state, frame));
  }

  #step(take: (state: S) => Step<S>): void {
    if (!this.#live) return;
    const { state, commands = [], frames = [], close } = take(this.#live.state);
    this.#live.state = state;
    for (const frame of frames) this.#write(frame);
    for (const command of commands) this.#live.relay.send(command);
    if (close) this.#end(close);
  }

  #write(frame: Down): void {
    if (!this.#open) return;
    try {
      this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    } catch {
      return this.#leave({ code: 1006, reason: '' });
    }
    // Runtimes of 2026-11-17 and later tell (P-WS-14).
    const held: unknown = Reflect.get(this.#socket, 'bufferedAmount');
    if (typeof held === 'number' && held > this.#wiring.limits.unseen_bytes)
      this.#end({ code: CLOSE.slow_consumer, reason: 'slow consumer' });
  }

  /** The client has closed its side. */
  #leave(how: Ending): void {
    if (this.#left || !this.#open) return;
    this.#left = how;
    this.#close({ code: CLOSE.normal, reason: '' });
    this.#wake.resolve();
    this.#farewell(how);
  }

  /** What a client said last still arrives, though it has gone. */
  #farewell(how: Ending): void {
    if (!this.#live) return;
    const { state, relay } = this.#live;
    for (const command of this.#dialect.left?.(state, how) ?? []) relay.send(command);
    if (relay.idle) relay.close();
    else setTimeout(() => relay.close(), FAREWELL_MS);
  }

  /** This side ends the connection. */
  #end(how: Ending): void {
    this.#close(how);
    this.#wake.resolve();
    this.#live?.relay.close();
  }

  #close({ code, reason }: Ending): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.#socket.close(code, reason);
    } catch {
      // The client had already gone.
    }
  }

  #fail(error: unknown): void {
    const { body } =
      error instanceof StarwireError
        ? error
        : new StarwireError('internal', 'something went wrong on our side');
    if (!(error instanceof StarwireError))
      log('error', 'a connection failed', { dialect: this.#dialect.name, error });
    // An outage of ours must not sign anybody out: the client comes again.
    if (body.code === 'internal') return this.#close({ code: CLOSE.restart, reason: 'restart' });
    const { frames, close } = this.#dialect.denied(body);
    for (const frame of frames) this.#write(frame);
    this.#close(close);
  }
}
