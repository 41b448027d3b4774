import type { Call } from '../channel/outbox.ts';
import type { Delivery } from '../protocol/delivery.ts';
import type { StoredUpstream } from '../records/tenants.ts';

/** Whose turn it is, and where its channel lives. */
export interface Owner {
  tenant: string;
  user: string;
  turn: string;
  /** `hub`: in the user's hub, this object only calls the upstream. `here`: this is the channel `sse:{turn}`. */
  channel: 'hub' | 'here';
  /** P-OA-6: the turn goes on though its client has gone. */
  detach?: boolean;
  /** Of the request that made it (P-OA-7): the hash of its body. */
  body?: string;
  seen?: Omit<StreamFacts, 'message'>;
  /** Of the delivery that began it, as a later `cancel` repeats it; of a turn that the upstream opened, its conversation alone. */
  about: Pick<Delivery, 'conversation'> &
    Partial<Pick<Delivery, 'message_id' | 'seq' | 'user_name' | 'avatar'>>;
  /** The tenant's own upstream as it stood when the turn began, its secrets sealed; without one, that of the variables. */
  upstream?: StoredUpstream;
  /** Unix ms: when it may be forgotten. */
  forget_at: number;
}

/** A hub's call about one of its turns. */
export interface HubCall {
  tenant: string;
  user: string;
  turn: string;
  conversation: string;
  call: Call;
}

/** A `/v1` request that is to become a channel with one turn. */
export interface OpenRequest {
  tenant: string;
  user: string;
  user_name: string;
  avatar: string;
  request_id: string;
  detach: boolean;
  /** The hash of the body. */
  body: string;
  model: string;
  include_usage: boolean;
}

/** What a reader of a `/v1` stream needs to know of it. */
export interface StreamFacts {
  model: string;
  include_usage: boolean;
  /** Unix seconds. */
  created: number;
  /** The id of the reply. */
  message: string;
}
