import type { AckFrame, EditFrame, FileFrame, MessageFrame } from '../protocol/server-frames.ts';
import { indexOf, mapItem, place, withEntry } from './items.ts';
import { type Conversation, type FileItem, type Item, isUnsent, type MessageItem } from './state.ts';

/** Edits of messages that are not here, kept for history that is on its way. */
const EDITS_KEPT = 64;

/** The message as an item; what only this side knows is taken over from the one it replaces. */
export function messageItem(frame: MessageFrame, old: MessageItem | undefined): MessageItem {
  const { id, role, sender, text, timestamp, seq, partial } = frame;
  const {
    reasoning = '',
    buttons,
    attachments,
    turn = old?.turn,
    client_id,
    reply_to,
    replaces,
    custom_id,
  } = frame;
  return {
    kind: 'message',
    id,
    key: old?.key ?? id,
    role,
    sender,
    text,
    reasoning: reasoning || (old?.reasoning ?? ''),
    timestamp,
    seq,
    status: role === 'user' ? 'sent' : partial ? 'partial' : 'completed',
    edited: false,
    inserts: (old?.inserts ?? []).map((insert) =>
      insert.offset > text.length ? { ...insert, offset: text.length } : insert,
    ),
    ...(buttons ? { buttons } : {}),
    ...(attachments ? { attachments } : {}),
    ...(turn === undefined ? {} : { turn }),
    ...(client_id === undefined ? {} : { client_id }),
    ...(reply_to === undefined ? {} : { reply_to }),
    ...(replaces === undefined ? {} : { replaces }),
    ...(custom_id === undefined ? {} : { custom_id }),
    ...(old?.usage ? { usage: old.usage } : {}),
  };
}

/** Adds or replaces a message. A draft, an optimistic message and a replaced reply give their place to it. */
export function messageArrived(conversation: Conversation, frame: MessageFrame): Conversation {
  const { items, open } = conversation;
  const index = placeOf(items, frame.id, frame.client_id);
  const old = messageAt(items, index);
  if (old && old.seq > frame.seq) return conversation;
  const whole = applyEdit(messageItem(frame, old), conversation.edits.get(frame.id));
  const turn = frame.turn === undefined ? undefined : open.get(frame.turn);
  // A reply that came whole does not end its turn: more may follow until the turn's own word.
  const item = turn?.message === frame.id ? { ...whole, status: turn.status } : whole;
  const replaced = frame.replaces === undefined ? -1 : indexOf(items, 'message', frame.replaces);
  const typing = without(conversation.typing, frame.sender);
  return withPress({ ...conversation, typing, items: put(items, item, index, replaced) }, frame);
}

function put(items: readonly Item[], item: MessageItem, index: number, replaced: number): readonly Item[] {
  if (replaced >= 0) {
    const there = items.with(replaced, { ...item, key: item.key });
    return index >= 0 ? there.toSpliced(index, 1) : there;
  }
  if (index < 0) return place(items, item);
  return moved(items, index, item);
}

/** An own message is last until the server gives it a place among what arrived meanwhile. */
function moved(items: readonly Item[], index: number, item: MessageItem): readonly Item[] {
  const old = items[index];
  return old && isUnsent(old) ? place(items.toSpliced(index, 1), item) : items.with(index, item);
}

/** Finds a message by its id, or an optimistic one by its `client_id`. */
function placeOf(items: readonly Item[], id: string, client_id: string | undefined): number {
  const known = indexOf(items, 'message', id);
  if (known >= 0 || client_id === undefined) return known;
  return items.findLastIndex((item) => item.kind === 'message' && item.client_id === client_id);
}

function messageAt(items: readonly Item[], index: number): MessageItem | undefined {
  const item = items[index];
  return item?.kind === 'message' ? item : undefined;
}

function without(typing: readonly string[], sender: string): readonly string[] {
  return typing.includes(sender) ? typing.filter((other) => other !== sender) : typing;
}

/** A pressed button is journalled as a message of the user that names it. */
export function withPress(
  conversation: Conversation,
  { custom_id, reply_to, role }: MessageFrame,
): Conversation {
  if (role !== 'user' || custom_id === undefined || reply_to === undefined) return conversation;
  const known = conversation.pressed.get(reply_to) ?? new Map<string, string | true>();
  if (known.get(custom_id) === true) return conversation;
  return {
    ...conversation,
    pressed: withEntry(conversation.pressed, reply_to, withEntry(known, custom_id, true)),
  };
}

/** The server has taken a send: an optimistic message gets its id and place; its `message` frame follows. */
export function acknowledged(
  conversation: Conversation,
  { client_id, id, turn, seq }: AckFrame,
): Conversation {
  const items = conversation.items;
  const index = items.findLastIndex(
    (item) => isUnsent(item) && item.kind === 'message' && item.client_id === client_id,
  );
  const old = messageAt(items, index);
  if (!old) return conversation;
  // A reload in between: history already has the message, and the optimistic copy goes.
  if (indexOf(items, 'message', id) >= 0) return { ...conversation, items: items.toSpliced(index, 1) };
  const { error, ...rest } = old;
  const item: MessageItem = { ...rest, id, seq, status: 'sent', ...(turn === undefined ? {} : { turn }) };
  return { ...conversation, items: moved(items, index, item) };
}

/** New text, and the buttons that come with it; without `buttons` the message keeps its own. */
export function applyEdit(item: MessageItem, edit: EditFrame | undefined): MessageItem {
  if (!edit || edit.seq <= item.seq) return item;
  return {
    ...item,
    text: edit.text,
    seq: edit.seq,
    edited: true,
    ...(edit.buttons ? { buttons: edit.buttons } : {}),
  };
}

export function edited(conversation: Conversation, frame: EditFrame): Conversation {
  const index = indexOf(conversation.items, 'message', frame.id);
  if (index >= 0)
    return mapItem(conversation, index, (item) => (item.kind === 'message' ? applyEdit(item, frame) : item));
  const edits = new Map(conversation.edits).set(frame.id, frame);
  for (const old of edits.keys()) {
    if (edits.size <= EDITS_KEPT) break;
    edits.delete(old);
  }
  return { ...conversation, edits };
}

export function fileItem({ data, ...frame }: FileFrame): FileItem {
  const { id, seq, turn } = frame;
  // The bytes are at `url` as well; kept in every state they would only weigh.
  return { kind: 'file', id, key: id, seq, frame, ...(turn === undefined ? {} : { turn }) };
}

export function fileArrived(conversation: Conversation, frame: FileFrame): Conversation {
  const index = indexOf(conversation.items, 'file', frame.id);
  const item = fileItem(frame);
  const items = index < 0 ? place(conversation.items, item) : conversation.items.with(index, item);
  return { ...conversation, items, typing: without(conversation.typing, frame.sender) };
}
