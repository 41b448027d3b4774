import * as v from 'valibot';
import type { Usage } from '../../protocol/server-frames.ts';

/** What of a streamed chunk of an OpenAI-compatible API we read (P-BR-3). Everything else passes by. */
const Text = v.optional(v.nullable(v.string()));

/** Some servers give arguments as the object that they are. */
const Arguments = v.union([
  v.string(),
  v.pipe(
    v.looseObject({}),
    v.transform((args) => JSON.stringify(args)),
  ),
]);

const ToolCallDelta = v.looseObject({
  index: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0)))),
  id: v.optional(v.nullable(v.string())),
  type: Text,
  function: v.optional(
    v.nullable(v.looseObject({ name: Text, arguments: v.optional(v.nullable(Arguments)) })),
  ),
});

const Said = v.looseObject({
  content: v.optional(
    v.nullable(v.union([v.string(), v.array(v.looseObject({ type: v.string(), text: Text }))])),
  ),
  reasoning_content: Text,
  reasoning: Text,
  refusal: Text,
  tool_calls: v.optional(v.nullable(v.array(ToolCallDelta))),
});

const Chunk = v.looseObject({
  choices: v.optional(
    v.nullable(
      v.array(
        v.looseObject({
          index: v.optional(v.nullable(v.number())),
          delta: v.optional(v.nullable(Said)),
          message: v.optional(v.nullable(Said)),
          finish_reason: v.optional(v.nullable(v.string())),
        }),
      ),
    ),
  ),
  usage: v.optional(v.nullable(v.looseObject({}))),
  error: v.optional(v.unknown()),
  object: v.optional(v.unknown()),
});

export type ToolCallDelta = v.InferOutput<typeof ToolCallDelta>;

/** One chunk, in our words. */
export interface Delta {
  text: string;
  reasoning: string;
  tool_calls: ToolCallDelta[];
  finish_reason?: string;
  usage?: Usage;
  /** An error inside the stream. */
  error?: unknown;
}

/** Reads a chunk, or a whole completion. Returns undefined where it is neither. */
export function readDelta(input: unknown): Delta | undefined {
  const parsed = v.safeParse(Chunk, input);
  if (!parsed.success || Array.isArray(input)) return undefined;
  const { choices, usage, object } = parsed.output;
  // Where several answers were asked for, the first one is it: a channel shows one.
  const choice = choices?.find(({ index }) => (index ?? 0) === 0);
  const said = choice?.delta ?? choice?.message;
  // Older servers put what failed where a chunk would be.
  const error = parsed.output.error || (object === 'error' ? input : undefined);
  return {
    text: textOf(said?.content) || (said?.refusal ?? ''),
    reasoning: said?.reasoning_content || (said?.reasoning ?? ''),
    tool_calls: said?.tool_calls ?? [],
    ...(choice?.finish_reason ? { finish_reason: choice.finish_reason } : {}),
    ...(usage ? { usage: usageOf(usage) } : {}),
    ...(error ? { error } : {}),
  };
}

function textOf(content: v.InferOutput<typeof Said>['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map(({ text }) => text ?? '').join('');
}

/** Usage under our names, from either family. */
function usageOf(usage: Record<string, unknown>): Usage {
  const number = (...names: string[]): number | undefined => {
    for (const name of names) if (typeof usage[name] === 'number') return usage[name];
    return undefined;
  };
  const input_tokens = number('input_tokens', 'prompt_tokens');
  const output_tokens = number('output_tokens', 'completion_tokens');
  const estimated_cost = number('estimated_cost', 'estimated_cost_usd');
  return {
    ...(input_tokens === undefined ? {} : { input_tokens }),
    ...(output_tokens === undefined ? {} : { output_tokens }),
    ...(estimated_cost === undefined ? {} : { estimated_cost }),
  };
}
