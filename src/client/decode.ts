import type { ServerFrame } from '../protocol/server-frames.ts';

/**
 * A frame this client does not know (or cannot read), from a newer server. Where it has a `seq` it still is an entry
 * of the journal: the cursor passes it, otherwise it would look like a loss for ever.
 */
export interface UnknownFrame {
  type: 'unknown';
  seq?: number;
  name: string;
}

type Kind = 'string' | 'number' | 'boolean' | 'array' | 'object';
type Shape = Readonly<Record<string, Kind>>;

/** The fields that the client relies on; `?` marks those that may be absent. One entry per type of frame. */
const SHAPES: { readonly [T in ServerFrame['type']]: Shape } = {
  welcome: {
    session: 'string',
    epoch: 'string',
    seq: 'number',
    user: 'object',
    bot: 'object',
    resumed: 'boolean',
    heartbeat_s: 'number',
  },
  ready: { seq: 'number' },
  ack: { client_id: 'string', id: 'string', seq: 'number', conversation: 'string', 'turn?': 'string' },
  message: {
    seq: 'number',
    id: 'string',
    conversation: 'string',
    role: 'string',
    sender: 'string',
    text: 'string',
    timestamp: 'number',
    'buttons?': 'array',
    'attachments?': 'array',
    'turn?': 'string',
    'client_id?': 'string',
    'reasoning?': 'string',
  },
  // Of `sse:` channels only, which no socket of ours shows.
  delta: { seq: 'number', turn: 'string', tool_calls: 'array' },
  edit: {
    seq: 'number',
    id: 'string',
    conversation: 'string',
    text: 'string',
    timestamp: 'number',
    'buttons?': 'array',
  },
  file: {
    seq: 'number',
    id: 'string',
    conversation: 'string',
    sender: 'string',
    filename: 'string',
    mimetype: 'string',
    size: 'number',
    timestamp: 'number',
    url: 'string',
  },
  typing: { active: 'boolean', sender: 'string', 'conversation?': 'string' },
  turn: {
    seq: 'number',
    turn: 'string',
    conversation: 'string',
    message: 'string',
    status: 'string',
    'error?': 'object',
  },
  chunk: {
    turn: 'string',
    message: 'string',
    conversation: 'string',
    kind: 'string',
    offset: 'number',
    text: 'string',
  },
  tool: {
    seq: 'number',
    turn: 'string',
    tool: 'string',
    name: 'string',
    status: 'string',
    offset: 'number',
    conversation: 'string',
    'preview?': 'string',
  },
  prompt: {
    seq: 'number',
    prompt: 'string',
    conversation: 'string',
    kind: 'string',
    question: 'string',
    'choices?': 'array',
    'schema?': 'object',
    'turn?': 'string',
  },
  prompt_closed: { seq: 'number', prompt: 'string', reason: 'string' },
  conversation: { seq: 'number', id: 'string', status: 'string', 'title?': 'string' },
  reset: { reason: 'string', epoch: 'string', seq: 'number' },
  batch: { frames: 'array' },
  error: { code: 'string', message: 'string', retryable: 'boolean', 'client_id?': 'string' },
};

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fits(value: unknown, kind: Kind): boolean {
  if (kind === 'array') return Array.isArray(value);
  return kind === 'object' ? isObject(value) : typeof value === kind;
}

/** Whether `value` has every field that its type needs. */
export function isServerFrame(value: unknown): value is ServerFrame {
  if (!isObject(value) || typeof value.type !== 'string' || !Object.hasOwn(SHAPES, value.type)) return false;
  const shapes: Readonly<Record<string, Shape>> = SHAPES;
  return Object.entries(shapes[value.type] ?? {}).every(([name, kind]) =>
    name.endsWith('?')
      ? value[name.slice(0, -1)] === undefined || fits(value[name.slice(0, -1)], kind)
      : fits(value[name], kind),
  );
}

function read(value: unknown): (ServerFrame | UnknownFrame)[] {
  if (isServerFrame(value)) return value.type === 'batch' ? value.frames.flatMap(read) : [value];
  if (!isObject(value)) return [{ type: 'unknown', name: typeof value }];
  const { type, seq } = value;
  return [{ type: 'unknown', name: String(type), ...(typeof seq === 'number' ? { seq } : {}) }];
}

/** Reads the text of one WebSocket message as frames in their order; a `batch` is taken apart. Never throws. */
export function decode(text: string): (ServerFrame | UnknownFrame)[] {
  try {
    return read(JSON.parse(text));
  } catch {
    return [{ type: 'unknown', name: 'not JSON' }];
  }
}
