import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import type { TypingFrame } from '../protocol/server-frames.ts';
import type { Clock } from './environment.ts';
import { Timers } from './timers.ts';

/** A frame at most this often while somebody types. */
const REPEAT_MS = 4_000;
/** Silence at the keyboard that ends typing. */
const STOP_MS = 6_000;
/** Typing of others that nobody ended is over after this. */
const FORGET_MS = 20_000;

type Send = (frame: { type: 'typing'; active: boolean; conversation: string }) => void;

/** Turns keystrokes into few `typing` frames, per conversation. */
export class OwnTyping {
  readonly #clock: Clock;
  readonly #send: Send;
  readonly #told_at = new Map<string, number>();
  readonly #stop: Timers<string>;

  constructor(clock: Clock, send: Send) {
    this.#clock = clock;
    this.#send = send;
    this.#stop = new Timers(clock);
  }

  set(active: boolean, conversation: string): void {
    if (!active) {
      this.#stop.clear(conversation);
      if (this.#told_at.delete(conversation)) this.#send({ type: 'typing', active: false, conversation });
      return;
    }
    this.#stop.set(conversation, STOP_MS, () => this.set(false, conversation));
    const now = this.#clock.now();
    if (now - (this.#told_at.get(conversation) ?? Number.NEGATIVE_INFINITY) < REPEAT_MS) return;
    this.#told_at.set(conversation, now);
    this.#send({ type: 'typing', active: true, conversation });
  }
}

/** Ends the typing of others where its end got lost. */
export class OthersTyping {
  readonly #timers: Timers<string>;
  readonly #end: (frame: TypingFrame) => void;

  constructor(clock: Clock, end: (frame: TypingFrame) => void) {
    this.#timers = new Timers(clock);
    this.#end = end;
  }

  heard(frame: TypingFrame): void {
    const who = `${frame.conversation ?? DEFAULT_CONVERSATION} ${frame.sender}`;
    if (frame.active) this.#timers.set(who, FORGET_MS, () => this.#end({ ...frame, active: false }));
    else this.#timers.clear(who);
  }
}
