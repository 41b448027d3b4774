import {
  isTerminal,
  type MessageFrame,
  type ServerFrame,
  type TurnFrame,
} from '../protocol/server-frames.ts';
import { buttonList, fileLink, joined, promptText } from './as-markdown.ts';

/** A reply, or a part of one that a question ended, on its way to a client that can show one at a time. */
interface Reply {
  turn: string;
  /** The id of the reply's message. */
  message: string;
  conversation: string;
  /** The turn's text. */
  text: string;
  /** Where in that text this part begins. */
  from: number;
  /** How far the client has been sent it as chunks. */
  sent: number;
  /** What the client was sent is no longer how the text begins: it gets the truth with `done`. */
  diverged: boolean;
  /** It came as one message: there is nothing to stream, `done` brings it. */
  whole: boolean;
  /** After a `reset` nobody has said yet that its turn is still open. */
  lost: boolean;
  /** Its open questions. */
  asks: readonly string[];
  buttons: string;
  /** What ends it. */
  end?: object;
}

/** Something that was said outside of a streamed reply, whole. */
interface Block {
  end: object;
}

/** What is still to be told, in its order: the client hears about the first one only; those that wait for an answer are last. */
export interface Replies {
  queue: readonly (Reply | Block)[];
  /** Messages of this socket (their `client_id`) whose turns have not begun; it was told `typing` of them. */
  expected: readonly string[];
}

export const EMPTY_REPLIES: Replies = { queue: [], expected: [] };

/** As many as are remembered; only a `typing` too many depends on it. */
const EXPECTED = 64;

const TOO_LATE = 'Agent did not respond in time. Please try again.';
const LOST = 'The connection was interrupted. Please open the conversation again.';

/** The reply to a message is, or is no longer, awaited. */
export function expecting(replies: Replies, client_id: string | undefined, awaited = true): Replies {
  if (client_id === undefined) return replies;
  const others = replies.expected.filter((one) => one !== client_id);
  return { ...replies, expected: awaited ? [...others, client_id].slice(-EXPECTED) : others };
}

/** Turns that have not ended. */
export function unfinished({ queue }: Replies): string[] {
  return queue.flatMap((one) => ('turn' in one && !one.end ? [one.turn] : []));
}

/** One native frame of a conversation that is shown, in the client's words. */
export function repliesDown(replies: Replies, frame: ServerFrame): [Replies, object[]] {
  switch (frame.type) {
    case 'message':
      return frame.role === 'user' ? own(replies, frame) : said(replies, frame);
    case 'turn':
      return turned(replies, frame);
    case 'chunk': {
      const reply = replyOf(replies, frame.turn);
      if (!reply || frame.kind !== 'text') return [replies, []];
      const text = reply.text.slice(0, frame.offset) + frame.text;
      return told(replies, { ...grown(reply, text), whole: false });
    }
    case 'file':
      return told(replies, block(frame.conversation, fileLink(frame)));
    case 'prompt': {
      const reply = frame.turn === undefined ? undefined : replyOf(replies, frame.turn);
      const question = promptText(frame);
      if (!reply) return told(replies, block(frame.conversation, question));
      // The client may only write once it was told `done`: the question ends this part, and what follows is another.
      const asked = { ...reply, end: done(reply.conversation, joined([partOf(reply), question])) };
      const { text, asks } = reply;
      const place = { from: text.length, sent: text.length, diverged: false };
      const next = { ...reply, ...place, asks: [...asks, frame.prompt] };
      return flushed({ ...replies, queue: replaced(replies.queue, reply, [asked, next]) });
    }
    case 'prompt_closed':
      return [{ ...replies, queue: replies.queue.map((one) => answered(one, frame.prompt)) }, []];
    case 'edit': {
      const reply = replies.queue.find((one) => 'turn' in one && one.message === frame.id);
      return reply && 'turn' in reply ? told(replies, grown(reply, frame.text)) : [replies, []];
    }
    case 'reset':
      return [
        { ...replies, queue: replies.queue.map((one) => ('turn' in one ? { ...one, lost: true } : one)) },
        [],
      ];
    case 'ready':
      return flushed({ ...replies, queue: replies.queue.map(given) });
    case 'typing':
      return [replies, frame.sender === 'star' && frame.active && replies.queue.length === 0 ? [TYPING] : []];
    default:
      return [replies, []];
  }
}

const TYPING = { type: 'typing' };

/** The user said something: here, so that its turn is awaited already, or elsewhere. */
function own(replies: Replies, { turn, client_id = '', conversation }: MessageFrame): [Replies, object[]] {
  if (turn === undefined || !replies.expected.includes(client_id)) return [replies, []];
  return told(expecting(replies, client_id, false), begun(turn, '', conversation));
}

function said(
  replies: Replies,
  { turn = '', id, text, conversation, buttons }: MessageFrame,
): [Replies, object[]] {
  const reply = replyOf(replies, turn);
  const list = buttonList(buttons);
  if (reply?.message !== id) return told(replies, block(conversation, joined([text, list])));
  return told(replies, { ...grown(reply, text), whole: true, buttons: list });
}

function turned(replies: Replies, frame: TurnFrame): [Replies, object[]] {
  const { turn, message, conversation, status } = frame;
  const known = replyOf(replies, turn);
  // What had ended before this connection has been told as a message, but for a failure, which has none.
  if (!known && (status === 'completed' || status === 'cancelled')) return [replies, []];
  const reply = { ...(known ?? begun(turn, message, conversation)), message, lost: false };
  const typing = known || isTerminal(status) ? [] : [TYPING];
  const [next, frames] = told(replies, isTerminal(status) ? { ...reply, end: ending(reply, frame) } : reply);
  return [next, [...typing, ...frames]];
}

function ending(reply: Reply, { status, error }: TurnFrame): object {
  if (status === 'expired') return { type: 'error', message: TOO_LATE };
  if (status === 'failed') return { type: 'error', message: error?.message || error?.label || TOO_LATE };
  return done(reply.conversation, joined([partOf(reply), reply.buttons]));
}

function answered(one: Reply | Block, prompt: string): Reply | Block {
  return 'turn' in one ? { ...one, asks: one.asks.filter((open) => open !== prompt) } : one;
}

/** It has a question open and said nothing since: its user may say something else instead, and hears the reply to that. */
function isWaiting(one: Reply | Block): boolean {
  return 'turn' in one && !one.end && one.asks.length > 0 && one.text.length <= one.from;
}

/** What a `reset` may have ended unheard, where the open state that came after it does not have it. */
function given(one: Reply | Block): Reply | Block {
  return 'turn' in one && one.lost ? { ...one, end: one.end ?? { type: 'error', message: LOST } } : one;
}

function begun(turn: string, message: string, conversation: string): Reply {
  return {
    turn,
    message,
    conversation,
    text: '',
    from: 0,
    sent: 0,
    diverged: false,
    whole: false,
    lost: false,
    asks: [],
    buttons: '',
  };
}

function grown(reply: Reply, text: string): Reply {
  const same = text.slice(reply.from, reply.sent) === reply.text.slice(reply.from, reply.sent);
  // Of a question's reply that was replaced altogether, no part begins where it did.
  const from = Math.min(reply.from, text.length);
  return { ...reply, text, from, diverged: reply.diverged || !same };
}

function partOf({ text, from }: Reply): string {
  return text.slice(from);
}

function done(conversation_id: string, text: string): object {
  return { type: 'done', text, conversation_id };
}

function block(conversation: string, text: string): Block {
  return { end: done(conversation, text) };
}

/** The part of a turn's reply that goes on. */
function replyOf({ queue }: Replies, turn: string): Reply | undefined {
  return queue.findLast((one): one is Reply => 'turn' in one && one.turn === turn && !one.end);
}

function replaced(queue: Replies['queue'], old: Reply, by: readonly Reply[]): Replies['queue'] {
  return queue.flatMap((one): readonly (Reply | Block)[] => (one === old ? by : [one]));
}

/** The queue with something new, or a reply of it changed; and what the client hears now. */
function told(replies: Replies, item: Reply | Block): [Replies, object[]] {
  const known = 'turn' in item ? replyOf(replies, item.turn) : undefined;
  const queue = known && 'turn' in item ? replaced(replies.queue, known, [item]) : [...replies.queue, item];
  return flushed({ ...replies, queue });
}

/** Tells of the first one as far as it goes, and of the next ones behind it. */
function flushed(replies: Replies): [Replies, object[]] {
  const queue = [
    ...replies.queue.filter((one) => !isWaiting(one)),
    ...replies.queue.filter((one) => isWaiting(one)),
  ];
  const frames: object[] = [];
  for (let first = queue[0]; first; first = queue[0]) {
    if (first.end) {
      frames.push(first.end);
      queue.shift();
      continue;
    }
    if (!('turn' in first) || first.whole || first.diverged || first.text.length <= first.sent) break;
    frames.push({ type: 'chunk', text: first.text.slice(first.sent) });
    queue[0] = { ...first, sent: first.text.length };
    break;
  }
  return [{ ...replies, queue }, frames];
}
