import { contextOf, type Env } from '../env.ts';
import type { HistoryPage } from '../protocol/history.ts';
import { hubName } from '../protocol/identity.ts';
import type { RunPorts, RunRecord } from '../upstream/run.ts';
import { attachedFiles } from './attached-files.ts';
import type { ChannelHost } from './channel-host.ts';
import { replySink } from './reply-sinks.ts';
import type { Owner } from './request-types.ts';
import type { TurnUpstream } from './turn-upstream.ts';

/** The object of a turn: `owner` and `host` as they are when they are asked for. */
export interface TurnObject {
  env: Env;
  kv: SyncKvStorage;
  upstream: TurnUpstream;
  /** Throws `not_found` where no turn has begun. */
  owner(): Owner;
  host(): ChannelHost;
}

/** What the run of a turn needs: storage of its object, the upstream, and the channel, which is in a hub or in the object itself. */
export function turnPorts({ env, kv, upstream, owner, host }: TurnObject): RunPorts {
  const hub = () => {
    const { tenant, user } = owner();
    return env.USER_HUB.getByName(hubName(tenant, user));
  };
  return {
    load: () => kv.get<RunRecord>('run'),
    save: (record) => kv.put('run', record),
    now: () => Date.now(),
    call: upstream.call,
    // Whose upstream it is, is not known before the turn has begun.
    get repeatable() {
      return upstream.repeatable;
    },
    async history(conversation, limit) {
      // A `/v1` request brings what was said before.
      if (owner().channel === 'here') return [];
      const page: HistoryPage = JSON.parse(await hub().history(conversation, undefined, limit));
      return page.messages;
    },
    attachments: (delivery) => attachedFiles(contextOf(env).files, delivery),
    sink: (name) => replySink(env, owner(), host(), name),
    async attempted(accepted) {
      const { channel: where, turn } = owner();
      if (where === 'hub') return hub().attempted(turn, accepted);
      return host().run((channel) => {
        channel.attempted(turn, accepted);
        return channel.turn(turn)?.status;
      });
    },
  };
}
