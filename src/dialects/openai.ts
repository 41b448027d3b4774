import type {
  Button,
  Choice,
  DurableFrame,
  MessageFrame,
  PromptFrame,
  ServerFrame,
  TurnFrame,
  Usage,
} from '../protocol/server-frames.ts';
import { isTerminal } from '../protocol/server-frames.ts';
import { endsInHighSurrogate } from '../protocol/text.ts';

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
  /** The first delta has gone. */
  begun: boolean;
  finished: boolean;
}

/** The data of one SSE event: an object, or the end. */
export type OpenAiEvent = Record<string, unknown> | '[DONE]';

/** P-OA-3: each event stays under 64 KiB, whatever its text escapes to (six bytes a code unit at worst). */
const PIECE = 8_192;

/** Maps a frame to OpenAI stream events (P-OA-3 … P-OA-5). Pure. */
export function openaiDown(state: OpenAiState, frame: ServerFrame): [OpenAiState, OpenAiEvent[]] {
  if (state.finished) return [state, []];
  switch (frame.type) {
    case 'chunk': {
      // Overlaps are trimmed by what was sent; a repair from 0 has nothing that could be taken back.
      const fresh = frame.text.slice(Math.max(0, state[frame.kind] - frame.offset));
      return deltas(
        { ...state, [frame.kind]: Math.max(state[frame.kind], frame.offset + frame.text.length) },
        frame.kind,
        fresh,
      );
    }
    case 'message':
      return frame.role === 'assistant' ? message(state, frame) : [state, []];
    case 'file': {
      const name = frame.filename.replaceAll(/[[\]]/g, '\\$&');
      return deltas(
        state,
        'text',
        `${gap(state)}${frame.mimetype.startsWith('image/') ? '!' : ''}[${name}](${frame.url})`,
      );
    }
    case 'edit':
      // What was sent cannot be replaced; the new text follows, so that it is not lost.
      return deltas(state, 'text', `${gap(state)}*Edited:* ${frame.text}${buttonList(frame.buttons)}`);
    case 'prompt':
      return frame.snapshot
        ? [state, []]
        : deltas(state, 'text', `${gap(state)}${frame.question}${choiceList(frame)}`);
    case 'turn':
      return frame.turn === state.id && isTerminal(frame.status) ? end(state, frame) : [state, []];
    case 'reset':
      return fail(state, {
        message: 'The stream cannot be resumed from there.',
        type: 'invalid_request_error',
        code: 'not_found',
      });
    case 'error':
      return fail(state, { message: frame.message, type: frame.code, code: frame.code });
    default:
      return [state, []];
  }
}

function gap({ begun, text }: OpenAiState): string {
  return begun && text > 0 ? '\n\n' : '';
}

/** The turn's reply adds what has not been streamed of it; any other message is text of its own. */
function message(state: OpenAiState, frame: MessageFrame): [OpenAiState, OpenAiEvent[]] {
  const reply = frame.id === state.message;
  const [thought, first] = deltas(
    state,
    'reasoning',
    reply ? (frame.reasoning ?? '').slice(state.reasoning) : '',
  );
  const text = reply ? frame.text.slice(state.text) : `${gap(state)}${frame.text}`;
  const [said, second] = deltas(thought, 'text', text + buttonList(frame.buttons));
  const lengths = reply
    ? {
        text: Math.max(state.text, frame.text.length),
        reasoning: Math.max(state.reasoning, frame.reasoning?.length ?? 0),
      }
    : {};
  return [{ ...said, ...lengths }, [...first, ...second]];
}

function buttonList(buttons: Button[] | undefined): string {
  if (!buttons || buttons.length === 0) return '';
  return `\n\n${buttons.map(({ emoji, label }) => `- ${emoji ? `${emoji} ` : ''}${label}`).join('\n')}`;
}

function choiceList({ choices }: PromptFrame): string {
  if (!choices) return '';
  const label = (choice: Choice): string =>
    typeof choice === 'string' ? choice : (choice.label ?? choice.value);
  return `\n\n${choices.map((choice) => `- ${label(choice)}`).join('\n')}`;
}

/** Text as deltas, in pieces; the first one says whose turn it is. */
function deltas(state: OpenAiState, kind: 'text' | 'reasoning', text: string): [OpenAiState, OpenAiEvent[]] {
  const events: OpenAiEvent[] = [];
  let begun = state.begun;
  for (let at = 0; at < text.length; ) {
    let piece = text.slice(at, at + PIECE);
    if (endsInHighSurrogate(piece)) piece = piece.slice(0, -1);
    const delta = kind === 'text' ? { content: piece } : { reasoning_content: piece };
    events.push(chunk(state, begun ? delta : { role: 'assistant', ...delta }, null));
    begun = true;
    at += piece.length;
  }
  return [{ ...state, begun }, events];
}

function chunk(
  { id, model, created }: OpenAiState,
  delta: Record<string, unknown>,
  finish_reason: string | null,
): OpenAiEvent {
  return {
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    choices: [{ index: 0, delta, finish_reason }],
  };
}

function end(state: OpenAiState, frame: TurnFrame): [OpenAiState, OpenAiEvent[]] {
  if (frame.status !== 'completed') return fail(state, failure(frame));
  const { id, model, created, begun, include_usage } = state;
  const events: OpenAiEvent[] = begun ? [] : [chunk(state, { role: 'assistant', content: '' }, null)];
  events.push(chunk(state, {}, frame.finish_reason ?? 'stop'));
  if (include_usage)
    events.push({
      id,
      object: 'chat.completion.chunk',
      created,
      model,
      choices: [],
      usage: openaiUsage(frame.usage),
    });
  events.push('[DONE]');
  return [{ ...state, begun: true, finished: true }, events];
}

/** P-OA-4: a failure after the stream began is told in it, and the stream ends cleanly. */
function fail(state: OpenAiState, { message, type, code }: OpenAiError): [OpenAiState, OpenAiEvent[]] {
  return [{ ...state, finished: true }, [{ error: { message, type, param: null, code } }, '[DONE]']];
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

/** Whether a frame ends the stream of a turn. */
export function endsTurn(frame: ServerFrame, turn: string): frame is TurnFrame & DurableFrame {
  return frame.type === 'turn' && frame.turn === turn && isTerminal(frame.status);
}
