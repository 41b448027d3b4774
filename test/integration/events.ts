import { createParser } from 'eventsource-parser';
import { expect } from 'vitest';
import type { ServerFrame } from '../../src/protocol/server-frames.ts';
import type { FrameOf } from './client.ts';
import { Watched } from './watched.ts';

export interface SentEvent {
  event: string | undefined;
  id: string | undefined;
  frame: ServerFrame;
}

/** A reader of `GET /api/events`, as an `EventSource` is one. */
export class Events extends Watched {
  readonly events: SentEvent[] = [];
  readonly comments: string[] = [];
  readonly response: Response;
  readonly #abort: AbortController;

  constructor(response: Response, abort: AbortController) {
    super();
    this.response = response;
    this.#abort = abort;
    void this.#read();
  }

  static async open(
    origin: string,
    token: string,
    { last, cursor }: { last?: string | undefined; cursor?: string } = {},
  ): Promise<Events> {
    const abort = new AbortController();
    const response = await fetch(`${origin}/api/events${cursor === undefined ? '' : `?cursor=${cursor}`}`, {
      headers: { authorization: `Bearer ${token}`, ...(last === undefined ? {} : { 'last-event-id': last }) },
      signal: abort.signal,
    });
    expect(response.status).toBe(200);
    return new Events(response, abort);
  }

  async #read(): Promise<void> {
    const parser = createParser({
      onEvent: ({ event, id, data }) => this.events.push({ event, id, frame: JSON.parse(data) }),
      onComment: (comment) => this.comments.push(comment),
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

  get frames(): ServerFrame[] {
    return this.events.map(({ frame }) => frame);
  }

  /** The id that an `EventSource` would send to go on. */
  get last(): string | undefined {
    return this.events.findLast(({ id }) => id !== undefined)?.id;
  }

  /** All frames of a type that have come. */
  all<T extends ServerFrame['type']>(type: T): FrameOf<T>[] {
    return this.frames.filter((frame): frame is FrameOf<T> => frame.type === type);
  }

  /** The first frame of a type, come or to come, for which `where` holds. */
  frame<T extends ServerFrame['type']>(
    type: T,
    where: (frame: FrameOf<T>) => boolean = () => true,
  ): Promise<FrameOf<T>> {
    return this.until(() => this.all(type).find(where), `${type} ${where}`);
  }

  /** Resolves when the server has ended the stream. */
  get ended(): Promise<string> {
    return this.until(() => this.over, 'the end');
  }

  close(): void {
    this.#abort.abort();
  }

  protected override get tail(): string {
    return this.events
      .slice(-12)
      .map(({ id, frame }) => `${id}: ${JSON.stringify(frame).slice(0, 300)}`)
      .join('\n');
  }
}
