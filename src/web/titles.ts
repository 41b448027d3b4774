import type { ConversationSummary } from '../client/index.ts';
import { strings } from './strings.ts';

const CHARS = 60;

/** Markdown in one line, without its marks. */
export function inOneLine(text: string): string {
  return text
    .replace(/[#*_`>]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** What a conversation is called: its title, else how its last message begins. */
export function titleOf({ title, last_message }: ConversationSummary): string {
  const text = title || inOneLine(last_message?.text ?? '');
  if (text === '') return strings.side.untitled;
  return text.length > CHARS ? `${text.slice(0, CHARS).toWellFormed().trimEnd()}…` : text;
}
