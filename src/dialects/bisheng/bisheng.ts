import type { Command } from '../../protocol/client-frames.ts';
import { CLOSE, type ErrorBody, StarwireError } from '../../protocol/errors.ts';
import { ConversationId, RefId } from '../../protocol/ids.ts';
import { parse } from '../../protocol/parse.ts';
import type { MessageFrame, PromptFrame, ServerFrame } from '../../protocol/server-frames.ts';
import type { Dialect, Door, Step } from '../dialect.ts';
import { assistantWords, errorFrames, timeout } from './assistant.ts';
import { refusalFault, type WorkType } from './codes.ts';
import { type ChatFrame, chatFrame, fileView, type Place } from './frames.ts';
import { put } from './replies.ts';
import { afresh, headOf, heard, type Telling, told } from './telling.ts';
import { readFrame, type Wish, wishesOf } from './wishes.ts';
import type { Words } from './words.ts';
import { inputFrame, workflowWords } from './workflow.ts';

/**
 * The sockets of Bisheng's chat pages: skills, assistants, workflows. A page shows one chat, which is a conversation; another
 * one when it asks for it. Frames have no id of their reply, so that replies come one after the other.
 */
export interface BishengState extends Telling {
  work: WorkType;
  place: Place;
  version: string;
  /** Without a chat the page tries an app out: what is open ends with the socket. */
  trial: boolean;
  /** Messages of this socket (their `client_id`) that have not come back yet, and whether their replies are to be stopped. */
  sent: readonly { id: string; stop: boolean }[];
  /** Open questions of all chats. */
  prompts: readonly PromptFrame[];
  /** A workflow's page has not asked yet how things stand. */
  quiet: boolean;
}

/** Messages on their way that are remembered; the oldest one forgotten is told twice. */
const SENT = 64;

const WORDS: Readonly<Record<WorkType, Words>> = {
  flow: assistantWords('flow'),
  assistant: assistantWords('assistant'),
  workflow: workflowWords,
};

export const bisheng: Dialect<BishengState> = {
  name: 'bisheng',
  cookies: ['access_token_cookie'],
  sockets: [
    '/api/v1/chat/:flow_id',
    '/api/v1/assistant/chat/:assistant_id',
    '/api/v1/workflow/chat/:workflow_id',
  ],

  denied: (error) => ({
    frames: errorFrames({ user: '', flow: '', chat: '' }, refusalFault('flow', error)),
    close: { code: CLOSE.policy, reason: reasonOf(error) },
  }),

  open({ path, query: { chat_id = '', version_id = '' } }: Door, { user }): BishengState {
    const { flow_id, assistant_id, workflow_id } = path;
    const work = workflow_id !== undefined ? 'workflow' : assistant_id !== undefined ? 'assistant' : 'flow';
    const flow = parse(RefId, workflow_id ?? assistant_id ?? flow_id, 'flow_id');
    const chat = chat_id === '' ? '' : parse(ConversationId, chat_id, 'chat_id');
    return {
      work,
      place: { user, flow, chat },
      version: version_id,
      trial: chat === '',
      sent: [],
      replies: [],
      prompts: [],
      run: false,
      quiet: work === 'workflow',
    };
  },

  up(state, text, id): Step<BishengState> {
    const frame = readFrame(text);
    if (String(frame.user_id ?? state.place.user) !== state.place.user)
      throw new StarwireError('forbidden', 'the token belongs to somebody else', { field: 'user_id' });
    const moved = movedTo(state, frame.chat_id || state.place.chat, frame.flow_id || state.place.flow);
    const here = moved.state.prompts.filter(({ conversation }) => conversation === moved.state.place.chat);
    let { state: now } = moved;
    const commands: Command[] = [];
    const frames = [...moved.frames];
    for (const [n, wish] of wishesOf(frame, here).entries()) {
      const step = fulfilled(now, wish, n === 0 ? id : `${id}.${n}`);
      now = step.state;
      commands.push(...(step.commands ?? []));
      frames.push(...step.frames);
    }
    return { state: now, commands, frames };
  },

  down(state, frame): Step<BishengState> {
    const words = WORDS[state.work];
    const { place } = state;
    switch (frame.type) {
      case 'error':
        return refused(state, frame);
      case 'message':
        if (frame.role === 'user') return asked(state, frame);
        return state.replies.some(({ message }) => message === frame.id)
          ? replied(state, frame)
          : said(state, frame);
      case 'file':
        return said(state, frame);
      case 'edit':
        if (state.replies.some(({ message }) => message === frame.id)) return replied(state, frame);
        return { state, frames: frame.conversation === place.chat ? words.edited(place, frame) : [] };
      case 'prompt': {
        if (state.prompts.some(({ prompt }) => prompt === frame.prompt)) return { state };
        const next = { ...state, prompts: [...state.prompts, frame] };
        if (state.replies.some(({ turn }) => turn === frame.turn)) return replied(next, frame);
        const shown = frame.conversation === place.chat && !state.quiet;
        return { state: next, frames: shown ? words.asked(place, frame) : [] };
      }
      case 'prompt_closed': {
        const known = state.prompts.find(({ prompt }) => prompt === frame.prompt);
        const next = { ...state, prompts: state.prompts.filter((one) => one !== known) };
        if (state.replies.some(({ turn }) => turn === known?.turn)) return replied(next, frame);
        const late = frame.reason === 'expired' && known?.conversation === place.chat;
        return { state: next, frames: late ? errorFrames(place, timeout()) : [] };
      }
      case 'ready': {
        const step = replied(state, frame);
        return { ...step, state: { ...step.state, quiet: false } };
      }
      default:
        return replied(state, frame);
    }
  },

  left: (state) => (state.trial ? stops(state) : []),
};

/** Closes say why, as the original does. */
function reasonOf({ code, message }: ErrorBody): string {
  if (code === 'unauthorized' || code === 'token_expired') return 'Unauthorized';
  return code === 'forbidden' ? 'No permission to use this app' : message.slice(0, 100);
}

type Said = Step<BishengState> & { frames: readonly ChatFrame[] };

/** The page shows another chat, or the same: what is open there is told from its beginning. */
function movedTo(state: BishengState, chat: string, flow: string): Said {
  const place = { ...state.place, flow: parse(RefId, flow, 'flow_id') };
  if (chat === place.chat) return { state: { ...state, place }, frames: [] };
  place.chat = parse(ConversationId, chat, 'chat_id');
  return retold({ ...state, place, trial: false }, false);
}

/** What is open in the chat, from its beginning; `asked`: its questions have been asked again already. */
function retold(state: BishengState, asked: boolean): Said {
  const { work, place } = state;
  const fresh = { replies: afresh(state.replies), run: state.run };
  const [telling, frames] = told(fresh, WORDS[work], place, { asked });
  return { state: { ...state, ...telling, quiet: false }, frames };
}

function fulfilled(state: BishengState, wish: Wish, id: string): Said {
  const { place, work } = state;
  switch (wish.does) {
    case 'pong':
      return {
        state,
        frames: [chatFrame(place, 'processing', 'human', { is_bot: false, message: 'pong' })],
      };
    case 'stop': {
      const commands = stops(state);
      const sent = state.sent.map((one) => ({ ...one, stop: true }));
      const idle = commands.length === 0 && sent.length === 0;
      return {
        state: { ...state, sent, run: false },
        commands,
        frames: idle ? [chatFrame(place, 'processing', 'close')] : [],
      };
    }
    case 'switch': {
      const moved = movedTo(state, wish.chat, wish.flow ?? place.flow);
      // A page that was here before may think that something still is on its way.
      return isOpen(moved.state)
        ? moved
        : { ...moved, frames: [chatFrame(moved.state.place, 'processing', 'close')] };
    }
    case 'start': {
      if (work !== 'workflow') return { state, frames: [] };
      const running = { ...state, run: true, quiet: false };
      if (isOpen(state)) return resumed(running);
      return { state: running, frames: [chatFrame(place, 'processing', 'begin'), inputFrame(place)] };
    }
    case 'resume':
      return isOpen(state)
        ? resumed({ ...state, quiet: false })
        : { state: { ...state, quiet: false }, frames: [chatFrame(place, 'processing', 'close')] };
    case 'answer':
      return {
        state,
        commands: [{ type: 'answer', client_id: id, prompt: wish.prompt, value: wish.value }],
        frames: [],
      };
    case 'say': {
      const chat = place.chat || `trial-${id}`;
      const extra = {
        work_type: work,
        flow_id: place.flow,
        ...(state.version === '' ? {} : { version_id: state.version }),
        ...wish.extra,
      };
      return {
        state: {
          ...state,
          place: { ...place, chat },
          sent: [...state.sent, { id, stop: false }].slice(-SENT),
          run: work === 'workflow',
          quiet: false,
        },
        commands: [{ type: 'message', client_id: id, text: wish.text, conversation: chat, extra }],
        frames: [],
      };
    }
    default:
      return wish satisfies never;
  }
}

/** The pending questions again, then what is on its way. */
function resumed(state: BishengState): Said {
  const { place, work } = state;
  const pending = state.prompts.filter(({ conversation }) => conversation === place.chat);
  const rows = pending.flatMap((prompt) => WORDS[work].asked(place, prompt));
  const { state: next, frames } = retold(state, true);
  const begun = state.replies.some(({ conversation }) => conversation === place.chat);
  return {
    state: next,
    frames: [...rows, ...(begun ? frames : [chatFrame(place, 'processing', 'begin')])],
  };
}

function isOpen({ replies, prompts, place: { chat } }: BishengState): boolean {
  return [...replies, ...prompts].some(({ conversation }) => conversation === chat);
}

function stops({ replies, place: { chat } }: BishengState): Command[] {
  return replies.flatMap(({ turn, conversation, end }) =>
    conversation === chat && !end ? [{ type: 'cancel' as const, turn }] : [],
  );
}

function replied(state: BishengState, frame: ServerFrame): Said {
  const { work, place, quiet } = state;
  const [telling, frames] = heard(state, frame, { words: WORDS[work], place, waits: quiet });
  return { state: { ...state, ...telling }, frames };
}

/** The user said something: here, so that the page has it; or elsewhere, so that it has not. */
function asked(state: BishengState, frame: MessageFrame): Said {
  const { client_id, conversation, turn, id, text, attachments = [] } = frame;
  const { place } = state;
  const own = state.sent.find((one) => one.id === client_id);
  if (own)
    return {
      state: { ...state, sent: state.sent.filter((one) => one !== own) },
      commands: own.stop && turn !== undefined ? [{ type: 'cancel', turn }] : [],
      frames: [],
    };
  if (conversation !== place.chat) return { state, frames: [] };
  const files = attachments.map(fileView);
  const question = { is_bot: false, message: text, message_id: id, files };
  return { state, frames: [chatFrame(place, 'question', 'human', question)] };
}

function said(state: BishengState, frame: Extract<ServerFrame, { type: 'message' | 'file' }>): Said {
  const { work, place } = state;
  if (frame.conversation !== place.chat) return { state, frames: [] };
  const head = headOf(state.replies, place.chat);
  const [so, frames] = WORDS[work].said(place, head?.told, frame);
  const replies = head && so ? put(state.replies, { ...head, told: so }) : state.replies;
  return { state: { ...state, replies }, frames };
}

function refused(
  state: BishengState,
  { client_id, ...error }: Extract<ServerFrame, { type: 'error' }>,
): Said {
  // Who stops what has just ended has what they want.
  if (error.code === 'turn_finished' && client_id === undefined) return { state, frames: [] };
  const { place, work, run } = state;
  const next = { ...state, sent: state.sent.filter(({ id }) => id !== client_id) };
  const close = work === 'workflow' && run ? inputFrame(place) : chatFrame(place, 'processing', 'close');
  return {
    state: next,
    frames: [...errorFrames(place, refusalFault(work, error)), ...(isOpen(state) ? [] : [close])],
  };
}
