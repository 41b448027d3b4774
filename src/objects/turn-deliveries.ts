import type { Call } from '../channel/outbox.ts';
import { type Delivery, delivery } from '../protocol/delivery.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import type { TurnRun } from '../upstream/run.ts';
import type { OpenRequest, Owner } from './request-types.ts';

/** What a later `cancel` repeats of the delivery that began a turn. */
export function aboutOf({ conversation, message_id, seq, user_name, avatar }: Delivery): Owner['about'] {
  return { conversation, message_id, seq, user_name, avatar };
}

function cancellation({ tenant, user, turn, channel, about }: Owner): Delivery {
  return delivery({
    type: 'cancel',
    tenant,
    channel_id: channel === 'hub' ? `webchat:${user}` : `sse:${turn}`,
    turn,
    user_id: user,
    text: '',
    timestamp: Date.now() / 1000,
    ...{ message_id: turn, seq: 0, user_name: user, avatar: '' },
    ...about,
  });
}

/** Of a `/v1` request, without `request` and `text`: both are of its body, which is stored apart. */
export function opening({ tenant, user, user_name, avatar, request_id }: OpenRequest): Delivery {
  return delivery({
    type: 'completion',
    ...{ tenant, user_name, avatar, user_id: user },
    channel_id: `sse:${request_id}`,
    conversation: DEFAULT_CONVERSATION,
    turn: request_id,
    seq: 0,
    message_id: request_id,
    text: '',
    timestamp: Date.now() / 1000,
  });
}

/** Adds what a channel's call asks for to the run of its turn, once. */
export function takeCall(run: TurnRun, owner: Owner, turn: string, call: Call): void {
  switch (call.type) {
    case 'start':
      return run.add(call.delivery, turn);
    case 'deliver':
      return run.add(call.delivery, `${turn}.${call.delivery.type}.${call.delivery.message_id}`);
    case 'register':
      return;
    case 'cancel':
      run.stop();
      return run.add(cancellation(owner), `${turn}.cancel`);
    default:
      return call satisfies never;
  }
}
