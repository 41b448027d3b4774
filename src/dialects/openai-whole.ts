import type { ServerFrame, Usage } from '../protocol/server-frames.ts';
import { isTerminal } from '../protocol/server-frames.ts';
import { withParts } from '../protocol/tool-calls.ts';
import { buttonList, fileLink, joined, promptText } from './as-markdown.ts';
import { failure, type OpenAiError } from './openai.ts';

/** A whole answer as it grows, for `stream: false`: nothing has been sent yet, so that edits replace. */
export interface OpenAiWhole {
  /** `X-Request-Id`, the turn's id. */
  id: string;
  /** The id of the turn's reply. */
  message: string;
  text: string;
  reasoning: string;
  buttons: string;
  /** Everything else that was said, by id and in order: other messages, files, questions. */
  blocks: ReadonlyMap<string, string>;
  /** Tool calls by their index, put together from their parts. */
  tool_calls: ReadonlyMap<number, Record<string, unknown>>;
  /** `retry_after` in seconds, where the upstream told when to come back. */
  end?: { finish_reason: string; usage?: Usage; error?: OpenAiError; retry_after?: number | undefined };
}

export function openaiWhole({ id, message }: Pick<OpenAiWhole, 'id' | 'message'>): OpenAiWhole {
  return { id, message, text: '', reasoning: '', buttons: '', blocks: new Map(), tool_calls: new Map() };
}

/** The answer with one frame more. Pure. */
export function wholeDown(whole: OpenAiWhole, frame: ServerFrame): OpenAiWhole {
  const block = (id: string, text: string): OpenAiWhole => ({
    ...whole,
    blocks: new Map(whole.blocks).set(id, text),
  });
  switch (frame.type) {
    case 'chunk':
      return { ...whole, [frame.kind]: whole[frame.kind].slice(0, frame.offset) + frame.text };
    case 'message':
      if (frame.role !== 'assistant') return whole;
      if (frame.id !== whole.message) return block(frame.id, joined([frame.text, buttonList(frame.buttons)]));
      return {
        ...whole,
        text: frame.text,
        reasoning: frame.reasoning ?? whole.reasoning,
        buttons: buttonList(frame.buttons),
      };
    case 'edit': {
      const buttons = buttonList(frame.buttons);
      if (frame.id !== whole.message) return block(frame.id, joined([frame.text, buttons]));
      return { ...whole, text: frame.text, buttons: frame.buttons ? buttons : whole.buttons };
    }
    case 'delta':
      return { ...whole, tool_calls: withParts(whole.tool_calls, frame.tool_calls) };
    case 'file':
      return block(frame.id, fileLink(frame));
    case 'prompt':
      return block(frame.prompt, promptText(frame));
    case 'turn': {
      const { status, usage, finish_reason = 'stop' } = frame;
      if (frame.turn !== whole.id || !isTerminal(status)) return whole;
      const error =
        status === 'completed' ? {} : { error: failure(frame), retry_after: frame.error?.retry_after };
      return { ...whole, end: { finish_reason, ...(usage ? { usage } : {}), ...error } };
    }
    case 'error':
      return {
        ...whole,
        end: {
          finish_reason: 'error',
          error: { message: frame.message, type: frame.code, code: frame.code },
        },
      };
    default:
      return whole;
  }
}

/** What is said in it, all together. */
export function contentOf({ text, buttons, blocks }: OpenAiWhole): string {
  return joined([text, buttons, ...blocks.values()]);
}
