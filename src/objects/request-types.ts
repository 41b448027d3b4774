import type { Call } from '../channel/outbox.ts';
import type { Delivery } from '../protocol/delivery.ts';

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
  /** Of the delivery that began it, as a later `cancel` repeats it. */
  about?: Pick<Delivery, 'conversation' | 'message_id' | 'seq' | 'user_name' | 'avatar'>;
  /** Unix ms: when it may be forgotten. */
  forget_at: number;
}

/** A hub's call about one of its turns. */
export interface HubCall {
  tenant: string;
  user: string;
  turn: string;
  call: Call;
}

/** A `/v1` request that is to become a channel with one turn. */
export interface OpenRequest {
  tenant: string;
  user: string;
  user_name: string;
  avatar: string;
  request_id: string;
  /** The OpenAI body. */
  request: unknown;
  /** Of the last user message. */
  text: string;
  detach: boolean;
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
