import { isDraft, mapPrompts, turnOf, withEntry } from './items.ts';
import type { ChatState, Conversation } from './state.ts';

/**
 * A connection that did not resume names every open turn and prompt before `ready`. What is not named ended while
 * nobody looked; history, which is read next, tells how. Until then everything stays on screen.
 */
export function resyncing(state: ChatState, reset = false): ChatState {
  const named = { turns: new Set<string>(), prompts: new Set<string>() };
  return { ...(reset ? mapAll(state, unnumbered) : state), named };
}

/** After a reset the numbers of another epoch mean nothing: whatever history has is newer. */
function unnumbered(conversation: Conversation): Conversation {
  const items = conversation.items.map((item) =>
    item.kind === 'prompt' || item.seq === 0 ? item : { ...item, seq: 0 },
  );
  return { ...conversation, items, edits: new Map() };
}

export function resynced(state: ChatState): ChatState {
  const { named, ...rest } = state;
  if (!named) return state;
  return mapAll(rest, (conversation) => closeUnnamed(conversation, named));
}

function closeUnnamed(conversation: Conversation, named: NonNullable<ChatState['named']>): Conversation {
  const gone = new Set([...conversation.open.keys()].filter((turn) => !named.turns.has(turn)));
  const closed = mapPrompts(conversation, (prompt) => {
    if (prompt.closed || named.prompts.has(prompt.id)) return prompt;
    const { answering, ...one } = prompt;
    return { ...one, closed: { reason: 'expired' } };
  });
  if (gone.size === 0) return closed;
  const items = closed.items.filter((item) => !(isDraft(item) && gone.has(turnOf(item) ?? '')));
  return { ...closed, items, open: new Map([...closed.open].filter(([turn]) => !gone.has(turn))) };
}

function mapAll(state: ChatState, step: (conversation: Conversation) => Conversation): ChatState {
  let conversations = state.conversations;
  for (const [id, conversation] of state.conversations) {
    const next = step(conversation);
    if (next !== conversation) conversations = withEntry(conversations, id, next);
  }
  return conversations === state.conversations ? state : { ...state, conversations };
}
