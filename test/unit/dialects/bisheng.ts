import { bisheng } from '../../../src/dialects/bisheng/bisheng.ts';
import type { Down } from '../../../src/dialects/dialect.ts';
import { framesIn } from './native-frames.ts';
import { Transcript } from './transcript.ts';

/** What Bisheng's transcripts are made of: the native frames of the chat `HERE`, and frames of its pages in few words. */

export const HERE = 'chat-1';
export const FLOW = '5f3c9e0a7d1b4c2e8f6a0b9d3e7c1a24';

export const openAssistant = (chat_id = HERE) =>
  new Transcript(bisheng, { assistant_id: FLOW }, chat_id === '' ? {} : { chat_id });
export const openWorkflow = (chat_id = HERE) =>
  new Transcript(bisheng, { workflow_id: FLOW }, chat_id === '' ? {} : { chat_id });

export const { turn, chunk, thought, reply, said, tool, prompt, closed, edit, file, refusal, ready } =
  framesIn(HERE);

/** What the page writes. */
export const ask = (input: string, fields: object = {}) => ({ inputs: { input }, chat_id: HERE, ...fields });

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
