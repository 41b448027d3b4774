import type { EventSourceMessage } from 'eventsource-parser';
import type { ServerFrame } from '../../src/protocol/server-frames.ts';
import type { FrameOf } from './client.ts';
import { begin, Sse } from './sse.ts';

export interface SentEvent {
  event: string | undefined;
  id: string | undefined;
  frame: ServerFrame;
}

/** A reader of `GET /api/events`, as an `EventSource` is one. */
export class Events extends Sse<SentEvent> {
  static async open(
    origin: string,
    token: string,
    { last, cursor }: { last?: string | undefined; cursor?: string } = {},
  ): Promise<Events> {
    const url = `${origin}/api/events${cursor === undefined ? '' : `?cursor=${cursor}`}`;
    return new Events(await begin(url, { authorization: `Bearer ${token}` }, last));
  }

  protected read({ event, id, data }: EventSourceMessage): SentEvent {
    return { event, id, frame: JSON.parse(data) };
  }

  get frames(): ServerFrame[] {
    return this.events.map(({ frame }) => frame);
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
}
