import { type OpenAiEvent, type OpenAiState, openaiDown, openaiState } from '../../../src/dialects/openai.ts';
import type {
  ChunkFrame,
  EditFrame,
  FileFrame,
  MessageFrame,
  PromptFrame,
  ServerFrame,
  TurnFrame,
} from '../../../src/protocol/server-frames.ts';

/** Frames of the turn `req_1`, whose reply is `msg_1`. */
const common = { seq: 1, conversation: 'default', timestamp: 1 };

export const START = openaiState({
  ...{ id: 'req_1', message: 'msg_1', model: 'some-model', created: 1_700_000_000, include_usage: false },
});

export const chunk = (text: string, offset = 0, kind: ChunkFrame['kind'] = 'text'): ChunkFrame => ({
  ...{ type: 'chunk', turn: 'req_1', message: 'msg_1', conversation: 'default', kind, offset, text },
});

export const message = (text: string, fields: Partial<MessageFrame> = {}): MessageFrame => ({
  ...{ ...common, type: 'message', id: 'msg_1', role: 'assistant', sender: 'star', text, turn: 'req_1' },
  ...fields,
});

export const edit = (text: string, fields: Partial<EditFrame> = {}): EditFrame => ({
  ...{ ...common, type: 'edit', id: 'msg_1', text },
  ...fields,
});

export const file = (fields: Partial<FileFrame> = {}): FileFrame => ({
  ...{ ...common, type: 'file', id: 'file_1', sender: 'star', filename: 'a.png', mimetype: 'image/png' },
  ...{ size: 1, url: 'https://example.org/a.png', ...fields },
});

export const prompt = (fields: Partial<PromptFrame> = {}): PromptFrame => ({
  ...{
    ...common,
    type: 'prompt',
    prompt: 'prompt_1',
    kind: 'choice',
    question: 'Which?',
    choices: ['a', 'b'],
  },
  ...fields,
});

export const turn = (status: TurnFrame['status'], fields: Partial<TurnFrame> = {}): TurnFrame => ({
  ...{ ...common, type: 'turn', turn: 'req_1', message: 'msg_1', status },
  ...fields,
});

/** Everything that frames become. */
export function down(frames: readonly ServerFrame[], start: OpenAiState = START) {
  let state = start;
  const events: OpenAiEvent[] = [];
  for (const frame of frames) {
    const [next, sent] = openaiDown(state, frame);
    state = next;
    events.push(...sent.map(({ event }) => event));
  }
  return { state, events };
}

/** What a client reads in events: the deltas' content, and everything else as it is. */
export function content(events: readonly OpenAiEvent[]): string {
  return events
    .flatMap((event) => (event === '[DONE]' || !Array.isArray(event.choices) ? [] : event.choices))
    .map(({ delta }) => delta.content ?? '')
    .join('');
}
