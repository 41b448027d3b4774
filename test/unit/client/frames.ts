import type {
  ChunkFrame,
  EditFrame,
  MessageFrame,
  PromptFrame,
  ToolFrame,
  TurnFrame,
} from '../../../src/protocol/server-frames.ts';

/** Short ways to write frames of the conversation `default`. */

export function message(
  seq: number,
  id: string,
  text: string,
  more: Partial<MessageFrame> = {},
): MessageFrame {
  return {
    type: 'message',
    seq,
    id,
    conversation: 'default',
    role: 'assistant',
    sender: 'star',
    text,
    timestamp: 1_700_000_000 + seq,
    ...more,
  };
}

export function own(seq: number, id: string, text: string, more: Partial<MessageFrame> = {}): MessageFrame {
  return message(seq, id, text, { role: 'user', sender: 'ann', ...more });
}

export function turn(seq: number, status: TurnFrame['status'], more: Partial<TurnFrame> = {}): TurnFrame {
  return { type: 'turn', seq, turn: 't1', conversation: 'default', message: 'r1', status, ...more };
}

export function chunk(offset: number, text: string, more: Partial<ChunkFrame> = {}): ChunkFrame {
  return {
    type: 'chunk',
    turn: 't1',
    message: 'r1',
    conversation: 'default',
    kind: 'text',
    offset,
    text,
    ...more,
  };
}

export function tool(seq: number, status: ToolFrame['status'], more: Partial<ToolFrame> = {}): ToolFrame {
  return {
    type: 'tool',
    seq,
    turn: 't1',
    tool: 'call_1',
    name: 'search',
    status,
    offset: 0,
    conversation: 'default',
    ...more,
  };
}

export function edit(seq: number, id: string, text: string, more: Partial<EditFrame> = {}): EditFrame {
  return { type: 'edit', seq, id, conversation: 'default', text, timestamp: 1_700_000_000 + seq, ...more };
}

export function prompt(seq: number, id: string, more: Partial<PromptFrame> = {}): PromptFrame {
  return {
    type: 'prompt',
    seq,
    prompt: id,
    conversation: 'default',
    kind: 'text',
    question: 'Why?',
    ...more,
  };
}
