import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import type { ServerFrame } from '../protocol/server-frames.ts';
import { withEntry, withoutKey } from './items.ts';
import { reduceHistory } from './reduce-history.ts';
import { answering, discard, optimistic, pressing, refused, retried } from './reduce-local.ts';
import { acknowledged, edited, fileArrived, messageArrived } from './reduce-messages.ts';
import { chunked, promptArrived, promptClosed, toolArrived, turnChanged } from './reduce-turns.ts';
import { resynced, resyncing } from './resync.ts';
import { type ChatState, type Conversation, emptyConversation, type LocalInput } from './state.ts';

/**
 * The whole of what a client shows, as a pure function: `reduce(state, input)` returns the next state and leaves
 * the old one alone. Frames must have passed a `Tracker`, which removes what was seen before. An input that changes
 * nothing returns the same object.
 *
 * @example frames.reduce(reduce, EMPTY_STATE)
 */
export function reduce(state: ChatState, input: ServerFrame | LocalInput): ChatState {
  switch (input.type) {
    case 'welcome': {
      const { user, bot, limits, resumed } = input;
      return { ...(resumed ? state : resyncing(state)), user, bot, limits };
    }
    case 'reset':
      return resyncing(state, true);
    case 'ready':
      return resynced(state);
    case 'batch':
      return input.frames.reduce(reduce, state);
    case 'error':
      // Refusals of sends come as `local.refused`, once the outbox has decided that they are final.
      return state;
    case 'message':
      return change(state, input.conversation, (one) => messageArrived(one, input));
    case 'ack':
      return change(state, input.conversation, (one) => acknowledged(one, input));
    case 'edit':
      return change(state, input.conversation, (one) => edited(one, input));
    case 'file':
      return change(state, input.conversation, (one) => fileArrived(one, input));
    case 'chunk':
      return change(state, input.conversation, (one) => chunked(one, input));
    case 'tool':
      return change(state, input.conversation, (one) => toolArrived(one, input));
    case 'turn': {
      const next = change(state, input.conversation, (one) => turnChanged(one, input));
      return next.named
        ? { ...next, named: { ...next.named, turns: new Set(next.named.turns).add(input.turn) } }
        : next;
    }
    case 'prompt': {
      const next = change(state, input.conversation, (one) => promptArrived(one, input));
      return next.named
        ? { ...next, named: { ...next.named, prompts: new Set(next.named.prompts).add(input.prompt) } }
        : next;
    }
    case 'prompt_closed':
      return changeAll(state, (one) => promptClosed(one, input));
    case 'typing': {
      const { sender, active } = input;
      if (sender === state.user?.id) return state;
      return change(state, input.conversation ?? DEFAULT_CONVERSATION, (one) => typing(one, sender, active));
    }
    case 'delta':
      return state;
    case 'conversation':
      if (input.status === 'deleted')
        return { ...state, conversations: withoutKey(state.conversations, input.id) };
      return change(state, input.id, (one) =>
        input.title === undefined ? one : { ...one, title: input.title },
      );
    case 'local.message':
      return change(state, input.send.conversation ?? DEFAULT_CONVERSATION, (one) =>
        optimistic(one, input, state.user?.id ?? ''),
      );
    case 'local.press':
      return changeAll(state, (one) => pressing(one, input));
    case 'local.answer':
      return changeAll(state, (one) => answering(one, input));
    case 'local.refused':
      return changeAll(state, (one) => refused(one, input));
    case 'local.retry':
      return changeAll(state, (one) => retried(one, input.client_id));
    case 'local.discard':
      return changeAll(state, (one) => discard(one, input.client_id));
    case 'local.disconnected':
      return changeAll(state, (one) => (one.typing.length === 0 ? one : { ...one, typing: [] }));
    case 'local.history':
      return change(state, input.conversation, (one) => reduceHistory(one, input));
    default:
      return unreachable(input);
  }
}

function unreachable(input: never): never {
  throw new TypeError(`no such input: ${JSON.stringify(input)}`);
}

function change(state: ChatState, id: string, step: (conversation: Conversation) => Conversation): ChatState {
  const before = state.conversations.get(id) ?? emptyConversation(id);
  const after = step(before);
  return after === state.conversations.get(id)
    ? state
    : { ...state, conversations: withEntry(state.conversations, id, after) };
}

function changeAll(state: ChatState, step: (conversation: Conversation) => Conversation): ChatState {
  return [...state.conversations.keys()].reduce((next, id) => change(next, id, step), state);
}

function typing(conversation: Conversation, sender: string, active: boolean): Conversation {
  if (conversation.typing.includes(sender) === active) return conversation;
  const others = conversation.typing.filter((other) => other !== sender);
  return { ...conversation, typing: active ? [...others, sender] : others };
}
