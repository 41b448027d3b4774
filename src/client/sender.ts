import type { ErrorFrame, ServerFrame } from '../protocol/server-frames.ts';
import { backoffMs } from './backoff.ts';
import type { Clock, Undo } from './environment.ts';
import type { Outbox, Send } from './outbox.ts';
import type { SendError } from './state.ts';

/** Refusals that may pass are tried again this often. */
const TRIES = 5;

export interface SenderOptions {
  outbox: Outbox;
  clock: Clock;
  random: () => number;
  send(frame: Send): void;
  refused(client_id: string, error: SendError): void;
}

/** Brings what is in the outbox to the server: in order, again after every reconnect, and until it is answered. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #sent = new Set<string>();
  readonly #tries = new Map<string, number>();
  #live = false;
  #frame_bytes = Number.POSITIVE_INFINITY;
  #pause: Undo | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Replay is over: what of it was ours has been taken out of the outbox, the rest goes (again). */
  connected(): void {
    this.#live = true;
    this.#sent.clear();
    this.flush();
  }

  disconnected(): void {
    this.#live = false;
    this.#pause?.();
    this.#pause = undefined;
  }

  /** The largest frame the server takes (P-WS-13); sending a larger one would cost the connection each time. */
  limit(frame_bytes: number): void {
    this.#frame_bytes = frame_bytes;
  }

  flush(): void {
    if (!this.#live || this.#pause) return;
    for (const send of this.#options.outbox.waiting) {
      if (this.#sent.has(send.client_id)) continue;
      if (new TextEncoder().encode(JSON.stringify(send)).byteLength > this.#frame_bytes) {
        this.#refuse(send.client_id, { code: 'too_large', message: 'This message is too long to be sent.' });
        continue;
      }
      this.#sent.add(send.client_id);
      this.#options.send(send);
    }
  }

  /** Looks for the answer to a send: `ack`, its `message` in a replay, or a refusal. */
  heard(frame: ServerFrame): void {
    if (frame.type === 'ack' || (frame.type === 'message' && frame.client_id !== undefined)) {
      this.#settle(frame.client_id ?? '');
    } else if (frame.type === 'error' && frame.client_id !== undefined) {
      this.#error(frame.client_id, frame);
    }
  }

  #settle(client_id: string): void {
    this.#sent.delete(client_id);
    this.#tries.delete(client_id);
    this.#options.outbox.remove(client_id);
  }

  #error(client_id: string, { code, message, retryable, retry_after }: ErrorFrame): void {
    if (!this.#options.outbox.get(client_id)) return;
    const tries = (this.#tries.get(client_id) ?? 0) + 1;
    // An expired token is renewed, and then the send is as good as it was.
    if (retryable && (tries < TRIES || code === 'token_expired')) {
      this.#tries.set(client_id, tries);
      this.#sent.delete(client_id);
      this.#pauseFor(Math.max((retry_after ?? 0) * 1000, backoffMs(tries, 0, this.#options.random)));
      return;
    }
    this.#refuse(client_id, { code, message });
  }

  #pauseFor(ms: number): void {
    this.#pause ??= this.#options.clock.after(ms, () => {
      this.#pause = undefined;
      this.flush();
    });
  }

  #refuse(client_id: string, error: SendError): void {
    const entry = this.#options.outbox.get(client_id);
    this.#settle(client_id);
    // Messages stay, to be retried or discarded by their author; presses and answers are made anew.
    if (entry?.send.type === 'message') this.#options.outbox.put({ ...entry, refused: error });
    this.#options.refused(client_id, error);
  }
}
