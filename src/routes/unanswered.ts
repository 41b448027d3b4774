import type { Command } from '../protocol/client-frames.ts';
import { StarwireError } from '../protocol/errors.ts';
import { type ErrorFrame, isTerminal, type ServerFrame } from '../protocol/server-frames.ts';

/** A command at whose arrival the object broke down so often is not sent again. */
const TRIES = 3;

interface Sent {
  command: Command;
  times: number;
}

/** Commands that a relay's object has not answered yet: after a reset they are sent again, and count once (P-WS-5). */
export class Unanswered {
  /** By `client_id`; their answer is the `ack`, or an `error` that names it. */
  readonly #sends = new Map<string, Sent>();
  /** By turn; their answer is its end, or an `error` that names nothing. */
  readonly #cancels = new Map<string, Sent>();

  get none(): boolean {
    return this.#sends.size === 0 && this.#cancels.size === 0;
  }

  /** Remembers a command, where it is of a kind that is answered; the others come again or do not matter. */
  add(command: Command): void {
    if ('client_id' in command) this.#sends.set(command.client_id, { command, times: 0 });
    else if (command.type === 'cancel') this.#cancels.set(command.turn, { command, times: 0 });
  }

  /** A frame came; perhaps it answers something. */
  see(frame: ServerFrame): void {
    switch (frame.type) {
      case 'ack':
        this.#sends.delete(frame.client_id);
        return;
      case 'error':
        if (frame.client_id === undefined) this.#cancels.clear();
        else this.#sends.delete(frame.client_id);
        return;
      case 'turn':
        if (isTerminal(frame.status)) this.#cancels.delete(frame.turn);
    }
  }

  /** Sends all of it, to a new connection; returns the refusals of those that are given up. */
  send(write: (command: Command) => void): ErrorFrame[] {
    const refusals: ErrorFrame[] = [];
    for (const known of [this.#sends, this.#cancels]) {
      for (const [key, sent] of known) {
        sent.times += 1;
        if (sent.times <= TRIES) write(sent.command);
        else {
          known.delete(key);
          refusals.push(givenUp(sent.command));
        }
      }
    }
    return refusals;
  }
}

function givenUp(command: Command): ErrorFrame {
  const { body } = new StarwireError('internal', 'something went wrong on our side');
  return {
    type: 'error',
    ...body,
    ...('client_id' in command ? { client_id: command.client_id } : {}),
  };
}
