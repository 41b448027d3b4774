import * as v from 'valibot';
import { type ErrorBody, StarwireError } from './errors.ts';
import { DEFAULT_TENANT, Tenant } from './identity.ts';
import { ConversationId, GivenId, parseChannel, RefId } from './ids.ts';
import { parse } from './parse.ts';

/** Events that an upstream sends: `POST /internal/outbound` (PROTOCOL.md, section 5.2). */

const Short = v.pipe(v.string(), v.maxLength(256, 'has more than 256 characters'));
const Unix = v.pipe(v.number(), v.finite());

const ButtonSchema = v.object({
  label: Short,
  custom_id: Short,
  emoji: v.optional(Short),
  style: v.optional(Short),
});

const Buttons = v.pipe(v.array(ButtonSchema), v.maxLength(50, 'has more than 50 buttons'));

/** P-UP-5: a Discord-style view; its children without a `label` (select menus) are no buttons. One of an emoji alone has null. */
const View = v.pipe(
  v.object({ children: v.array(v.looseObject({})) }),
  v.transform(({ children }) =>
    children.filter(({ label }) => typeof label === 'string' || label === null).map(buttonOfChild),
  ),
  Buttons,
);

function buttonOfChild(child: Record<string, unknown>) {
  const text = (value: unknown): string | undefined => {
    if (typeof value === 'string') return value;
    const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : value;
    return typeof name === 'string' || typeof name === 'number' ? String(name) : undefined;
  };
  const emoji = text(child.emoji);
  const style = text(child.style);
  return {
    label: text(child.label) ?? '',
    custom_id: text(child.custom_id) ?? '',
    ...(emoji ? { emoji } : {}),
    ...(style ? { style } : {}),
  };
}

/** An option that may be left out or be null, as many JSON writers put it. */
const opt = <S extends v.GenericSchema>(schema: S) =>
  v.optional(
    v.pipe(
      v.nullable(schema),
      v.transform((value) => value ?? undefined),
    ),
  );

const Base64 = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]*={0,2}$/, 'is not base64'));
const HttpsUrl = v.pipe(
  v.string(),
  v.maxLength(2048),
  v.url('is not a URL'),
  v.startsWith('https://', 'must begin with https://'),
);
const Filename = v.pipe(
  v.string(),
  v.minLength(1, 'is empty'),
  v.maxLength(255, 'has more than 255 characters'),
  v.check((name) => name.isWellFormed() && !/[\p{Cc}/\\]/u.test(name), 'is not a file name'),
);
export const Mimetype = v.pipe(
  v.string(),
  v.maxLength(128, 'has more than 128 characters'),
  v.regex(/^[\w.+-]+\/[\w.+-]+(?:\s*;\s*[\w.+-]+="?[\w.+-]+"?)*$/, 'is not a media type'),
);

const ChoiceSchema = v.union(
  [Short, v.object({ value: Short, label: v.optional(Short) })],
  'is neither a text nor {value, label}',
);

const UsageSchema = v.looseObject({
  input_tokens: v.optional(v.number()),
  output_tokens: v.optional(v.number()),
});

function nested(prompt: object): Record<string, unknown> {
  const { kind, id, ...fields }: Record<string, unknown> = { ...prompt };
  return { ...fields, prompt_kind: kind, prompt: id };
}

/** One schema per `kind`; fields that every event has are in `Envelope`. */
export const OUTBOUND_KINDS = {
  message: v.object({
    kind: v.literal('message'),
    text: v.string(),
    id: opt(GivenId),
    buttons: opt(Buttons),
    view: opt(View),
    conversation: opt(ConversationId),
    turn: opt(RefId),
    reply_to: opt(RefId),
  }),
  file: v.object({
    kind: v.literal('file'),
    filename: Filename,
    mimetype: v.optional(Mimetype, 'application/octet-stream'),
    data: opt(Base64),
    url: opt(HttpsUrl),
    size: opt(v.pipe(v.number(), v.integer(), v.minValue(0))),
    conversation: opt(ConversationId),
    turn: opt(RefId),
  }),
  edit: v.object({
    kind: v.literal('edit'),
    id: RefId,
    text: v.string(),
    buttons: opt(Buttons),
    view: opt(View),
  }),
  typing: v.object({ kind: v.literal('typing'), active: v.boolean(), conversation: opt(ConversationId) }),
  chunk: v.object({
    kind: v.literal('chunk'),
    turn: opt(RefId),
    text: v.optional(v.string(), ''),
    /** `true`: `text` is reasoning. A text: reasoning beside `text`. */
    reasoning: opt(v.union([v.boolean(), v.string()], 'is neither true or false nor a text')),
    /** Where `text` (or, where it is reasoning, the reasoning) begins. */
    offset: opt(v.pipe(v.number(), v.integer(), v.minValue(0))),
  }),
  tool: v.object({
    kind: v.literal('tool'),
    turn: opt(RefId),
    tool: RefId,
    name: Short,
    status: v.picklist(['running', 'completed', 'failed'], 'is not running, completed or failed'),
    preview: opt(v.pipe(v.string(), v.maxLength(2_000, 'has more than 2000 characters'))),
    args: v.optional(v.unknown()),
    result: v.optional(v.unknown()),
  }),
  prompt: v.pipe(
    v.looseObject({ kind: v.literal('prompt') }),
    // `kind` says that the event is a prompt; the prompt's own kind comes as `prompt_kind`, inside a nested
    // `prompt` object, or is read off `schema` and `choices`.
    v.transform(({ prompt, ...event }) =>
      typeof prompt === 'object' && prompt !== null
        ? { ...event, prompt_kind: event.prompt_kind, ...nested(prompt), kind: 'prompt' as const }
        : { ...event, prompt },
    ),
    v.object({
      kind: v.literal('prompt'),
      prompt_kind: opt(
        v.picklist(['choice', 'text', 'form', 'approval'], 'is not choice, text, form or approval'),
      ),
      prompt: opt(GivenId),
      turn: opt(RefId),
      conversation: opt(ConversationId),
      question: v.pipe(v.string(), v.maxLength(8_192, 'has more than 8192 characters')),
      choices: opt(
        v.pipe(
          v.array(ChoiceSchema),
          v.minLength(1, 'is empty'),
          v.maxLength(50, 'has more than 50 choices'),
        ),
      ),
      schema: opt(v.record(v.string(), v.unknown())),
      expires_at: opt(Unix),
    }),
  ),
  /** Parts of tool calls for the client of an `sse:` channel to execute, passed on as they are. */
  delta: v.object({
    kind: v.literal('delta'),
    turn: opt(RefId),
    tool_calls: v.pipe(
      v.array(v.looseObject({})),
      v.minLength(1, 'is empty'),
      v.maxLength(128, 'has more than 128 entries'),
    ),
  }),
  done: v.object({
    kind: v.literal('done'),
    turn: opt(RefId),
    text: opt(v.string()),
    usage: opt(UsageSchema),
    finish_reason: opt(Short),
  }),
  error: v.object({
    kind: v.literal('error'),
    turn: opt(RefId),
    label: v.optional(Short, 'Error'),
    type: v.optional(Short, 'upstream_error'),
    message: v.optional(v.pipe(v.string(), v.maxLength(2_000, 'has more than 2000 characters')), ''),
    hint: v.optional(v.pipe(v.string(), v.maxLength(2_000, 'has more than 2000 characters')), ''),
    retry_after: opt(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400))),
  }),
  turn: v.object({ kind: v.literal('turn'), conversation: opt(ConversationId), id: opt(GivenId) }),
} as const;

const Envelope = v.object({
  channel: v.pipe(v.string(), v.maxLength(256, 'has more than 256 characters')),
  tenant: v.optional(Tenant, DEFAULT_TENANT),
  kind: v.string(),
});

type Kinds = { [K in keyof typeof OUTBOUND_KINDS]: v.InferOutput<(typeof OUTBOUND_KINDS)[K]> };

/** A valid outbound event without its address. */
export type OutboundEvent = Kinds[keyof Kinds];
export type OutboundOf<K extends keyof Kinds> = Kinds[K];

/** An outbound event and the channel it is for. */
export interface Addressed {
  tenant: string;
  channel: { kind: 'webchat' | 'sse'; id: string };
  event: OutboundEvent;
}

function isKind(kind: string): kind is keyof Kinds {
  return Object.hasOwn(OUTBOUND_KINDS, kind);
}

/** Parses one event of an upstream. Throws `bad_request` that names the field. */
export function parseOutbound(input: unknown): Addressed {
  const { channel, tenant, kind } = parse(Envelope, input, 'event');
  const name = parseChannel(channel);
  if (!name) {
    throw new StarwireError('bad_request', '"channel" must be webchat:{user_id} or sse:{request_id}', {
      field: 'channel',
    });
  }
  if (!isKind(kind)) {
    const known = Object.keys(OUTBOUND_KINDS).join(', ');
    throw new StarwireError('bad_request', `"kind" must be one of ${known}`, { field: 'kind' });
  }
  const event: OutboundEvent = parse<v.GenericSchema<unknown, OutboundEvent>>(
    OUTBOUND_KINDS[kind],
    input,
    'event',
  );
  if (event.kind === 'file' && (event.data === undefined) === (event.url === undefined)) {
    throw new StarwireError('bad_request', 'a file needs either "data" or "url"', { field: 'data' });
  }
  return { tenant, channel: name, event };
}

/** What the upstream is told of one event (P-UP-6). */
export interface OutboundResult {
  id?: string;
  seq?: number;
  delivered: boolean;
  duplicate?: boolean;
  url?: string;
  /** Events that share this result: consecutive chunks of one turn in NDJSON. */
  count?: number;
  error?: ErrorBody;
}
