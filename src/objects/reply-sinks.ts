import type { ChannelEvent } from '../channel/events.ts';
import type { TurnStatus } from '../protocol/server-frames.ts';
import type { ReplySink } from '../upstream/run.ts';
import type { ReplyEvent } from '../upstream/upstream.ts';
import type { ChannelHost } from './channel-host.ts';
import { IngestLink, type IngestTarget } from './ingest-link.ts';

type StoreEvent = (event: ReplyEvent) => Promise<ChannelEvent>;

/** Kinds that belong to a turn: where they name none, it is the delivery's. */
function turned(event: ReplyEvent, turn: string): ReplyEvent {
  switch (event.kind) {
    case 'chunk':
    case 'tool':
    case 'done':
    case 'error':
      return { ...event, turn: event.turn ?? turn };
    default:
      return event;
  }
}

/** A reply into a user's hub. `key` makes each event count once, should the hub be reset in between. */
export function hubSink(hub: IngestTarget, turn: string, key: string, store: StoreEvent): ReplySink {
  const link = new IngestLink(hub, { key, watch: turn }, () => undefined);
  let n = 0;
  return {
    async push(event) {
      await link.push(n++, await store(turned(event, turn)));
    },
    end: () => link.end(),
    get status() {
      return link.status;
    },
  };
}

/** A reply into the object's own channel. */
export function ownSink(host: ChannelHost, turn: string, store: StoreEvent): ReplySink {
  let status: TurnStatus | undefined;
  const apply = (events: ChannelEvent[], end: boolean): void => {
    const request = { events: events.map((event, n) => ({ n, event })), end, only: turn, watch: turn };
    status = host.run((channel) => channel.ingest(request)).status ?? status;
  };
  return {
    async push(event) {
      apply([await store(turned(event, turn))], false);
    },
    async end() {
      apply([], true);
    },
    get status() {
      return status;
    },
  };
}
