import type { UpstreamBody } from '../config.ts';
import type { Delivery } from '../protocol/delivery.ts';

/** How a delivery is written for the upstream: as the contract has it (P-UP-2), or as another system's service expects it. */
export function bodyOf(style: UpstreamBody | undefined, delivery: Delivery): object {
  return style === 'konstruct' ? konstructBody(delivery) : delivery;
}

const NAMELESS = 'Portal User';

/**
 * Konstruct's normalised message, with the two fields that its gateway adds for its workers. What it has no field for is in
 * `context`: the turn to answer to and its channel, the kind of the delivery, and what the client said besides.
 */
function konstructBody(delivery: Delivery): object {
  const { tenant, conversation, user_id, user_name, message_id, text, timestamp, reply_to_id } = delivery;
  const { type, turn, seq, channel_id, attachments, extra, request } = delivery;
  // The client's word for a name counts where the token has none, as the name says nothing of who it is.
  const said =
    typeof extra.display_name === 'string' && extra.display_name !== '' ? extra.display_name : NAMELESS;
  return {
    id: message_id,
    tenant_id: tenant,
    channel: 'web',
    channel_metadata: { portal_user_id: user_id, tenant_id: tenant, conversation_id: conversation },
    sender: { user_id, display_name: user_name === user_id ? said : user_name },
    content: { text },
    timestamp: new Date(timestamp * 1000).toISOString(),
    thread_id: conversation,
    reply_to: reply_to_id,
    context: {
      ...extra,
      ...{ type, turn, seq, channel_id, attachments },
      ...(request === undefined ? {} : { request }),
    },
    conversation_id: conversation,
    portal_user_id: user_id,
  };
}
