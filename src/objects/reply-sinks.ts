import type { ChannelEvent } from '../channel/events.ts';
import type { IngestRequest } from '../channel/ingest.ts';
import { contextOf, type Env } from '../env.ts';
import { type ErrorBody, StarwireError } from '../protocol/errors.ts';
import { hubName, type Owner, UserId } from '../protocol/identity.ts';
import { log } from '../protocol/log.ts';
import type { OutboundEvent } from '../protocol/outbound.ts';
import { parse } from '../protocol/parse.ts';
import type { TurnStatus } from '../protocol/server-frames.ts';
import { stored } from '../records/store-event.ts';
import type { ReplySink } from '../upstream/run.ts';
import type { Address } from '../upstream/upstream.ts';
import type { ChannelHost } from './channel-host.ts';
import { IngestLink, type IngestTarget } from './ingest-link.ts';
import { StorePolicy } from './store-policy.ts';

type Refused = (error: ErrorBody) => void;
type StoreEvent = (event: OutboundEvent) => Promise<ChannelEvent>;

/** Whose turn is replied to, and where its channel lives. */
interface ReplyOwner {
  tenant: string;
  user: string;
  turn: string;
  channel: 'hub' | 'here';
  about: { conversation: string };
}

/**
 * Where the events of one reply go: the turn's channel, and those that name another one go there, as if they had been posted
 * (P-UP-3). Under the same name each event counts once, by its place in the reply: should an object be reset in between, the
 * same reply to the same delivery repeats nothing.
 */
export function replySink(env: Env, owner: ReplyOwner, host: ChannelHost, name: string): ReplySink {
  const context = contextOf(env);
  const storeFor =
    (whose: () => Owner | Promise<Owner>): StoreEvent =>
    (event) =>
      stored(context, whose, event);
  const hub = ({ tenant, user }: { tenant: string; user: string }) =>
    env.USER_HUB.getByName(hubName(tenant, user));

  const { tenant, user, turn } = owner;
  // Nobody waits for the results of a reply: what is refused of it is in the log.
  const refused = ({ code, message }: ErrorBody): void =>
    log('warn', 'event of a reply refused', { tenant, user, turn, code, message });
  const key = `~run ${name}`;
  const store: StoreEvent = (event) => storeFor(() => owner)(placed(event, owner));
  const own =
    owner.channel === 'here'
      ? ownSink(host, turn, key, store, refused)
      : linkSink(() => hub(owner), key, store, refused, turn);

  return routedSink(
    own,
    ({ tenant, channel: { kind, id } }) => {
      const to = { tenant, user: id };
      const reply = `${key} ${turn}`;
      if (kind === 'webchat') {
        parse(UserId, id, 'channel');
        const store = storeFor(() => to);
        return linkSink(() => hub(to), reply, store, refused);
      }
      if (!context.seal.isOurs('req', id))
        throw new StarwireError('not_found', 'there is no such channel', { field: 'channel' });
      let known: Promise<Owner> | undefined;
      const store: StoreEvent = async (event) => {
        // An id alone opens nobody's stream: it is looked up under the tenant that the event names.
        known ??= streamOwner(env, id, tenant);
        const whose = await known;
        return storeFor(() => whose)(event);
      };
      return linkSink(() => env.REQUEST_STREAM.getByName(id), reply, store, refused);
    },
    refused,
  );
}

/** Whose the channel `sse:{id}` is. Throws `not_found` where there is none, or none of `within`, a tenant. */
export async function streamOwner(env: Env, id: string, within?: string): Promise<Owner> {
  const facts = await env.REQUEST_STREAM.getByName(id).facts();
  if (facts?.channel !== 'here' || (within ?? facts.tenant) !== facts.tenant)
    throw new StarwireError('not_found', 'there is no such channel', { field: 'channel' });
  const { tenant, user } = facts;
  return { tenant, user };
}

/** Kinds that belong to a turn: where they name none, it is the delivery's. Others belong to its conversation. */
function placed(event: OutboundEvent, { turn, about: { conversation } }: ReplyOwner): OutboundEvent {
  switch (event.kind) {
    case 'chunk':
    case 'tool':
    case 'done':
    case 'error':
      return { ...event, turn: event.turn ?? turn };
    case 'message':
    case 'file':
    case 'prompt':
      return event.turn === undefined
        ? { ...event, conversation: event.conversation ?? conversation }
        : event;
    case 'typing':
    case 'turn':
      return { ...event, conversation: event.conversation ?? conversation };
    default:
      return event;
  }
}

/** Events into another object's channel. */
function linkSink(
  target: () => IngestTarget,
  key: string,
  store: StoreEvent,
  refused: Refused,
  watch?: string,
): ReplySink {
  const fields = { key, ...(watch === undefined ? {} : { watch }) };
  let first: ErrorBody | undefined;
  const link = new IngestLink(target, fields, (_, { error }) => {
    if (!error) return;
    first ??= error;
    refused(error);
  });
  let n = 0;
  return {
    async push(event) {
      link.push(n++, await store(event));
      link.flush();
      await link.room;
    },
    end: () => link.end(),
    get status() {
      return link.status;
    },
    get refused() {
      return first;
    },
  };
}

/** Events into the object's own channel. */
function ownSink(
  host: ChannelHost,
  turn: string,
  key: string,
  store: StoreEvent,
  refused: Refused,
): ReplySink {
  let first: ErrorBody | undefined;
  let status: TurnStatus | undefined;
  let n = 0;
  const storing = new StorePolicy(() => apply([], false));
  const apply = (events: IngestRequest['events'], end: boolean): void => {
    const request = { key, events, end, store: storing.due, only: turn, watch: turn };
    const response = host.run((channel) => channel.ingest(request));
    storing.told(host.channel.stored);
    for (const { result } of response.results) {
      if (!result.error) continue;
      first ??= result.error;
      refused(result.error);
    }
    status = response.status ?? status;
  };
  return {
    async push(event) {
      apply([{ n: n++, event: await store(event) }], false);
    },
    async end() {
      apply([], true);
    },
    get status() {
      return status;
    },
    get refused() {
      return first;
    },
  };
}

function routedSink(own: ReplySink, open: (to: Address) => ReplySink, refused: Refused): ReplySink {
  const others = new Map<string, ReplySink>();
  const sinkOf = (to: Address): ReplySink => {
    const name = JSON.stringify(to);
    const sink = others.get(name) ?? open(to);
    others.set(name, sink);
    return sink;
  };
  return {
    async push({ to, ...event }) {
      try {
        await (to === undefined ? own : sinkOf(to)).push(event);
      } catch (error) {
        // One bad event never spoils its neighbours (P-UP-8).
        if (!(error instanceof StarwireError) || error.code === 'internal') throw error;
        refused(error.body);
      }
    },
    async end() {
      for (const other of others.values()) await other.end();
      await own.end();
    },
    get status() {
      return own.status;
    },
    get refused() {
      return own.refused;
    },
  };
}
