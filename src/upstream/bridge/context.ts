import type { HistoryRow } from '../../protocol/history.ts';
import { BOT } from '../../protocol/identity.ts';
import { utf8Bytes } from '../../protocol/text.ts';
import type { ContentPart } from './parts.ts';

/** A message as the API takes it. */
export interface ContextMessage {
  role: 'user' | 'assistant';
  content: string | ContentPart[];
}

/** Rows that are looked at. */
export const CONTEXT_ROWS = 100;

/**
 * The recent history as context, oldest first, ending with the message that is to be answered. The newest messages that fit
 * are taken whole, as they stand after edits; the message itself always is. What a reply had said before it broke off counts
 * as said; one that was replaced does not. Of files that were sent earlier the names are told.
 */
export function contextOf(
  rows: readonly HistoryRow[],
  message_id: string,
  content: ContextMessage['content'],
  budget_tokens: number,
): ContextMessage[] {
  const at = rows.findIndex((row) => row.id === message_id);
  // Newest first; what came after the message is not its context.
  const earlier = at < 0 ? rows : rows.slice(at + 1);
  const replaced = new Set(rows.map((row) => (row.type === 'message' ? row.replaces : undefined)));
  const context: ContextMessage[] = [{ role: 'user', content }];
  let room = budget_tokens - tokensOf(textOf(content));
  for (const row of earlier) {
    if (row.id === message_id || replaced.has(row.id)) continue;
    const text = saidIn(row);
    if (text === '') continue;
    room -= tokensOf(text);
    if (room < 0) break;
    context.unshift({ role: roleOf(row), content: text });
  }
  return context;
}

/** What each message costs beside its text. */
const MESSAGE_TOKENS = 4;

/** About right for every model: four bytes of English, code or Chinese are a token or less. */
function tokensOf(text: string): number {
  return MESSAGE_TOKENS + Math.ceil(utf8Bytes(text) / 4);
}

function textOf(content: ContextMessage['content']): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

function roleOf(row: HistoryRow): ContextMessage['role'] {
  if (row.type === 'message') return row.role;
  return row.sender === BOT.user_id ? 'assistant' : 'user';
}

function saidIn(row: HistoryRow): string {
  const files = row.type === 'file' ? [row] : (row.attachments ?? []);
  const names = files.map(({ filename, mimetype }) => `[file: ${filename} (${mimetype})]`);
  return [row.type === 'message' ? row.text : '', ...names].filter((part) => part !== '').join('\n');
}
