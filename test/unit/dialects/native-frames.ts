import type {
  ChunkFrame,
  EditFrame,
  ErrorFrame,
  FileFrame,
  MessageFrame,
  PromptClosedFrame,
  PromptFrame,
  ReadyFrame,
  ToolFrame,
  TurnFrame,
} from '../../../src/protocol/server-frames.ts';

/** Native frames of a conversation: those of its turn `n` are of the turn `t{n}`, whose reply is `m{n}` and whose message `u{n}`. */
export function framesIn(conversation: string) {
  const common = { seq: 1, conversation, timestamp: 1 };

  const turn = (status: TurnFrame['status'], n = 1, fields: Partial<TurnFrame> = {}): TurnFrame => ({
    ...common,
    type: 'turn',
    turn: `t${n}`,
    message: `m${n}`,
    status,
    ...fields,
  });

  const chunk = (text: string, offset = 0, n = 1, fields: Partial<ChunkFrame> = {}): ChunkFrame => ({
    ...{ type: 'chunk', turn: `t${n}`, message: `m${n}`, conversation, kind: 'text', offset, text },
    ...fields,
  });

  const thought = (text: string, offset = 0, n = 1): ChunkFrame =>
    chunk(text, offset, n, { kind: 'reasoning' });

  const reply = (text: string, n = 1, fields: Partial<MessageFrame> = {}): MessageFrame => ({
    ...{ ...common, type: 'message', id: `m${n}`, role: 'assistant', sender: 'star', text, turn: `t${n}` },
    ...fields,
  });

  const said = (client_id: string, n = 1, fields: Partial<MessageFrame> = {}): MessageFrame => ({
    ...{ ...common, type: 'message', id: `u${n}`, role: 'user', sender: 'ada', text: 'hi', turn: `t${n}` },
    ...{ client_id, ...fields },
  });

  const tool = (status: ToolFrame['status'], fields: Partial<ToolFrame> = {}): ToolFrame => ({
    ...{ ...common, type: 'tool', turn: 't1', tool: 'call1', name: 'search', status, offset: 0 },
    ...fields,
  });

  const prompt = (fields: Partial<PromptFrame> = {}): PromptFrame => ({
    ...{ ...common, type: 'prompt', prompt: 'p1', turn: 't1', kind: 'choice', question: 'Which?' },
    ...{ choices: ['red', { value: 'b', label: 'Blue' }] },
    ...fields,
  });

  const closed = (
    reason: PromptClosedFrame['reason'] = 'answered',
    fields: Partial<PromptClosedFrame> = {},
  ): PromptClosedFrame => ({ type: 'prompt_closed', seq: 1, prompt: 'p1', reason, ...fields });

  /** Of the reply `m1`. */
  const edit = (text: string): EditFrame => ({ ...common, type: 'edit', id: 'm1', text });

  const file: FileFrame = {
    ...{ ...common, type: 'file', id: 'f1', sender: 'star', filename: 'a.pdf', mimetype: 'application/pdf' },
    ...{ size: 7, url: 'https://example.org/a.pdf' },
  };

  const refusal = (fields: Partial<ErrorFrame> = {}): ErrorFrame => ({
    ...{ type: 'error', code: 'rate_limited', message: 'too many messages', retryable: true },
    ...fields,
  });

  const ready: ReadyFrame = { type: 'ready', seq: 1 };

  return { turn, chunk, thought, reply, said, tool, prompt, closed, edit, file, refusal, ready };
}
