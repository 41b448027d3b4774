import * as v from 'valibot';
import { redact } from '../../protocol/redact.ts';
import type { ReplyEvent } from '../upstream.ts';
import type { ToolCallDelta } from './delta.ts';

/** The event by which agents tell of their tools beside the text (`hermes.tool.progress`). */
const Progress = v.looseObject({
  tool_call_id: v.optional(v.nullable(v.string())),
  toolCallId: v.optional(v.nullable(v.string())),
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

/** What the agent tells of its tools in one answer. */
export class ToolProgress {
  /** Tools under way that came without an id, by name: what ends them has none either. */
  readonly #open = new Map<string, string>();
  #count = 0;

  /** Tool progress as an event of the turn; undefined for what is not to be shown. `_thinking` is reasoning. */
  event(input: unknown): ReplyEvent | undefined {
    const parsed = v.safeParse(Progress, input);
    if (!parsed.success) return undefined;
    const { tool_call_id, toolCallId, tid, tool, name, preview, label, args, result } = parsed.output;
    const called = name || tool || 'tool';
    const shown = preview ?? label ?? undefined;
    if (called === '_thinking') return shown ? { kind: 'chunk', text: shown, reasoning: true } : undefined;
    // Names with an underscore in front are the agent's own business.
    if (called.startsWith('_')) return undefined;
    const status = parsed.output.status ?? '';
    const ended = ENDED.has(status);
    return toolEvent({
      tool: tool_call_id || toolCallId || tid || this.#idOf(called, ended),
      name: called,
      status: FAILED.has(status) ? 'failed' : ended ? 'completed' : 'running',
      preview: shown,
      args,
      result,
    });
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

interface Tool {
  tool: string;
  name: string;
  status: 'running' | 'completed' | 'failed';
  preview?: string | undefined;
  args?: unknown;
  result?: unknown;
}

/**
 * Arguments are sent whole, so that no secret is split over two frames (P-BR-5); the channel masks them. A preview is masked
 * before it is cut, lest the half of a secret that is left be taken for none.
 */
function toolEvent({ tool, name, status, preview, args, result }: Tool): ReplyEvent {
  return {
    kind: 'tool',
    tool: tool.slice(0, 128),
    name: name.slice(0, NAME_CHARS),
    status,
    ...(preview === undefined ? {} : { preview: redact(preview).slice(0, PREVIEW_CHARS).toWellFormed() }),
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
