import type { HistoryRow } from '../protocol/history.ts';
import { isTerminal } from '../protocol/server-frames.ts';
import { indexOf, place, withInsert } from './items.ts';
import { applyEdit, fileItem, messageItem, withPress } from './reduce-messages.ts';
import { type Conversation, type Item, isUnsent, type LocalInput, type MessageItem } from './state.ts';

type Input = Extract<LocalInput, { type: 'local.history' }>;

/**
 * Takes a page of history in. The newest page is authoritative for what was there when it was read: it replaces what
 * is shown, except for unsent messages, open drafts and prompts, and whatever is newer than the page. An older page
 * goes in front.
 */
export function reduceHistory(conversation: Conversation, { page, older }: Input): Conversation {
  const rows = page.messages.toReversed();
  const known = new Map(conversation.items.map((item) => [`${item.kind}:${item.id}`, item]));
  const fromRows = rows
    .map((row) => itemOf(row, known.get(`${row.type}:${row.id}`), conversation))
    .reduce<readonly Item[]>((items, item) => place(items, item), []);
  const taken = new Set(fromRows.map((item) => `${item.kind}:${item.id}`));
  const clients = new Set(fromRows.map((item) => (item.kind === 'message' ? item.client_id : undefined)));
  const newest = rows.reduce((seq, row) => Math.max(seq, row.seq), 0);
  const rest = conversation.items.filter((item) => {
    if (taken.has(`${item.kind}:${item.id}`)) return false;
    if (isUnsent(item)) return item.kind !== 'message' || !clients.has(item.client_id);
    return older || staysOver(item, newest, conversation);
  });
  const items = inPlace(older ? [...fromRows, ...rest] : rest.reduce(placeAgain, fromRows));
  const merged: Conversation = { ...conversation, items, loaded: true, before: page.next };
  return rows.reduce<Conversation>(
    (next, row) => (row.type === 'message' ? withPress(next, row) : next),
    merged,
  );
}

/** A reply that was made anew stands where the one before it stood, which is not shown any more. */
function inPlace(items: readonly Item[]): readonly Item[] {
  return items.reduce<readonly Item[]>((list, item) => {
    if (item.kind !== 'message' || item.replaces === undefined) return list;
    const old = indexOf(list, 'message', item.replaces);
    return old < 0 ? list : list.with(old, item).filter((one, at) => one !== item || at === old);
  }, items);
}

/** Unsent messages stay last, in their order; `place` puts the others where their turn is. */
function placeAgain(items: readonly Item[], item: Item): readonly Item[] {
  return isUnsent(item) ? [...items, item] : place(items, item);
}

function staysOver(item: Item, newest: number, conversation: Conversation): boolean {
  if (item.kind === 'prompt') return !item.closed;
  if (item.kind === 'message' && item.turn !== undefined && conversation.open.has(item.turn)) return true;
  return item.seq > newest;
}

function itemOf(row: HistoryRow, old: Item | undefined, conversation: Conversation): Item {
  // What arrived live is at least as new as the row, unless the row says otherwise.
  if (old && old.kind !== 'prompt' && old.seq >= row.seq) return old;
  if (row.type === 'file') return fileItem(row);
  const before = old?.kind === 'message' ? old : undefined;
  const item = withTools(messageItem(row, before), row);
  const open = row.turn === undefined ? undefined : conversation.open.get(row.turn);
  // A reply that came whole and goes on: what has streamed since is more than the row has.
  if (before && open?.message === row.id) {
    return { ...item, text: before.text, reasoning: before.reasoning, status: open.status };
  }
  const shown = { ...item, ...endingOf(row, item, before), edited: row.edited_at !== undefined };
  return applyEdit(shown, conversation.edits.get(row.id));
}

function withTools(item: MessageItem, { tools = [], usage }: HistoryRow): MessageItem {
  const start =
    tools.length > 0 ? { ...item, inserts: item.inserts.filter(({ kind }) => kind !== 'tool') } : item;
  const done = tools.reduce<MessageItem>(
    (one, frame) =>
      withInsert(one, {
        kind: 'tool',
        id: frame.tool,
        offset: Math.min(frame.offset, one.text.length),
        frame,
      }),
    start,
  );
  return usage ? { ...done, usage } : done;
}

/** How a reply ended: the row's word, or the turn's own while it is remembered, says more than `partial`. */
function endingOf(
  row: HistoryRow,
  item: MessageItem,
  before: MessageItem | undefined,
): Pick<MessageItem, 'status' | 'failure'> {
  if (item.role !== 'assistant') return { status: item.status };
  if (row.status && isTerminal(row.status))
    return { status: row.status, ...(row.error ? { failure: row.error } : {}) };
  if (item.status !== 'partial' || !before) return { status: item.status };
  const { status, failure } = before;
  const known = status !== 'sending' && status !== 'sent' && status !== 'partial' && isTerminal(status);
  return known ? { status, ...(failure ? { failure } : {}) } : { status: item.status };
}
