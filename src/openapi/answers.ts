import * as v from 'valibot';
import type { SendResult } from '../protocol/client-frames.ts';
import type { ConversationPage, ConversationView } from '../protocol/conversations.ts';
import { ERRORS, type ErrorBody } from '../protocol/errors.ts';
import type { UserView } from '../protocol/identity.ts';

/** Shapes of answers. Where the code has a type for one, the compiler holds the two together. */

type Shape<T> = v.GenericSchema<unknown, T>;

const Next = v.nullable(v.pipe(v.number(), v.description('What to give as `before` for the next page')));
const Time = v.pipe(v.number(), v.description('Unix seconds'));

export const ErrorAnswer: Shape<{ error: ErrorBody }> = v.object({
  error: v.object({
    code: v.picklist(Object.keys(ERRORS) as (keyof typeof ERRORS)[]),
    message: v.string(),
    retryable: v.boolean(),
    field: v.optional(v.string()),
    retry_after: v.optional(v.number()),
    expected: v.optional(v.number()),
    line: v.optional(v.number()),
    request_id: v.optional(v.string()),
  }),
});

export const User: Shape<UserView> = v.object({
  id: v.string(),
  name: v.string(),
  avatar: v.string(),
  tenant: v.string(),
});

export const Me = v.object({ user: User, limits: v.record(v.string(), v.number()) });

export const Sent: Shape<SendResult> = v.object({
  id: v.string(),
  seq: v.number(),
  conversation: v.string(),
  turn: v.optional(v.string()),
  duplicate: v.boolean(),
});

export const Conversation: Shape<ConversationView> = v.object({
  id: v.string(),
  title: v.string(),
  created_at: Time,
  updated_at: Time,
  last_message: v.nullable(
    v.object({
      type: v.picklist(['message', 'file']),
      id: v.string(),
      role: v.picklist(['user', 'assistant']),
      sender: v.string(),
      text: v.string(),
      timestamp: Time,
    }),
  ),
});

export const Conversations: Shape<ConversationPage> = v.object({
  conversations: v.array(Conversation),
  next: Next,
});

export const Row = v.pipe(
  v.looseObject({
    type: v.picklist(['message', 'file']),
    seq: v.number(),
    id: v.string(),
    conversation: v.string(),
    sender: v.string(),
    timestamp: Time,
  }),
  v.description('The `message` or `file` frame with edits folded in'),
);

export const History = v.object({ messages: v.array(Row), next: Next });

export const Found = v.object({
  results: v.array(
    v.object({
      message: Row,
      conversation: v.object({ id: v.string(), title: v.string() }),
      snippet: v.string(),
    }),
  ),
  next: Next,
});

export const Turn = v.object({ turn: v.string() });

export const Cancelled = v.object({ turn: v.string(), status: v.literal('cancelled') });

export const File = v.object({
  id: v.string(),
  url: v.string(),
  filename: v.string(),
  mimetype: v.string(),
  size: v.number(),
});

export const Results = v.object({
  results: v.array(
    v.object({
      id: v.optional(v.string()),
      seq: v.optional(v.number()),
      delivered: v.boolean(),
      duplicate: v.optional(v.boolean()),
      url: v.optional(v.string()),
      count: v.optional(v.number()),
      error: v.optional(v.looseObject({ code: v.string(), message: v.string() })),
    }),
  ),
});

export const Any = v.looseObject({});
