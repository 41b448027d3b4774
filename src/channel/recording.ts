import { topicOf } from '../protocol/conversations.ts';
import { type DurableFrame, isTerminal, type MessageFrame } from '../protocol/server-frames.ts';
import type { Core } from './core.ts';
import { foldHistory, type PlacedRow } from './history.ts';
import type { Entry } from './journal.ts';

/** Entries that are handed over at once. */
const BATCH = 500;

/** What became of a conversation: what is undefined has not changed. */
export interface ConversationChange {
  id: string;
  /** Given by the user. */
  name?: string;
  /** Made from the first message of the user that is among the changes. */
  topic?: string;
  /** There was a beginning or a message: of the first and of the newest, in Unix seconds, and the `seq` of the newest. */
  lived?: { created_at: number; updated_at: number; touched: number };
}

/** A conversation that was deleted, by which entry, and when (Unix seconds). */
export interface Deletion {
  id: string;
  seq: number;
  at: number;
}

/** What the records do not have, or not as it is now, and the newest entry it speaks for. */
export interface Unrecorded {
  upTo: number;
  /** What the user is called; '' where nobody knows. */
  name: string;
  /** Before anything else. */
  deleted: Deletion[];
  rows: PlacedRow[];
  conversations: ConversationChange[];
}

/** What the journal holds that the records (D1) lack: the journal is their outbox (DESIGN 6). */
export function unrecorded(core: Core): Unrecorded | undefined {
  const { journal, recalled } = core;
  if (journal.recorded >= journal.head) return undefined;
  const from = journal.recorded;
  const upTo = Math.min(journal.head, from + BATCH);
  const changes = entriesOf(core, from, upTo);
  const ids = new Set(changes.flatMap(({ frame }) => changedRows(frame)));
  // Whole rows are made from everything that is kept of them, so that a batch may end anywhere.
  const rows = [...new Set(changes.flatMap(({ conversation }) => conversation ?? []))].flatMap((one) =>
    foldHistory(
      journal.history(one).filter(({ frame }) => frame.seq <= upTo),
      recalled.of(one),
    ),
  );
  return {
    upTo,
    name: journal.name,
    ...foldConversations(changes),
    rows: rows.filter(({ row }) => ids.has(row.id)),
  };
}

interface Change extends Entry {
  conversation: string | null;
}

function entriesOf({ ports: { sql } }: Core, from: number, upTo: number): Change[] {
  return sql
    .all<{ conversation: string | null; frame: string; at: number }>(
      `SELECT conversation, frame, at FROM events WHERE seq > ? AND seq <= ?
       AND type IN ('message', 'file', 'edit', 'turn', 'conversation') ORDER BY seq`,
      from,
      upTo,
    )
    .map((change) => ({ ...change, frame: JSON.parse(change.frame) }));
}

function changedRows(frame: DurableFrame): string[] {
  switch (frame.type) {
    case 'message':
      return frame.custom_id !== undefined && frame.reply_to ? [frame.id, frame.reply_to] : [frame.id];
    case 'turn':
      return isTerminal(frame.status) ? [frame.message] : [];
    case 'file':
    case 'edit':
      return [frame.id];
    default:
      return [];
  }
}

function foldConversations(changes: readonly Change[]): Pick<Unrecorded, 'deleted' | 'conversations'> {
  const deleted = new Map<string, Deletion>();
  const changed = new Map<string, ConversationChange>();
  const live = (id: string, seq: number, at: number): ConversationChange => {
    const known: ConversationChange = changed.get(id) ?? { id };
    const created_at = known.lived?.created_at ?? at;
    const change = { ...known, lived: { created_at, updated_at: at, touched: seq } };
    changed.set(id, change);
    return change;
  };
  for (const { frame, at } of changes) {
    const { seq } = frame;
    if (frame.type === 'message' || frame.type === 'file') {
      const change = live(frame.conversation, seq, frame.timestamp);
      if (frame.type === 'message' && frame.role === 'user') change.topic ??= titleFrom(frame);
    } else if (frame.type === 'conversation') {
      const { id, status, title } = frame;
      if (status === 'deleted') {
        deleted.set(id, { id, seq, at: at / 1000 });
        changed.delete(id);
      } else {
        const change = status === 'created' ? live(id, seq, at / 1000) : (changed.get(id) ?? { id });
        changed.set(id, { ...change, ...(title === undefined ? {} : { name: title }) });
      }
    }
  }
  return {
    deleted: [...deleted.values()],
    conversations: [...changed.values()],
  };
}

function titleFrom({ text, attachments = [] }: MessageFrame): string {
  return topicOf(text) || topicOf(attachments[0]?.filename ?? '');
}
