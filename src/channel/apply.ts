import { StarwireError } from '../protocol/errors.ts';
import { BOT } from '../protocol/identity.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import type { OutboundOf, OutboundResult } from '../protocol/outbound.ts';
import { redact, redactValue } from '../protocol/redact.ts';
import type {
  DeltaFrame,
  EditFrame,
  FileFrame,
  MessageFrame,
  PromptFrame,
  ToolFrame,
} from '../protocol/server-frames.ts';
import { clip, exceedsBytes, wellFormed } from '../protocol/text.ts';
import type { Core } from './core.ts';
import type { ChannelEvent, FileEvent } from './events.ts';
import { alive, finish, isRunning, openTurn, reply, requireOpen, requireRoomForTurn } from './turn-life.ts';
import type { OpenTurn } from './turns.ts';

/**
 * Applies events of an upstream to a channel. Each function throws its refusal before it changes anything, so that one bad
 * event never spoils its neighbours (P-UP-8).
 */

/** What an event made; `delivered` is known only when the frames have been shown. */
export type Applied = Omit<OutboundResult, 'delivered'>;

/** The turn that events without one belong to: an `sse:` channel has exactly one (P-UP-4). */
export type OnlyTurn = string | undefined;

export function applyEvent(core: Core, event: ChannelEvent, only: OnlyTurn): Applied {
  switch (event.kind) {
    case 'message':
      return message(core, event, only);
    case 'file':
      return file(core, event, only);
    case 'edit':
      return edit(core, event);
    case 'typing':
      core.live({
        type: 'typing',
        active: event.active,
        sender: BOT.user_id,
        ...(event.conversation ? { conversation: event.conversation } : {}),
      });
      return {};
    case 'chunk':
      return chunk(core, event, only);
    case 'tool':
      return tool(core, event, only);
    case 'delta':
      return delta(core, event, only);
    case 'prompt':
      return prompt(core, event, only);
    case 'done':
      return done(core, event, only);
    case 'error': {
      const open = turnOf(core, event.turn, only);
      const { label, type, message, hint } = event;
      alive(core, open);
      const { seq } = finish(core, open, 'failed', {
        error: { label, type, message: redact(message), hint: redact(hint) },
      });
      return { id: open.state.turn, seq };
    }
    case 'turn':
      return turn(core, event, only);
    default:
      return event satisfies never;
  }
}

/** Whether events only add text that can be shown before it is stored. */
export function areStreamable(core: Core, events: Iterable<ChannelEvent>, only: OnlyTurn): boolean {
  let grown = 0;
  for (const event of events) {
    if (event.kind === 'typing') continue;
    if (event.kind !== 'chunk') return false;
    const open = core.turns.get(event.turn ?? only ?? '');
    if (!open) continue;
    grown += event.text.length + (typeof event.reasoning === 'string' ? event.reasoning.length : 0);
    // Near the limit a chunk may end its turn, which needs a transaction.
    const length = open.text.length + open.reasoning.length + grown;
    if (!isRunning(open) || length > core.ports.limits.reply_text / 4) return false;
  }
  return true;
}

function turnOf(core: Core, turn: string | undefined, only: OnlyTurn): OpenTurn {
  const name = turn ?? only;
  if (name === undefined) throw new StarwireError('bad_request', '"turn" is missing', { field: 'turn' });
  return requireOpen(core, name);
}

function optionalTurn(core: Core, turn: string | undefined, only: OnlyTurn): OpenTurn | undefined {
  return turn === undefined && only === undefined ? undefined : turnOf(core, turn, only);
}

function requireFits(core: Core, text: string): void {
  const { reply_text, reply_bytes } = core.ports.limits;
  if (text.length > reply_text || exceedsBytes(text, reply_bytes)) {
    throw new StarwireError('too_large', `"text" has more than ${reply_text} characters`, { field: 'text' });
  }
}

function message(core: Core, event: OutboundOf<'message'>, only: OnlyTurn): Applied {
  requireFits(core, event.text);
  const buttons = event.buttons ?? event.view;
  const open = optionalTurn(core, event.turn, only);
  if (event.id !== undefined && core.journal.find('message', event.id).length > 0) {
    throw new StarwireError('conflict', 'there is already a message with this id', { field: 'id' });
  }
  const text = wellFormed(event.text);
  const extra = { ...(buttons ? { buttons } : {}), ...(event.reply_to ? { reply_to: event.reply_to } : {}) };
  if (!open) return standalone(core, event, { text, ...extra });

  alive(core, open);
  const { state } = open;
  // The turn's reply is one message under the id that was announced; any other one of the turn stands for itself.
  if (state.reply !== undefined || (event.id !== undefined && event.id !== state.message)) {
    const conversation = state.conversation;
    return standalone(core, { ...event, conversation }, { text, turn: state.turn, ...extra });
  }
  const reasoning = open.reasoning.shown;
  const frame = core.emit<MessageFrame>({
    ...reply(core, open, text),
    ...extra,
    ...(reasoning === '' ? {} : { reasoning }),
  });
  open.text.reset(core.ports.sql, text);
  state.reply = {
    ...(buttons ? { buttons } : {}),
    length: text.length,
    reasoning: open.reasoning.length,
    seq: frame.seq,
  };
  open.dirty = true;
  return { id: frame.id, seq: frame.seq };
}

function standalone(
  core: Core,
  event: OutboundOf<'message'>,
  fields: { text: string; turn?: string },
): Applied {
  const frame = core.emit<MessageFrame>({
    type: 'message',
    id: event.id ?? core.ports.newId('msg'),
    conversation: event.conversation ?? DEFAULT_CONVERSATION,
    role: 'assistant',
    sender: BOT.user_id,
    timestamp: core.timestamp,
    ...fields,
  });
  return { id: frame.id, seq: frame.seq };
}

function file(core: Core, event: FileEvent, only: OnlyTurn): Applied {
  const open = optionalTurn(core, event.turn, only);
  if (open) alive(core, open);
  const { id, filename, mimetype, size, data, url } = event;
  if (data !== undefined) core.ports.sql.run('INSERT INTO blobs (id, data) VALUES (?, ?)', id, data);
  const frame = core.emit<FileFrame>({
    type: 'file',
    id,
    conversation: open?.state.conversation ?? event.conversation ?? DEFAULT_CONVERSATION,
    sender: BOT.user_id,
    filename,
    mimetype,
    size,
    timestamp: core.timestamp,
    url: url ?? '',
    ...(open ? { turn: open.state.turn } : {}),
  });
  return { id, seq: frame.seq, url: `webchat://file/${id}/${filename}` };
}

function edit(core: Core, event: OutboundOf<'edit'>): Applied {
  requireFits(core, event.text);
  let streaming: OpenTurn | undefined;
  for (const open of core.turns.open) if (open.state.message === event.id) streaming = open;
  if (streaming && streaming.state.reply === undefined) {
    throw new StarwireError('conflict', 'the message is still streaming');
  }
  const known = core.journal.find('message', event.id).at(-1);
  if (known?.type !== 'message')
    throw new StarwireError('not_found', 'there is no message with this id', { field: 'id' });
  const text = wellFormed(event.text);
  const buttons = event.buttons ?? event.view;
  if (streaming) alive(core, streaming);
  const frame = core.emit<EditFrame>({
    type: 'edit',
    id: event.id,
    conversation: known.conversation,
    text,
    timestamp: core.timestamp,
    ...(buttons ? { buttons } : {}),
  });
  if (streaming?.state.reply) {
    const { reply } = streaming.state;
    streaming.text.reset(core.ports.sql, text);
    reply.length = text.length;
    reply.seq = frame.seq;
    if (buttons) reply.buttons = buttons;
    streaming.dirty = true;
  }
  return { id: event.id, seq: frame.seq };
}

function chunk(core: Core, event: OutboundOf<'chunk'>, only: OnlyTurn): Applied {
  const open = turnOf(core, event.turn, only);
  const parts =
    typeof event.reasoning === 'string'
      ? ([
          ['reasoning', event.reasoning],
          ['text', event.text],
        ] as const)
      : ([[event.reasoning ? 'reasoning' : 'text', event.text]] as const);
  const placed = parts.at(-1)?.[1] === '' ? parts[0]?.[0] : parts.at(-1)?.[0];
  const fresh = parts.map(
    ([kind, text]) => [kind, kind === placed ? unseen(open[kind].length, text, event.offset) : text] as const,
  );
  // What is placed decides for both: reasoning beside a text that came before came with it.
  if (event.offset !== undefined && fresh.every(([kind, text]) => kind !== placed || text === ''))
    return { id: open.state.message, duplicate: true };
  alive(core, open);
  for (const [kind, text] of fresh) if (!grow(core, open, kind, text)) break;
  return { id: open.state.message };
}

/** The part of a chunk that is new (P-UP-7). */
function unseen(length: number, text: string, offset: number | undefined): string {
  if (offset === undefined) return text;
  if (offset > length) {
    throw new StarwireError(
      'conflict',
      `the chunk begins at ${offset}, beyond the ${length} characters that have come`,
      {
        field: 'offset',
        expected: length,
      },
    );
  }
  return text.slice(length - offset);
}

/** Adds text to a turn; beyond the limit the turn fails and keeps what fits. Returns whether it is still open. */
function grow(core: Core, open: OpenTurn, kind: 'text' | 'reasoning', text: string): boolean {
  const { reply_text, reply_bytes } = core.ports.limits;
  const room = reply_text - open[kind].length;
  const tooLong = text.length > room || isTooHeavy(open, text, reply_bytes);
  core.chunk(
    open,
    kind,
    open[kind].append(tooLong ? clip(text, Math.max(0, text.length > room ? room : 0)) : text),
  );
  if (!tooLong) return true;
  const message = `the reply has more than ${reply_text} characters`;
  finish(core, open, 'failed', {
    error: { label: 'Reply too long', type: 'too_large', message, hint: 'Ask for a shorter answer.' },
  });
  return false;
}

/** Whether the reply would not fit one row any more. A code unit takes at most six bytes of JSON. */
function isTooHeavy(open: OpenTurn, text: string, limit: number): boolean {
  if ((open.text.length + open.reasoning.length + text.length) * 6 <= limit) return false;
  return exceedsBytes(JSON.stringify([open.text.shown, open.reasoning.shown, text]), limit);
}

/** JSON of a tool's arguments or result; larger things belong into a file. */
const TOOL_JSON = 131_072;

function tool(core: Core, event: OutboundOf<'tool'>, only: OnlyTurn): Applied {
  const open = turnOf(core, event.turn, only);
  const { name, status, preview, args, result } = event;
  if ((JSON.stringify([args, result])?.length ?? 0) > TOOL_JSON) {
    throw new StarwireError(
      'too_large',
      `"args" and "result" have more than ${TOOL_JSON} characters of JSON`,
      { field: 'result' },
    );
  }
  alive(core, open);
  const { turn, conversation } = open.state;
  const frame = core.emit<ToolFrame>({
    type: 'tool',
    turn,
    tool: event.tool,
    name,
    status,
    // Secrets are masked here, whichever way a tool is told of (P-BR-5).
    ...(preview === undefined ? {} : { preview: redact(preview) }),
    ...(args === undefined ? {} : { args: redactValue(args) }),
    ...(result === undefined ? {} : { result: redactValue(result) }),
    offset: open.text.shown.length,
    conversation,
  });
  return { id: event.tool, seq: frame.seq };
}

function delta(core: Core, { turn, tool_calls }: OutboundOf<'delta'>, only: OnlyTurn): Applied {
  if (only === undefined) {
    throw new StarwireError('unsupported', '"delta" is for sse: channels; use "tool" to show a tool', {
      field: 'kind',
    });
  }
  const open = turnOf(core, turn, only);
  if (JSON.stringify(tool_calls).length > TOOL_JSON)
    throw new StarwireError('too_large', `"tool_calls" has more than ${TOOL_JSON} characters of JSON`, {
      field: 'tool_calls',
    });
  alive(core, open);
  const frame = core.emit<DeltaFrame>({ type: 'delta', turn: open.state.turn, tool_calls });
  return { id: open.state.turn, seq: frame.seq };
}

function prompt(core: Core, event: OutboundOf<'prompt'>, only: OnlyTurn): Applied {
  const open = optionalTurn(core, event.turn, only);
  const { open_prompts, prompt_ms } = core.ports.limits;
  if (core.prompts.size >= open_prompts) {
    throw new StarwireError('rate_limited', `there are already ${open_prompts} open prompts`);
  }
  if (event.prompt !== undefined && core.prompts.known(event.prompt)) {
    throw new StarwireError('conflict', 'there is already a prompt with this id', { field: 'prompt' });
  }
  const { question, choices, schema, expires_at } = event;
  if (expires_at !== undefined && expires_at * 1000 <= core.now) {
    throw new StarwireError('bad_request', '"expires_at" is in the past', { field: 'expires_at' });
  }
  const kind = event.prompt_kind ?? (schema ? 'form' : choices ? 'choice' : 'text');
  if (kind === 'choice' && !choices)
    throw new StarwireError('bad_request', '"choices" is missing', { field: 'choices' });
  if (open) alive(core, open);
  const frame = core.emit<PromptFrame>({
    type: 'prompt',
    prompt: event.prompt ?? core.ports.newId('prompt'),
    ...(open ? { turn: open.state.turn } : {}),
    conversation: open?.state.conversation ?? event.conversation ?? DEFAULT_CONVERSATION,
    kind,
    question,
    ...(choices ? { choices } : {}),
    ...(schema ? { schema } : {}),
    ...(expires_at === undefined ? {} : { expires_at }),
  });
  core.prompts.add(frame, expires_at === undefined ? core.now + prompt_ms : expires_at * 1000, core.now);
  return { id: frame.prompt, seq: frame.seq };
}

function done(core: Core, event: OutboundOf<'done'>, only: OnlyTurn): Applied {
  const open = turnOf(core, event.turn, only);
  if (event.text !== undefined) requireFits(core, event.text);
  alive(core, open);
  const { usage, finish_reason, text } = event;
  const { seq } = finish(core, open, 'completed', {
    usage,
    finish_reason,
    text: text === undefined ? undefined : wellFormed(text),
  });
  return { id: open.state.message, seq };
}

function turn(core: Core, event: OutboundOf<'turn'>, only: OnlyTurn): Applied {
  if (only !== undefined)
    throw new StarwireError('bad_request', 'an sse: channel has one turn, which is already there', {
      field: 'kind',
    });
  if (event.id !== undefined) {
    const known = core.turns.get(event.id);
    if (known) return { id: event.id, seq: known.state.seq, duplicate: true };
    if (core.turns.find(event.id))
      throw new StarwireError('conflict', 'there was already a turn with this id', { field: 'id' });
  }
  requireRoomForTurn(core);
  const id = event.id ?? core.ports.newId('turn');
  const open = openTurn(core, id, event.conversation ?? DEFAULT_CONVERSATION, { type: 'register' });
  open.state.accepted = true;
  return { id, seq: open.state.seq };
}
