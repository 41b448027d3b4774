import {
  type ChunkFrame,
  isTerminal,
  type PromptClosedFrame,
  type PromptFrame,
  type ToolFrame,
  type TurnFrame,
} from '../protocol/server-frames.ts';
import {
  findMessage,
  indexOf,
  mapItem,
  mapPrompts,
  place,
  withEntry,
  withInsert,
  withoutKey,
} from './items.ts';
import type { Conversation, MessageItem, PromptInsert } from './state.ts';

/** Who speaks in a draft; its final `message` says so itself. */
const BOT_SENDER = 'star';

interface DraftAddress {
  turn: string;
  message: string;
}

/** A reply that has no final message yet. */
function draft({ turn, message }: DraftAddress): MessageItem {
  return {
    kind: 'message',
    id: message,
    key: message,
    role: 'assistant',
    sender: BOT_SENDER,
    text: '',
    reasoning: '',
    status: 'running',
    edited: false,
    seq: 0,
    inserts: [],
    turn,
  };
}

/** Changes the draft of a turn, which is made where there is none. */
function changeDraft(
  conversation: Conversation,
  address: DraftAddress,
  change: (item: MessageItem) => MessageItem,
): Conversation {
  const index = indexOf(conversation.items, 'message', address.message);
  if (index < 0) return { ...conversation, items: place(conversation.items, change(draft(address))) };
  return mapItem(conversation, index, (item) => (item.kind === 'message' ? change(item) : item));
}

/** Streamed text. `offset` is where it begins: at the end of what is shown, or at 0 to repair it. */
export function chunked(
  conversation: Conversation,
  { kind, offset, text, ...address }: ChunkFrame,
): Conversation {
  return changeDraft(conversation, address, (item) => {
    const shown = item[kind];
    const next = offset === shown.length ? shown + text : shown.slice(0, offset) + text;
    return { ...item, [kind]: next, status: item.status === 'queued' ? 'running' : item.status };
  });
}

export function toolArrived(conversation: Conversation, frame: ToolFrame): Conversation {
  const message = conversation.open.get(frame.turn)?.message ?? messageOfTurn(conversation, frame.turn);
  if (message === undefined) return conversation;
  const insert = { kind: 'tool', id: frame.tool, offset: frame.offset, frame } as const;
  return changeDraft(conversation, { turn: frame.turn, message }, (item) =>
    withInsert(item, mergedTool(item, insert)),
  );
}

/** Later frames of a tool tell what changed: its place and what they leave out stays. */
function mergedTool(item: MessageItem, insert: Extract<MessageItem['inserts'][number], { kind: 'tool' }>) {
  const old = item.inserts.find((other) => other.kind === 'tool' && other.id === insert.id);
  if (old?.kind !== 'tool') return insert;
  return { ...insert, offset: old.offset, frame: { ...old.frame, ...insert.frame, offset: old.offset } };
}

function messageOfTurn(conversation: Conversation, turn: string): string | undefined {
  return conversation.items.findLast(
    (item) => item.kind === 'message' && item.role === 'assistant' && item.turn === turn,
  )?.id;
}

export function turnChanged(conversation: Conversation, frame: TurnFrame): Conversation {
  const { turn, message, seq, status } = frame;
  const known = conversation.open.get(turn);
  if (known && known.seq > seq) return conversation;
  if (isTerminal(status)) return ended({ ...conversation, open: withoutKey(conversation.open, turn) }, frame);
  const open = { ...conversation, open: withEntry(conversation.open, turn, { status, message, seq }) };
  return changeDraft(open, frame, (item) => ({ ...item, turn, status }));
}

function ended(
  conversation: Conversation,
  { turn, message, status, error, usage, seq }: TurnFrame,
): Conversation {
  const index = indexOf(conversation.items, 'message', message);
  const item = findMessage(conversation.items, message);
  const silent = !item || (item.seq === 0 && item.text === '' && item.inserts.length === 0);
  // A turn may do its work by files and other messages: a completed one without text leaves nothing behind.
  if (silent && status === 'completed') {
    return index < 0 ? conversation : { ...conversation, items: conversation.items.toSpliced(index, 1) };
  }
  return changeDraft(conversation, { turn, message }, (one) => ({
    ...one,
    status,
    // Without a final message this frame is what the item stands for.
    seq: one.seq || seq,
    ...(usage ? { usage } : {}),
    ...(error ? { failure: error } : {}),
  }));
}

export function promptArrived(conversation: Conversation, frame: PromptFrame): Conversation {
  const { prompt: id, turn } = frame;
  if (hasPrompt(conversation, id))
    return mapPrompts(conversation, (one) => (one.id === id ? { ...one, frame } : one));
  const message = turn === undefined ? undefined : conversation.open.get(turn)?.message;
  const host = message === undefined ? undefined : findMessage(conversation.items, message);
  const insert: PromptInsert = { kind: 'prompt', id, key: id, offset: host?.text.length ?? 0, frame };
  if (!host) return { ...conversation, items: place(conversation.items, insert) };
  return mapItem(conversation, indexOf(conversation.items, 'message', host.id), () =>
    withInsert(host, insert),
  );
}

function hasPrompt(conversation: Conversation, id: string): boolean {
  let found = false;
  mapPrompts(conversation, (one) => {
    found ||= one.id === id;
    return one;
  });
  return found;
}

export function promptClosed(
  conversation: Conversation,
  { prompt, reason, value }: PromptClosedFrame,
): Conversation {
  return mapPrompts(conversation, (one) => {
    if (one.id !== prompt) return one;
    const { answering, error, ...rest } = one;
    return { ...rest, closed: { reason, value } };
  });
}
