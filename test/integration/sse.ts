import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { expect } from 'vitest';
import { Watched } from './watched.ts';

/** A stream that the server has begun, and the means to leave it. */
export interface Begun {
  response: Response;
  abort: AbortController;
}

/** Asks for a stream; `last` is sent as an `EventSource` does that connects again. */
export async function begin(
  url: URL | string,
  headers: Record<string, string>,
  last: string | undefined,
): Promise<Begun> {
  const abort = new AbortController();
  const response = await fetch(url, {
    headers: { ...headers, ...(last === undefined ? {} : { 'last-event-id': last }) },
    signal: abort.signal,
  });
  expect(response.status).toBe(200);
  return { response, abort };
}

/** One connection that takes in server-sent events. */
export abstract class Sse<E extends { id: string | undefined }> extends Watched {
  readonly events: E[] = [];
  readonly comments: string[] = [];
  readonly response: Response;
  readonly #abort: AbortController;

  constructor({ response, abort }: Begun) {
    super();
    this.response = response;
    this.#abort = abort;
    void this.#read();
  }

  /** An event as it was written. */
  protected abstract read(message: EventSourceMessage): E;

  async #read(): Promise<void> {
    const parser = createParser({
      onEvent: (message) => this.events.push(this.read(message)),
      onComment: (comment) => this.comments.push(comment.trim()),
    });
    const decoder = new TextDecoder();
    try {
      for await (const bytes of this.response.body ?? []) {
        parser.feed(decoder.decode(bytes, { stream: true }));
        this.wake();
      }
      this.over = 'ended';
    } catch {
      this.over = 'broke off';
    }
    this.wake();
  }

  /** The id that an `EventSource` would send to go on. */
  get last(): string | undefined {
    return this.events.findLast(({ id }) => id !== undefined)?.id;
  }

  /** How it has ended, once it has. */
  get how(): string | undefined {
    return this.over;
  }

  /** Resolves when it has ended; how. */
  get ended(): Promise<string> {
    return this.until(() => this.over, 'the end');
  }

  close(): void {
    this.#abort.abort();
  }

  protected override get tail(): string {
    return this.events
      .slice(-12)
      .map((event) => JSON.stringify(event).slice(0, 300))
      .join('\n');
  }
}
