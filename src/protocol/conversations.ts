import * as v from 'valibot';
import { clip, wellFormed } from './text.ts';

/** Conversations over HTTP (PROTOCOL.md, section 3). */

const TITLE_CHARS = 200;
const TOPIC_CHARS = 60;
const PREVIEW_CHARS = 200;

const Title = v.pipe(
  v.string(),
  v.transform((title) => oneLine(wellFormed(title))),
  v.maxLength(TITLE_CHARS, `has more than ${TITLE_CHARS} characters`),
);

/** `POST /api/conversations`. An empty title is none: it is made from the first message. */
export const NewConversation = v.object({ title: v.optional(Title, '') });

/** `PATCH /api/conversations/{id}`. */
export const Renaming = v.object({ title: v.pipe(Title, v.minLength(1, 'is empty')) });

/** The newest message or file of a conversation, its text cut to what a list shows. */
export interface LastMessage {
  type: 'message' | 'file';
  id: string;
  role: 'user' | 'assistant';
  sender: string;
  text: string;
  timestamp: number;
}

export interface ConversationView {
  id: string;
  /** Given by the user or made from their first message; '' where there is neither. */
  title: string;
  created_at: number;
  /** Of the newest message. */
  updated_at: number;
  last_message: LastMessage | null;
}

/** `GET /api/conversations`. */
export interface ConversationPage {
  /** Newest first. */
  conversations: readonly ConversationView[];
  next: number | null;
}

/** The title that a first message gives its conversation: one line, cut at a word. */
export function topicOf(text: string): string {
  const line = oneLine(text);
  if (line.length <= TOPIC_CHARS) return line;
  const head = clip(line, TOPIC_CHARS - 1);
  const space = head.lastIndexOf(' ');
  return `${(space > TOPIC_CHARS / 2 ? head.slice(0, space) : head).trimEnd()}…`;
}

/** What a list shows of a text. */
export function previewOf(text: string): string {
  const line = oneLine(clip(text, PREVIEW_CHARS * 2));
  return line.length <= PREVIEW_CHARS ? line : `${clip(line, PREVIEW_CHARS - 1)}…`;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}
