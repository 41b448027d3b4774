import { StarwireError } from './errors.ts';
import { distrust, type Verification } from './signature.ts';

/** What Starwire delivers (P-UP-2), by `type`. */
interface Delivered<T extends string, Extra extends object = Record<string, unknown>> {
  type: T;
  /** `webhook-id`: the same on every attempt. */
  id: string;
  tenant: string;
  platform: 'webchat';
  /** `webchat:{user}` or `sse:{request}`. */
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
  attachments: { id: string; filename: string; mimetype: string; size: number; url: string }[];
  channel_name: string;
  /** Unix seconds. */
  timestamp: number;
  reply_to_id: string | null;
  extra: Extra;
}

/** The body of `POST /v1/chat/completions`, as the client sent it. */
export interface CompletionRequest {
  model?: string;
  messages: { role: string; content?: unknown; [field: string]: unknown }[];
  stream?: boolean;
  [field: string]: unknown;
}

/** The user stopped this turn. */
export type Cancellation = Delivered<'cancel'>;

/** What a bot replies to. */
export type Asked =
  | Delivered<'message'>
  | Delivered<'action', { custom_id: string; message_id: string }>
  | Delivered<'answer', { prompt: string; value: unknown }>
  | (Delivered<'completion'> & { request: CompletionRequest });

export type IncomingMessage = Asked | Cancellation;

const TYPES: ReadonlySet<unknown> = new Set<IncomingMessage['type']>([
  'message',
  'action',
  'answer',
  'cancel',
  'completion',
]);

/** A delivery has at most a `/v1` body and its envelope. */
const MOST_BYTES = 4_194_304;

/**
 * Reads a delivery and checks that it is Starwire's. Throws `StarwireError` `unauthorized` where it is not, `bad_request`
 * or `too_large` where it cannot be read.
 */
export async function verifyWebhook(request: Request, how: Verification): Promise<IncomingMessage> {
  const body = await textOf(request);
  const why = await distrust(request.headers, body, how);
  if (why !== undefined)
    throw new StarwireError('unauthorized', `the delivery cannot be trusted: ${why}`, { status: 401 });
  const fields = parsed(body);
  if (!isIncoming(fields)) throw unreadable('its "type" is not known');
  return { ...fields, id: request.headers.get('webhook-id') ?? '' };
}

/** Signed by Starwire: what its type promises, it has. */
function isIncoming(value: unknown): value is IncomingMessage {
  return typeof value === 'object' && value !== null && 'type' in value && TYPES.has(value.type);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw unreadable('it is not JSON');
  }
}

function unreadable(why: string): StarwireError {
  return new StarwireError('bad_request', `the delivery cannot be read: ${why}`, { status: 400 });
}

/** Anybody may send anything: no more is read than a delivery can have. */
async function textOf({ body }: Request): Promise<string> {
  const decoder = new TextDecoder();
  const reader = body?.getReader();
  let size = 0;
  let text = '';
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > MOST_BYTES) {
      await reader?.cancel();
      throw new StarwireError('too_large', 'the delivery is too large', { status: 413 });
    }
    text += decoder.decode(value, { stream: true });
  }
}
