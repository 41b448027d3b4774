import {
  type ChunkFrame,
  isTerminal,
  type ServerFrame,
  type TurnFrame,
} from '../../protocol/server-frames.ts';
import { type Part, type Reply, textOf } from './words.ts';

/** The replies of open turns, in the order in which they began. What a page has been told of them is not changed here. */
export type Replies = readonly Reply[];

/** What a frame does to the replies, and what is new in the one that it is about. */
export interface Change {
  replies: Replies;
  /** The one that the frame is about. */
  turn?: string;
  /** What its page is to be told; without one, it is to be told of it all again. */
  part?: Part | 'again';
}

/** `waits`: what begins now was open before its page came, and is told when it asks. */
export function changed(replies: Replies, frame: ServerFrame, waits: boolean): Change {
  switch (frame.type) {
    case 'turn':
      return turned(replies, frame, waits);
    case 'chunk': {
      const reply = replyOf(replies, frame.turn);
      return reply ? grown(replies, reply, frame) : { replies };
    }
    case 'tool': {
      const reply = replyOf(replies, frame.turn);
      return reply ? more(replies, reply, frame) : { replies };
    }
    case 'prompt': {
      const reply = replyOf(replies, frame.turn);
      return reply ? more(replies, reply, frame) : { replies };
    }
    case 'prompt_closed': {
      const asked = (part: Part): boolean => part.type === 'prompt' && part.prompt === frame.prompt;
      const reply = replies.find(({ parts }) => parts.some(asked));
      if (!reply) return { replies };
      const open = { ...reply, parts: reply.parts.filter((part) => !asked(part)) };
      return { replies: put(replies, open), turn: reply.turn, part: frame };
    }
    case 'message': {
      const reply = replyOf(replies, frame.turn);
      if (reply?.message !== frame.id) return { replies };
      const reasoned = rewritten(reply, 'reasoning', frame.reasoning ?? textOf(reply, 'reasoning'));
      return { replies: put(replies, rewritten(reasoned, 'text', frame.text)), turn: reply.turn };
    }
    case 'edit': {
      const reply = replies.find(({ message }) => message === frame.id);
      if (!reply) return { replies };
      return { replies: put(replies, rewritten(reply, 'text', frame.text)), turn: reply.turn };
    }
    case 'reset':
      return { replies: replies.map((reply) => ({ ...reply, lost: true })) };
    case 'ready':
      return {
        replies: replies.map((reply) => (reply.lost ? { ...reply, end: interrupted(reply) } : reply)),
      };
    default:
      return { replies };
  }
}

export function replyOf(replies: Replies, turn: string | undefined): Reply | undefined {
  return replies.find((reply) => reply.turn === turn);
}

export function put(replies: Replies, reply: Reply): Replies {
  return replies.map((one) => (one.turn === reply.turn ? reply : one));
}

/** What a `reset` may have ended unheard, where the open state that came after it does not have it. */
function interrupted({ turn, message, conversation }: Reply): TurnFrame {
  const error = {
    label: 'Interrupted',
    type: 'interrupted',
    message: 'The connection was interrupted. Please open the chat again.',
    hint: 'The history has what was said.',
  };
  return { type: 'turn', seq: 0, turn, message, conversation, status: 'failed', error };
}

const EMPTY = { parts: [], lengths: { text: 0, reasoning: 0 }, whole: false };

function turned(replies: Replies, frame: TurnFrame, waits: boolean): Change {
  const { turn, message, conversation, status } = frame;
  const known = replyOf(replies, turn);
  const over = isTerminal(status);
  // What had ended before this connection has been told as a message, but for a failure, which has none.
  if (!known && over && (status === 'completed' || status === 'cancelled')) return { replies };
  const reply: Reply = {
    ...(known ?? { turn, message, conversation, ...EMPTY, waits }),
    lost: false,
    ...(over ? { end: frame } : {}),
  };
  return { replies: known ? put(replies, reply) : [...replies, reply], turn };
}

/** Text that follows on what there is; or begins before its end, so that what was shown is not true any more. */
function grown(replies: Replies, reply: Reply, chunk: ChunkFrame): Change {
  const { kind, offset, text } = chunk;
  if (offset === reply.lengths[kind] && !reply.whole) return more(replies, reply, chunk);
  const again = replaced(reply, kind, textOf(reply, kind).slice(0, offset) + text);
  return { replies: put(replies, { ...again, whole: false }), turn: reply.turn, part: 'again' };
}

function more(replies: Replies, reply: Reply, part: Part): Change {
  const last = reply.parts.at(-1);
  const next = { ...reply, parts: [...reply.parts, part] };
  if (part.type === 'chunk') {
    next.lengths = { ...reply.lengths, [part.kind]: reply.lengths[part.kind] + part.text.length };
    if (last?.type === 'chunk' && last.kind === part.kind)
      next.parts = [...reply.parts.slice(0, -1), { ...last, text: last.text + part.text }];
  }
  return { replies: put(replies, next), turn: reply.turn, part };
}

/** The reply said as one message; nothing changes where it is what was streamed. */
function rewritten(reply: Reply, kind: ChunkFrame['kind'], text: string): Reply {
  return textOf(reply, kind) === text ? reply : { ...replaced(reply, kind, text), whole: true };
}

function replaced(reply: Reply, kind: ChunkFrame['kind'], text: string): Reply {
  const { turn, message, conversation, parts } = reply;
  const chunk: ChunkFrame = { type: 'chunk', turn, message, conversation, kind, offset: 0, text };
  return {
    ...reply,
    parts: [...parts.filter((part) => part.type !== 'chunk' || part.kind !== kind), chunk],
    lengths: { ...reply.lengths, [kind]: text.length },
  };
}
