import type { ServerFrame } from '../../protocol/server-frames.ts';
import type { ChatFrame, Place } from './frames.ts';
import { changed, put, type Replies, replyOf } from './replies.ts';
import { type Reply, UNTOLD, type Words } from './words.ts';

/** What a page that shows one reply at a time is told of them; replies of other chats and later ones wait for their turn. */
export interface Telling {
  replies: Replies;
  /** A workflow's page runs: after a reply it waits for the next word. */
  run: boolean;
}

/** One native frame of the replies. */
export function heard(
  telling: Telling,
  frame: ServerFrame,
  { words, place, waits }: { words: Words; place: Place; waits: boolean },
): [Telling, ChatFrame[]] {
  const { replies, turn, part } = changed(telling.replies, frame, waits);
  const reply = replyOf(replies, turn);
  const busy = replies.some((one) => one !== reply && isShown(one, place.chat) && isGoing(one));
  if (!reply?.told) return told({ ...telling, replies }, words, place);
  // Another reply began while this one waited for an answer: it comes again, in its turn.
  if (part === 'again' || busy)
    return told({ ...telling, replies: put(replies, untold(reply)) }, words, place);
  if (part === undefined) return told({ ...telling, replies }, words, place);
  const [more, frames] = words.part(place, reply, reply.told, part);
  const [next, others] = told({ ...telling, replies: put(replies, { ...reply, told: more }) }, words, place);
  return [next, [...frames, ...others]];
}

function isShown({ conversation, waits }: Reply, chat: string): boolean {
  return conversation === chat && !waits;
}

/** It waits for an answer of the user, who may say something else instead. */
function isPaused(reply: Reply): boolean {
  return !reply.end && isAsking(reply);
}

function isAsking({ parts }: Reply): boolean {
  return parts.some(({ type }) => type === 'prompt');
}

function isGoing(reply: Reply): boolean {
  return reply.told !== undefined && !isPaused(reply);
}

/** The reply that the page of a chat is told of. */
export function headOf(replies: Replies, chat: string): Reply | undefined {
  const here = replies.filter((reply) => isShown(reply, chat));
  return here.find(isGoing) ?? here.find((reply) => !(reply.told && isPaused(reply)));
}

/** All replies as if nothing had been told of them, and none of them waiting. */
export function afresh(replies: Replies): Replies {
  return replies.map((reply) => ({ ...untold(reply), waits: false }));
}

function untold({ told: _, ...reply }: Reply): Reply {
  return reply;
}

/** Tells of the first reply of the chat as far as it has come, and once it has ended of the next; `asked`: not its questions. */
export function told(
  telling: Telling,
  words: Words,
  place: Place,
  { asked = false } = {},
): [Telling, ChatFrame[]] {
  const { chat } = place;
  const frames: ChatFrame[] = [];
  // Of a chat that is not shown, what has ended is in its history.
  let replies: Replies = telling.replies.filter(({ end, conversation }) => !end || conversation === chat);
  let { run } = telling;
  for (let head = headOf(replies, chat); head; head = headOf(replies, chat)) {
    let { told: so } = head;
    if (!so) {
      frames.push(...words.begin(place, head));
      so = UNTOLD;
      for (const part of head.parts) {
        if (asked && part.type === 'prompt') continue;
        const [next, said] = words.part(place, head, so, part);
        so = next;
        frames.push(...said);
      }
    }
    if (!head.end) {
      const now = { ...head, told: so };
      replies = put(replies, now);
      if (isPaused(now)) continue;
      break;
    }
    frames.push(...words.end(place, head, so, head.end));
    replies = replies.filter((one) => one !== head);
    if (head.end.status !== 'completed') run = false;
    // A question outlives its reply (P-WS-10): then the page waits for the answer already.
    else if (!headOf(replies, chat) && !isAsking(head)) frames.push(...words.after(place, run));
  }
  return [{ replies, run }, frames];
}
