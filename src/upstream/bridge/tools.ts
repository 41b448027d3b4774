import * as v from 'valibot';
import type { ReplyEvent } from '../upstream.ts';
import type { ToolCallDelta } from './delta.ts';

/** The event by which agents tell of their tools beside the text (`hermes.tool.progress`). */
const Progress = v.looseObject({
  tool_call_id: v.optional(v.nullable(v.string())),
  tid: v.optional(v.nullable(v.string())),
  tool: v.optional(v.nullable(v.string())),
  name: v.optional(v.nullable(v.string())),
  status: v.optional(v.nullable(v.string())),
  preview: v.optional(v.nullable(v.string())),
  label: v.optional(v.nullable(v.string())),
  args: v.optional(v.unknown()),
  result: v.optional(v.unknown()),
});

const ENDED = new Set(['completed', 'complete', 'success', 'error', 'failed']);
const FAILED = new Set(['error', 'failed']);
const PREVIEW_CHARS = 500;
const NAME_CHARS = 200;

/** Tool progress as an event of the turn; undefined for what is not to be shown. `_thinking` is reasoning. */
export function progressEvent(input: unknown, fallback: string): ReplyEvent | undefined {
  const parsed = v.safeParse(Progress, input);
  if (!parsed.success) return undefined;
  const { tool_call_id, tid, tool, name, status, preview, label, args, result } = parsed.output;
  const called = name ?? tool ?? 'tool';
  const shown = preview ?? label ?? undefined;
  if (called === '_thinking') return shown ? { kind: 'chunk', text: shown, reasoning: true } : undefined;
  // Names with an underscore in front are the agent's own business.
  if (called.startsWith('_')) return undefined;
  return toolEvent({
    tool: tool_call_id ?? tid ?? fallback,
    name: called,
    status: FAILED.has(status ?? '') ? 'failed' : ENDED.has(status ?? '') ? 'completed' : 'running',
    preview: shown,
    args,
    result,
  });
}

interface Tool {
  tool: string;
  name: string;
  status: 'running' | 'completed' | 'failed';
  preview?: string | undefined;
  args?: unknown;
  result?: unknown;
}

/** Arguments are sent whole, so that no secret is split over two frames (P-BR-5); the channel masks them. */
function toolEvent({ tool, name, status, preview, args, result }: Tool): ReplyEvent {
  return {
    kind: 'tool',
    tool: tool.slice(0, 128),
    name: name.slice(0, NAME_CHARS),
    status,
    ...(preview === undefined ? {} : { preview: preview.slice(0, PREVIEW_CHARS) }),
    ...(args === undefined ? {} : { args }),
    ...(result === undefined ? {} : { result }),
  };
}

/** Tool calls of a model, put together from their deltas. */
export class ToolCalls {
  readonly #calls = new Map<number, { id: string; name: string; args: string }>();

  add(deltas: readonly ToolCallDelta[]): void {
    for (const delta of deltas) {
      const call = this.#calls.get(delta.index) ?? { id: '', name: '', args: '' };
      call.id ||= delta.id ?? '';
      call.name += delta.function?.name ?? '';
      call.args += delta.function?.arguments ?? '';
      this.#calls.set(delta.index, call);
    }
  }

  /** What a person is shown of them, once they are whole. */
  events(): ReplyEvent[] {
    return [...this.#calls].map(([index, { id, name, args }]) =>
      toolEvent({
        tool: id || `call_${index}`,
        name: name || 'tool',
        status: 'completed',
        args: parsedArgs(args),
      }),
    );
  }
}

function parsedArgs(args: string): unknown {
  try {
    return JSON.parse(args);
  } catch {
    return args;
  }
}
