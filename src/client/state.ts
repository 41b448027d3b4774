import type { MessageCommand } from '../protocol/client-frames.ts';
import type { HistoryPage } from '../protocol/history.ts';
import type { UserView } from '../protocol/identity.ts';
import type {
  AttachmentView,
  Button,
  EditFrame,
  FileFrame,
  MessageFrame,
  PromptClosedFrame,
  PromptFrame,
  ToolFrame,
  TurnError,
  TurnStatus,
  Usage,
  WelcomeFrame,
} from '../protocol/server-frames.ts';

/**
 * Where a message stands. Own messages: `sending`, `sent`, `failed` (with `error`). Replies: the status of their
 * turn; `partial` where a reply was cut short and its turn is no longer known.
 */
export type MessageStatus = 'sending' | 'sent' | 'partial' | TurnStatus;

/** Why a send was refused. */
export interface SendError {
  /** One of the contract's, or of a newer server's. */
  code: string;
  message: string;
}

/** A tool call, placed in the text of its reply. */
export interface ToolInsert {
  kind: 'tool';
  id: string;
  /** Where in the text it belongs, in UTF-16 code units. */
  offset: number;
  frame: ToolFrame;
}

/** A question to the user; inside the text of a reply where it belongs to a turn, else an item of its own. */
export interface PromptInsert {
  kind: 'prompt';
  id: string;
  /** Stable over the life of the item, for lists of a UI framework. */
  key: string;
  offset: number;
  frame: PromptFrame;
  /** Set once it is closed: how, and with which answer. */
  closed?: Pick<PromptClosedFrame, 'reason' | 'value'>;
  /** The answer given here that the server has not confirmed yet. */
  answering?: { client_id: string; value: unknown };
  /** Why the last answer given here was refused. */
  error?: SendError;
}

export type Insert = ToolInsert | PromptInsert;

export interface MessageItem {
  kind: 'message';
  /** The server's id; the `client_id` before there is one. */
  id: string;
  /** Stable from the optimistic message to the acknowledged one. */
  key: string;
  role: MessageFrame['role'];
  sender: string;
  text: string;
  reasoning: string;
  status: MessageStatus;
  edited: boolean;
  /** The `seq` of its last change; 0 for what the server has not numbered yet. */
  seq: number;
  inserts: readonly Insert[];
  /** Unix seconds; absent while a reply streams. */
  timestamp?: number;
  buttons?: readonly Button[];
  attachments?: readonly AttachmentView[];
  turn?: string;
  client_id?: string;
  reply_to?: string;
  /** The reply that this one was made instead of. */
  replaces?: string;
  custom_id?: string;
  usage?: Usage;
  /** Why the turn did not complete. */
  failure?: TurnError;
  /** Why an own message was refused. */
  error?: SendError;
}

export interface FileItem {
  kind: 'file';
  id: string;
  key: string;
  seq: number;
  turn?: string;
  frame: FileFrame;
}

/** What a conversation shows, in its order. */
export type Item = MessageItem | FileItem | PromptInsert;

export interface Conversation {
  id: string;
  title?: string;
  items: readonly Item[];
  /** Turns that have not ended, by id. */
  open: ReadonlyMap<string, { status: TurnStatus; message: string; seq: number }>;
  /** Pressed buttons by message: `custom_id` to the `client_id` that waits, or `true` once the server has it. */
  pressed: ReadonlyMap<string, ReadonlyMap<string, string | true>>;
  /** Others (the bot) who are typing. */
  typing: readonly string[];
  /** Whether history was read, and how to read what is before it; null where there is nothing. */
  loaded: boolean;
  before: number | null;
  /** Edits of messages that are not here: history that is being read may not have them yet. */
  edits: ReadonlyMap<string, EditFrame>;
}

/** Everything that is shown; immutable, unchanged parts keep their identity. */
export interface ChatState {
  user?: UserView;
  bot?: WelcomeFrame['bot'];
  limits?: WelcomeFrame['limits'];
  conversations: ReadonlyMap<string, Conversation>;
  /** During a connection that did not resume: the open turns and prompts it named. The others are over. */
  named?: { turns: ReadonlySet<string>; prompts: ReadonlySet<string> };
}

export const EMPTY_STATE: ChatState = { conversations: new Map() };

export function emptyConversation(id: string): Conversation {
  return {
    id,
    items: [],
    open: new Map(),
    pressed: new Map(),
    typing: [],
    loaded: false,
    before: null,
    edits: new Map(),
  };
}

/** What happens on this side of the wire. */
export type LocalInput =
  | { type: 'local.message'; send: MessageCommand; at: number; files: readonly AttachmentView[] }
  | { type: 'local.press'; client_id: string; message: string; custom_id: string }
  | { type: 'local.answer'; client_id: string; prompt: string; value: unknown }
  | { type: 'local.refused'; client_id: string; error: SendError }
  | { type: 'local.retry'; client_id: string }
  | { type: 'local.discard'; client_id: string }
  | { type: 'local.disconnected' }
  | { type: 'local.history'; conversation: string; page: HistoryPage; older: boolean };

/** Whether an own message has not been taken by the server. */
export function isUnsent(item: Item): boolean {
  return (
    item.kind === 'message' && item.role === 'user' && (item.status === 'sending' || item.status === 'failed')
  );
}
