import type { FileFrame, MessageFrame, ToolFrame, TurnError, TurnStatus, Usage } from './server-frames.ts';

/**
 * A row of a conversation's history: the `message` or `file` frame (`type` tells) with edits folded in and the `seq` of its
 * last change.
 */
export type HistoryRow = (MessageFrame | FileFrame) & {
  edited_at?: number;
  tools?: readonly ToolFrame[];
  usage?: Usage;
  /** Buttons of it that were pressed, by `custom_id`. */
  pressed?: readonly string[];
  /** How the turn of a reply ended, where it did not complete. */
  status?: TurnStatus;
  error?: TurnError;
};

/** `GET /api/conversations/{id}/messages`. */
export interface HistoryPage {
  /** Newest first. */
  messages: readonly HistoryRow[];
  /** What to give as `before` for the page before this one; null where there is none. */
  next: number | null;
}
