import type { Conversation, Insert, Item, MessageItem, PromptInsert } from './state.ts';
import { isUnsent } from './state.ts';

/** Small steps on lists of items; each returns a new list, or the same where nothing changes. */

export function replaceAt<T>(list: readonly T[], index: number, item: T): readonly T[] {
  return list[index] === item ? list : list.with(index, item);
}

/** The index of an item by the server's id. Recent items are asked for most, so the search begins at the end. */
export function indexOf(items: readonly Item[], kind: Item['kind'], id: string): number {
  return items.findLastIndex((item) => item.kind === kind && item.id === id);
}

export function findMessage(items: readonly Item[], id: string): MessageItem | undefined {
  const item = items[indexOf(items, 'message', id)];
  return item?.kind === 'message' ? item : undefined;
}

/** A reply whose final message has not come. */
export function isDraft(item: Item): boolean {
  return item.kind === 'message' && item.role === 'assistant' && item.seq === 0;
}

/**
 * Puts a new item where it is read: what belongs to a turn stands together, its messages before its files, so that a
 * reply stands under its question even where the next question came meanwhile. The rest goes to the end, before
 * unsent messages.
 */
export function place(items: readonly Item[], item: Item): readonly Item[] {
  return items.toSpliced(placeFor(items, item), 0, item);
}

function placeFor(items: readonly Item[], item: Item): number {
  const turn = turnOf(item);
  if (turn !== undefined) {
    const sibling = (other: Item): boolean => turnOf(other) === turn;
    // The journal has the reply last: other messages of the turn come before its draft.
    const precedes = (other: Item): boolean =>
      item.kind !== 'message' || (other.kind === 'message' && !isDraft(other));
    const after = items.findLastIndex((other) => sibling(other) && precedes(other));
    if (after >= 0) return after + 1;
    const before = items.findIndex(sibling);
    if (before >= 0) return before;
  }
  return items.findLastIndex((other) => !isUnsent(other)) + 1;
}

export function turnOf(item: Item): string | undefined {
  return item.kind === 'prompt' ? item.frame.turn : item.turn;
}

/** Adds or replaces an insert of a message, in the order of the offsets. */
export function withInsert(message: MessageItem, insert: Insert): MessageItem {
  const rest = message.inserts.filter((other) => other.kind !== insert.kind || other.id !== insert.id);
  const at = rest.findLastIndex((other) => other.offset <= insert.offset);
  return { ...message, inserts: rest.toSpliced(at + 1, 0, insert) };
}

/** Changes one item, if `change` returns another. */
export function mapItem(
  conversation: Conversation,
  index: number,
  change: (item: Item) => Item,
): Conversation {
  const item = conversation.items[index];
  if (!item) return conversation;
  const items = replaceAt(conversation.items, index, change(item));
  return items === conversation.items ? conversation : { ...conversation, items };
}

/** Changes every prompt for which `change` returns another, wherever it stands. */
export function mapPrompts(
  conversation: Conversation,
  change: (prompt: PromptInsert) => PromptInsert,
): Conversation {
  let items = conversation.items;
  conversation.items.forEach((item, index) => {
    if (item.kind === 'prompt') items = replaceAt(items, index, change(item));
    else if (item.kind === 'message' && item.inserts.length > 0) {
      const inserts = mapChanged(item.inserts, (insert) =>
        insert.kind === 'prompt' ? change(insert) : insert,
      );
      if (inserts !== item.inserts) items = items.with(index, { ...item, inserts });
    }
  });
  return items === conversation.items ? conversation : { ...conversation, items };
}

function mapChanged<T>(list: readonly T[], change: (item: T) => T): readonly T[] {
  const next = list.map(change);
  return next.every((item, index) => item === list[index]) ? list : next;
}

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

export function withoutKey<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const next = new Map(map);
  next.delete(key);
  return next;
}
