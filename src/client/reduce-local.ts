import { mapItem, mapPrompts, withEntry, withoutKey } from './items.ts';
import { type Conversation, isUnsent, type LocalInput, type MessageItem } from './state.ts';

type Local<T extends LocalInput['type']> = Extract<LocalInput, { type: T }>;

/** An own message is shown at once, under its `client_id`, until the server's copy replaces it. */
export function optimistic(
  conversation: Conversation,
  { send, at, files }: Local<'local.message'>,
  sender: string,
): Conversation {
  const { client_id, text, reply_to } = send;
  if (ownIndex(conversation, client_id) >= 0) return conversation;
  const item: MessageItem = {
    kind: 'message',
    id: client_id,
    key: client_id,
    role: 'user',
    sender,
    text,
    reasoning: '',
    status: 'sending',
    edited: false,
    seq: 0,
    inserts: [],
    timestamp: at,
    client_id,
    ...(reply_to === undefined ? {} : { reply_to }),
    ...(files.length > 0 ? { attachments: files } : {}),
  };
  return { ...conversation, items: [...conversation.items, item] };
}

function ownIndex(conversation: Conversation, client_id: string): number {
  return conversation.items.findLastIndex((item) => item.kind === 'message' && item.client_id === client_id);
}

export function pressing(
  conversation: Conversation,
  { client_id, message, custom_id }: Local<'local.press'>,
): Conversation {
  if (!conversation.items.some((item) => item.kind === 'message' && item.id === message)) return conversation;
  const known = conversation.pressed.get(message) ?? new Map<string, string | true>();
  if (known.has(custom_id)) return conversation;
  return {
    ...conversation,
    pressed: withEntry(conversation.pressed, message, withEntry(known, custom_id, client_id)),
  };
}

export function answering(
  conversation: Conversation,
  { client_id, prompt, value }: Local<'local.answer'>,
): Conversation {
  return mapPrompts(conversation, (one) => {
    if (one.id !== prompt || one.closed) return one;
    const { error, ...rest } = one;
    return { ...rest, answering: { client_id, value } };
  });
}

/** The server will not take a send: it is marked with the reason, and what it waited for is free again. */
export function refused(
  conversation: Conversation,
  { client_id, error }: Local<'local.refused'>,
): Conversation {
  const marked = mapItem(conversation, ownIndex(conversation, client_id), (item) =>
    item.kind === 'message' && isUnsent(item) ? { ...item, status: 'failed', error } : item,
  );
  return withoutPress(
    mapPrompts(marked, (one) => {
      if (one.answering?.client_id !== client_id) return one;
      const { answering: gone, ...rest } = one;
      return { ...rest, error };
    }),
    client_id,
    // Somebody pressed it before: it is pressed, only not by this send.
    error.code === 'already_answered',
  );
}

function withoutPress(conversation: Conversation, client_id: string, pressed: boolean): Conversation {
  for (const [message, buttons] of conversation.pressed) {
    for (const [custom_id, by] of buttons) {
      if (by !== client_id) continue;
      const next = pressed
        ? withEntry<string, string | true>(buttons, custom_id, true)
        : withoutKey(buttons, custom_id);
      return { ...conversation, pressed: withEntry(conversation.pressed, message, next) };
    }
  }
  return conversation;
}

export function retried(conversation: Conversation, client_id: string): Conversation {
  return mapItem(conversation, ownIndex(conversation, client_id), (item) => {
    if (item.kind !== 'message' || !isUnsent(item)) return item;
    const { error, ...rest } = item;
    return { ...rest, status: 'sending' };
  });
}

export function discard(conversation: Conversation, client_id: string): Conversation {
  const index = ownIndex(conversation, client_id);
  const item = conversation.items[index];
  if (!item || !isUnsent(item)) return conversation;
  return { ...conversation, items: conversation.items.toSpliced(index, 1) };
}
