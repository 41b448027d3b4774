import type { IngestRequest, IngestResponse } from '../channel/ingest.ts';
import type { IngestTarget } from '../objects/ingest-link.ts';
import type { Outcome } from '../objects/outcome.ts';
import { streamOwner } from '../objects/reply-sinks.ts';
import { StarwireError } from '../protocol/errors.ts';
import { hubName, type Owner, UserId } from '../protocol/identity.ts';
import type { Addressed } from '../protocol/outbound.ts';
import { parse } from '../protocol/parse.ts';
import { type Ctx, use } from './app.ts';

/** An object that holds a channel. */
export interface ChannelTarget extends IngestTarget {
  ingest(request: IngestRequest): Promise<Outcome<IngestResponse>>;
}

/** Where the events of one channel go. */
export interface Target {
  /** The same for the same channel. */
  name: string;
  stub: () => ChannelTarget;
  /** Whose the files in them are. Throws `not_found` where there is no such channel. */
  owner: () => Owner | Promise<Owner>;
}

/** Throws `not_found` for a request id that is not ours, before any object is touched. */
export function targetOf(c: Ctx, { tenant, channel }: Pick<Addressed, 'tenant' | 'channel'>): Target {
  if (channel.kind === 'webchat') {
    const user = parse(UserId, channel.id, 'user');
    const name = hubName(tenant, user);
    return {
      name: `webchat ${name}`,
      stub: () => c.env.USER_HUB.getByName(name),
      owner: () => ({ tenant, user }),
    };
  }
  if (!use(c).seal.isOurs('req', channel.id))
    throw new StarwireError('not_found', 'there is no such channel', { field: 'channel' });
  return {
    name: `sse ${channel.id}`,
    stub: () => c.env.REQUEST_STREAM.getByName(channel.id),
    owner: () => streamOwner(c.env, channel.id),
  };
}
