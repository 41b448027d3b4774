import { EMPTY } from '../protocol/fingerprint.ts';
import type { ServerFrame, TurnFrame, Usage } from '../protocol/server-frames.ts';
import { isTerminal } from '../protocol/server-frames.ts';
import { buttonList, fileLink, promptText } from './as-markdown.ts';
import { OpenAiWriter, type Sent } from './openai-writer.ts';

/** What the OpenAI stream has given so far; rebuilt from an event id when a stream is resumed. */
export interface OpenAiState {
  /** `X-Request-Id`, the turn's id. */
  id: string;
  /** The id of the turn's reply. */
  message: string;
  model: string;
  /** Unix seconds. */
  created: number;
  include_usage: boolean;
  /** Code units of the turn's text and reasoning that were sent. */
  text: number;
  reasoning: number;
  /** Of that text the spaces at its end, and the fingerprint of what is before them: whether a later text goes on from it. */
  spaces: number;
  sum: number;
  /** The fingerprint of the reply's buttons as they were listed last. */
  buttons: number;
  /** Events of the frame under way that have gone and that no length tells apart. */
  part: number;
  /** The first delta has gone. */
  begun: boolean;
  /** Some content has gone; the last of it was a block that text must not run into. */
  said: boolean;
  block: boolean;
  finished: boolean;
}

/** The data of one SSE event: an object, or the end. */
export type OpenAiEvent = Record<string, unknown> | '[DONE]';

/** The state of a stream at its start. */
export function openaiState(
  stream: Pick<OpenAiState, 'id' | 'message' | 'model' | 'created' | 'include_usage'>,
): OpenAiState {
  const flags = { begun: false, said: false, block: false, finished: false };
  return { ...stream, ...flags, text: 0, reasoning: 0, spaces: 0, sum: EMPTY, buttons: EMPTY, part: 0 };
}

/** Maps a frame to OpenAI stream events, each with the state after it (P-OA-3 … P-OA-5). Pure. */
export function openaiDown(state: OpenAiState, frame: ServerFrame): [OpenAiState, Sent[]] {
  if (state.finished) return [state, []];
  const out = new OpenAiWriter(state);
  switch (frame.type) {
    case 'chunk':
      // Overlaps are trimmed by what was sent; a repair from 0 has nothing that could be taken back.
      out.text(frame.kind, frame.text.slice(Math.max(0, state[frame.kind] - frame.offset)));
      break;
    case 'message': {
      if (frame.role !== 'assistant') break;
      if (frame.id !== state.message) {
        out.block(frame.text);
        out.block(buttonList(frame.buttons));
        break;
      }
      out.text('reasoning', (frame.reasoning ?? '').slice(state.reasoning));
      out.replace(frame.text, frame.text);
      out.buttons(buttonList(frame.buttons));
      out.stands(frame.text);
      break;
    }
    case 'edit':
      // What was sent cannot be taken back: an edit that does not go on from it follows it, so that it is not lost.
      if (frame.id === state.message) {
        out.replace(frame.text, `*Edited:* ${frame.text}`);
        out.buttons(buttonList(frame.buttons));
        out.stands(frame.text);
      } else {
        out.block(`*Edited:* ${frame.text}`);
        out.block(buttonList(frame.buttons));
      }
      break;
    case 'delta':
      out.toolCalls(frame.tool_calls);
      break;
    case 'file':
      out.block(fileLink(frame));
      break;
    case 'prompt':
      if (!frame.snapshot) out.block(promptText(frame));
      break;
    case 'turn':
      if (frame.turn !== state.id || !isTerminal(frame.status)) break;
      if (frame.status === 'completed') out.end(frame.finish_reason ?? 'stop', openaiUsage(frame.usage));
      else out.fail(failure(frame));
      break;
    case 'reset':
      out.fail({
        message: 'The stream cannot be resumed from there.',
        type: 'invalid_request_error',
        code: 'not_found',
      });
      break;
    case 'error':
      out.fail({ message: frame.message, type: frame.code, code: frame.code });
      break;
    default:
      break;
  }
  return out.result();
}

export interface OpenAiError {
  message: string;
  type: string;
  code: string;
}

/** Why a turn did not complete, in OpenAI's words. */
export function failure({ status, error }: TurnFrame): OpenAiError {
  if (!error) return { message: `The request was ${status}.`, type: status, code: status };
  return {
    message: [error.message, error.hint].filter((part) => part !== '').join(' '),
    type: error.type,
    code: error.type,
  };
}

/** Usage under OpenAI's names, from either family (P-BR-3). */
export function openaiUsage(usage: Usage = {}): Record<string, unknown> {
  const number = (...names: string[]): number => {
    for (const name of names) if (typeof usage[name] === 'number') return usage[name];
    return 0;
  };
  const prompt_tokens = number('prompt_tokens', 'input_tokens');
  const completion_tokens = number('completion_tokens', 'output_tokens');
  const total_tokens = number('total_tokens') || prompt_tokens + completion_tokens;
  return { prompt_tokens, completion_tokens, total_tokens };
}
