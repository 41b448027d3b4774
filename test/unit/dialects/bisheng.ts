import { bisheng } from '../../../src/dialects/bisheng/bisheng.ts';
import type { Down } from '../../../src/dialects/dialect.ts';
import type {
  ChunkFrame,
  ErrorFrame,
  FileFrame,
  MessageFrame,
  PromptClosedFrame,
  PromptFrame,
  ReadyFrame,
  ToolFrame,
  TurnFrame,
} from '../../../src/protocol/server-frames.ts';
import { Transcript } from './transcript.ts';

/** What Bisheng's transcripts are made of: the native frames of the chat `HERE`, and frames of its pages in few words. */

export const HERE = 'chat-1';
export const FLOW = '5f3c9e0a7d1b4c2e8f6a0b9d3e7c1a24';

export const openAssistant = (chat_id = HERE) =>
  new Transcript(bisheng, { assistant_id: FLOW }, chat_id === '' ? {} : { chat_id });
export const openWorkflow = (chat_id = HERE) =>
  new Transcript(bisheng, { workflow_id: FLOW }, chat_id === '' ? {} : { chat_id });

const common = { seq: 1, conversation: HERE, timestamp: 1 };

export const turn = (status: TurnFrame['status'], n = 1, fields: Partial<TurnFrame> = {}): TurnFrame => ({
  ...common,
  type: 'turn',
  turn: `t${n}`,
  message: `m${n}`,
  status,
  ...fields,
});

export const chunk = (text: string, offset = 0, n = 1, fields: Partial<ChunkFrame> = {}): ChunkFrame => ({
  ...{ type: 'chunk', turn: `t${n}`, message: `m${n}`, conversation: HERE, kind: 'text', offset, text },
  ...fields,
});

export const thought = (text: string, offset = 0, n = 1): ChunkFrame =>
  chunk(text, offset, n, { kind: 'reasoning' });

export const reply = (text: string, n = 1, fields: Partial<MessageFrame> = {}): MessageFrame => ({
  ...{ ...common, type: 'message', id: `m${n}`, role: 'assistant', sender: 'star', text, turn: `t${n}` },
  ...fields,
});

export const said = (client_id: string, n = 1, fields: Partial<MessageFrame> = {}): MessageFrame => ({
  ...{ ...common, type: 'message', id: `u${n}`, role: 'user', sender: 'ada', text: 'hi', turn: `t${n}` },
  ...{ client_id, ...fields },
});

export const tool = (status: ToolFrame['status'], fields: Partial<ToolFrame> = {}): ToolFrame => ({
  ...{ ...common, type: 'tool', turn: 't1', tool: 'call1', name: 'search', status, offset: 0 },
  ...fields,
});

export const prompt = (fields: Partial<PromptFrame> = {}): PromptFrame => ({
  ...{ ...common, type: 'prompt', prompt: 'p1', turn: 't1', kind: 'choice', question: 'Which?' },
  ...{ choices: ['red', { value: 'b', label: 'Blue' }] },
  ...fields,
});

export const closed = (
  reason: PromptClosedFrame['reason'] = 'answered',
  fields: Partial<PromptClosedFrame> = {},
): PromptClosedFrame => ({ type: 'prompt_closed', seq: 1, prompt: 'p1', reason, ...fields });

export const file: FileFrame = {
  ...{ ...common, type: 'file', id: 'f1', sender: 'star', filename: 'a.pdf', mimetype: 'application/pdf' },
  ...{ size: 7, url: 'https://example.org/a.pdf' },
};

export const refusal = (fields: Partial<ErrorFrame> = {}): ErrorFrame => ({
  ...{ type: 'error', code: 'rate_limited', message: 'too many messages', retryable: true },
  ...fields,
});

export const ready: ReadyFrame = { type: 'ready', seq: 1 };

interface Shown {
  category: string;
  type: string;
  message: unknown;
  message_id: string | null;
  extra: string;
}

/** Frames as `category/type`, with what they say behind it, and `#` the id of their message. */
export function brief(frames: readonly Down[]): string[] {
  return (frames as readonly Shown[]).map(({ category, type, message, message_id }) => {
    const id = message_id === null ? '' : ` #${message_id}`;
    const text = message === '' ? '' : ` ${typeof message === 'string' ? message : wordsOf(message)}`;
    return `${category}/${type}${text}${id}`;
  });
}

/** The parts of a message that a page shows. */
function wordsOf(message: unknown): string {
  const { content, reasoning_content, msg, status_code, status_message, tool_key, name, input_schema } =
    message as Record<string, unknown>;
  if (status_code !== undefined) return `${status_code} ${status_message}`;
  if (tool_key !== undefined) return String(tool_key);
  const thinking = reasoning_content ? `(${reasoning_content})` : '';
  const schema = input_schema as { tab: string } | undefined;
  return [content ?? msg, thinking, schema?.tab, name].filter(Boolean).join(' ');
}
