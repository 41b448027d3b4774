import { BOT } from './identity.ts';
import type { AttachmentView } from './server-frames.ts';

/** What an upstream receives: the body of the webhook (P-UP-2), but for attachment urls, which are signed anew when it is sent. */
export interface Delivery {
  type: 'message' | 'action' | 'answer' | 'cancel' | 'completion';
  tenant: string;
  platform: typeof BOT.platform;
  channel_id: string;
  conversation: string;
  turn: string;
  seq: number;
  message_id: string;
  user_id: string;
  user_name: string;
  avatar: string;
  text: string;
  is_addressed: true;
  attachments: AttachmentView[];
  channel_name: string;
  timestamp: number;
  reply_to_id: string | null;
  extra: Record<string, unknown>;
  /** The OpenAI body, for `completion`. */
  request?: unknown;
}

/** A delivery with the fields that are the same for all. */
export function delivery(
  fields: Pick<
    Delivery,
    | 'type'
    | 'tenant'
    | 'channel_id'
    | 'conversation'
    | 'turn'
    | 'seq'
    | 'message_id'
    | 'user_id'
    | 'user_name'
    | 'avatar'
    | 'text'
    | 'timestamp'
  > &
    Partial<Delivery>,
): Delivery {
  return {
    platform: BOT.platform,
    is_addressed: true,
    attachments: [],
    channel_name: BOT.platform,
    reply_to_id: null,
    extra: {},
    ...fields,
  };
}
