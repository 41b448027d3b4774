import * as v from 'valibot';
import { ConversationId, RefId } from './ids.ts';

/** What a client sends on the native socket, and over HTTP with the same fields (PROTOCOL.md, section 2). */

const ClientId = v.pipe(
  v.string(),
  v.minLength(1, 'is empty'),
  v.maxLength(64, 'has more than 64 characters'),
  // In storage two different lone halves are one and the same.
  v.check((id) => id.isWellFormed(), 'has a lone surrogate'),
);

/** UTF-16 code units of `extra` as JSON. */
const EXTRA_CHARS = 4_096;

/** A field of our own beside the contract's: where it is no object, it is one of the unknown ones, and ignored. */
const Extra = v.pipe(
  v.unknown(),
  v.transform((extra) => (isRecord(extra) ? extra : undefined)),
  v.check(
    (extra) => extra === undefined || JSON.stringify(extra).length <= EXTRA_CHARS,
    `has more than ${EXTRA_CHARS} characters as JSON`,
  ),
);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const MessageCommand = v.object({
  type: v.optional(v.literal('message'), 'message'),
  client_id: ClientId,
  text: v.string(),
  conversation: v.optional(ConversationId),
  attachments: v.optional(v.array(v.object({ id: RefId }))),
  reply_to: v.optional(RefId),
  /** What else a client says to its upstream, which gets it as the delivery's `extra`. */
  extra: v.optional(Extra),
});

export const ActionCommand = v.object({
  type: v.optional(v.literal('action'), 'action'),
  client_id: ClientId,
  message: RefId,
  custom_id: v.pipe(v.string(), v.minLength(1, 'is empty'), v.maxLength(256, 'has more than 256 characters')),
});

export const AnswerCommand = v.object({
  type: v.optional(v.literal('answer'), 'answer'),
  client_id: ClientId,
  prompt: RefId,
  value: v.unknown(),
});

export const CancelCommand = v.object({ type: v.optional(v.literal('cancel'), 'cancel'), turn: RefId });

const TypingFrame = v.object({
  type: v.literal('typing'),
  active: v.boolean(),
  conversation: v.optional(ConversationId),
});
const SeenFrame = v.object({ type: v.literal('seen'), seq: v.pipe(v.number(), v.integer(), v.minValue(0)) });
const RefreshFrame = v.object({ type: v.literal('refresh'), token: v.string() });

/** One schema per `type`; the socket reads the type first, so that an error names the field and not the union. */
export const CLIENT_FRAMES = {
  message: MessageCommand,
  action: ActionCommand,
  answer: AnswerCommand,
  cancel: CancelCommand,
  typing: TypingFrame,
  seen: SeenFrame,
  refresh: RefreshFrame,
} as const;

export type MessageCommand = v.InferOutput<typeof MessageCommand>;
export type ActionCommand = v.InferOutput<typeof ActionCommand>;
export type AnswerCommand = v.InferOutput<typeof AnswerCommand>;
export type CancelCommand = v.InferOutput<typeof CancelCommand>;

/** A command with an effect on the channel; it carries a `client_id` and is applied once (P-WS-5). */
export type SendCommand = MessageCommand | ActionCommand | AnswerCommand;

/** Everything a session can ask for. */
export type Command =
  | SendCommand
  | CancelCommand
  | v.InferOutput<typeof TypingFrame>
  | v.InferOutput<typeof SeenFrame>
  | v.InferOutput<typeof RefreshFrame>;

/** The answer to a send: the `ack` frame without its type, and the body of a 202 over HTTP. */
export interface SendResult {
  id: string;
  seq: number;
  conversation: string;
  turn?: string;
  duplicate: boolean;
}

/** The text that asks for `pong`; the runtime answers it without waking the object. */
export const PING = 'ping';
export const PONG = 'pong';
export const SUBPROTOCOL = 'starwire.v1';
