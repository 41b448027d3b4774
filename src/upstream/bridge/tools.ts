import * as v from 'valibot';
import { redact, redactValue } from '../../protocol/redact.ts';
import { clip } from '../../protocol/text.ts';
import type { ToolCall } from '../../protocol/tool-calls.ts';
import type { ReplyEvent } from '../upstream.ts';

/** What a person is shown of tools. */

const Text = v.optional(v.nullable(v.string()));

/** The event by which agents tell of their tools beside the text (`hermes.tool.progress`). */
const Progress = v.looseObject({
  tool_call_id: Text,
  toolCallId: Text,
  tid: Text,
  tool: Text,
  name: Text,
  status: Text,
  preview: Text,
  label: Text,
  args: v.optional(v.unknown()),
  result: v.optional(v.unknown()),
});

const ENDED = new Set(['completed', 'complete', 'success', 'error', 'failed']);
const FAILED = new Set(['error', 'failed']);

/** What the agent tells of its tools in one answer. */
export class ToolProgress {
  /** Tools under way that came without an id, by name: what ends them has none either. */
  readonly #open = new Map<string, string>();
  #count = 0;

  /** Tool progress as events of the turn. `_thinking` is reasoning. */
  events(input: unknown): ReplyEvent[] {
    const parsed = v.safeParse(Progress, input);
    if (!parsed.success) return [];
    const { tool_call_id, toolCallId, tid, tool, name, preview, label, args, result } = parsed.output;
    const called = name || tool || 'tool';
    const shown = preview ?? label ?? undefined;
    if (called === '_thinking') return shown ? [{ kind: 'chunk', text: shown, reasoning: true }] : [];
    // Names with an underscore in front are the agent's own business.
    if (called.startsWith('_')) return [];
    const status = parsed.output.status ?? '';
    const ended = ENDED.has(status);
    return [
      toolEvent({
        tool: tool_call_id || toolCallId || tid || this.#idOf(called, ended),
        name: called,
        status: FAILED.has(status) ? 'failed' : ended ? 'completed' : 'running',
        preview: shown,
        args,
        result,
      }),
    ];
  }

  #idOf(name: string, ended: boolean): string {
    const open = this.#open.get(name);
    if (open !== undefined && ended) {
      this.#open.delete(name);
      return open;
    }
    this.#count += 1;
    const id = `tool_${this.#count}`;
    if (!ended) this.#open.set(name, id);
    return id;
  }
}

/** Tool calls of a model, once they are whole. */
export function toolEvents(calls: ReadonlyMap<number, ToolCall>): ReplyEvent[] {
  return [...calls].map(([index, { id, function: called }]) => {
    const { name, arguments: args = '' } = v.is(Called, called) ? called : {};
    return toolEvent({
      tool: typeof id === 'string' ? id : `call_${index}`,
      name: name || 'tool',
      status: 'completed',
      args: parsedArgs(args),
    });
  });
}

const Called = v.looseObject({ name: v.optional(v.string()), arguments: v.optional(v.string()) });

function parsedArgs(args: string): unknown {
  try {
    return JSON.parse(args);
  } catch {
    return args;
  }
}

interface Tool {
  tool: string;
  name: string;
  status: 'running' | 'completed' | 'failed';
  preview?: string | undefined;
  args?: unknown;
  result?: unknown;
}

const ID_CHARS = 128;
const NAME_CHARS = 200;
const PREVIEW_CHARS = 500;
/** JSON of arguments or of a result up to which they are shown as they are; of more, so many characters as text. */
const JSON_CHARS = 60_000;
const TEXT_CHARS = 10_000;

/**
 * Arguments are sent whole, so that no secret is split over two frames (P-BR-5). Whatever is cut is masked before, lest the
 * half of a secret that is left be taken for none.
 */
function toolEvent({ tool, name, status, preview, args, result }: Tool): ReplyEvent {
  return {
    kind: 'tool',
    tool: clip(redact(tool), ID_CHARS),
    name: clip(redact(name), NAME_CHARS),
    status,
    ...(preview === undefined ? {} : { preview: clip(redact(preview), PREVIEW_CHARS) }),
    ...(args === undefined ? {} : { args: shown(args) }),
    ...(result === undefined ? {} : { result: shown(result) }),
  };
}

function shown(value: unknown): unknown {
  const clean = redactValue(value);
  const json = JSON.stringify(clean);
  if (json.length <= JSON_CHARS) return clean;
  return `${clip(typeof clean === 'string' ? clean : json, TEXT_CHARS)}…`;
}
