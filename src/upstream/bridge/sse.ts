import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { reads } from '../../protocol/reads.ts';

/** Characters of one event's data. */
const EVENT_CHARS = 8_388_608;

/** An SSE stream grew beyond what one event may have. */
export class EventTooLarge extends Error {}

/**
 * The events of an SSE body as they come together (P-BR-2): however its bytes are cut, whatever its line ends. An event that was not ended by an
 * empty line before the stream was is given too: servers of this API do leave the last one open.
 */
export async function* sseEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<EventSourceMessage[]> {
  let ready: EventSourceMessage[] = [];
  let pending = 0;
  const parser = createParser({ onEvent: (event) => ready.push(event) });
  const decoder = new TextDecoder();
  const feed = (text: string): void => {
    pending += text.length;
    parser.feed(text);
    if (ready.length > 0) pending = 0;
    else if (pending > EVENT_CHARS) throw new EventTooLarge();
  };
  for await (const bytes of reads(body)) {
    feed(decoder.decode(bytes, { stream: true }));
    const events = ready;
    ready = [];
    if (events.length > 0) yield events;
  }
  feed(`${decoder.decode()}\n\n`);
  yield ready;
}
