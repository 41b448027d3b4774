import { StarwireError } from '../protocol/errors.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import type { OutboundOf } from '../protocol/outbound.ts';
import { redact, redactValue } from '../protocol/redact.ts';
import type { DeltaFrame, ToolFrame } from '../protocol/server-frames.ts';
import { clip, exceedsBytes, wellFormed } from '../protocol/text.ts';
import { isUnwieldy } from '../protocol/tool-calls.ts';
import { type Applied, type OnlyTurn, requireFits, turnOf } from './applied.ts';
import type { Core } from './core.ts';
import { alive, finish, openTurn, requireRoomForTurn } from './turn-life.ts';
import type { OpenTurn } from './turns.ts';

/** Events of a turn under way: its text, tools, and its ends. */

export function chunk(core: Core, event: OutboundOf<'chunk'>, only: OnlyTurn): Applied {
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

export function tool(core: Core, event: OutboundOf<'tool'>, only: OnlyTurn): Applied {
  const open = turnOf(core, event.turn, only);
  const { name, status, preview } = event;
  // Secrets are masked here, whichever way a tool is told of (P-BR-5).
  const args = redactValue(event.args);
  const result = redactValue(event.result);
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
    tool: redact(event.tool),
    name: redact(name),
    status,
    ...(preview === undefined ? {} : { preview: redact(preview) }),
    ...(args === undefined ? {} : { args }),
    ...(result === undefined ? {} : { result }),
    offset: open.text.shown.length,
    conversation,
  });
  return { id: event.tool, seq: frame.seq };
}

export function delta(core: Core, { turn, tool_calls }: OutboundOf<'delta'>, only: OnlyTurn): Applied {
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
  if (tool_calls.some(isUnwieldy))
    throw new StarwireError('too_large', '"tool_calls" has a call that is too large without its arguments', {
      field: 'tool_calls',
    });
  alive(core, open);
  const frame = core.emit<DeltaFrame>({ type: 'delta', turn: open.state.turn, tool_calls });
  return { id: open.state.turn, seq: frame.seq };
}

export function done(core: Core, event: OutboundOf<'done'>, only: OnlyTurn): Applied {
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

export function failed(core: Core, event: OutboundOf<'error'>, only: OnlyTurn): Applied {
  const open = turnOf(core, event.turn, only);
  const { label, type, message, hint, retry_after } = event;
  alive(core, open);
  const error = {
    label: redact(label),
    type: redact(type),
    message: redact(message),
    hint: redact(hint),
    ...(retry_after === undefined ? {} : { retry_after }),
  };
  const { seq } = finish(core, open, 'failed', { error });
  return { id: open.state.turn, seq };
}

export function turn(core: Core, event: OutboundOf<'turn'>, only: OnlyTurn): Applied {
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
