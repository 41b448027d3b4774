import type { HistoryRow } from '../../protocol/history.ts';

/** A message as the API takes it. */
export interface ContextMessage {
  role: 'user' | 'assistant';
  content: string;
}

/** Characters of a conversation that a model is given: some ten thousand tokens, which every model of today takes. */
const CONTEXT_CHARS = 40_000;

/** Rows that are looked at. */
export const CONTEXT_ROWS = 100;

/**
 * The recent history as context, oldest first, ending with the message that is to be answered. The newest messages that fit
 * are taken whole; the message itself always is. What a reply had said before it broke off counts as said.
 */
export function contextOf(rows: readonly HistoryRow[], message_id: string, text: string): ContextMessage[] {
  const said = rows.filter((row) => row.type === 'message' && row.text !== '');
  const at = said.findIndex((row) => row.id === message_id);
  // Newest first; what came after the message is not its context.
  const earlier = at < 0 ? said : said.slice(at + 1);
  const context: ContextMessage[] = [{ role: 'user', content: text }];
  let size = text.length;
  for (const row of earlier) {
    if (row.type !== 'message') continue;
    size += row.text.length;
    if (size > CONTEXT_CHARS) break;
    context.unshift({ role: row.role, content: row.text });
  }
  return context;
}
