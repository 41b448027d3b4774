import * as v from 'valibot';
import type { Command } from '../protocol/client-frames.ts';
import { CLOSE, StarwireError } from '../protocol/errors.ts';
import { parse, parseJson } from '../protocol/parse.ts';
import type { PromptFrame, ServerFrame } from '../protocol/server-frames.ts';
import type { Dialect, Door, Hello, Step } from './dialect.ts';
import { EMPTY_REPLIES, expecting, type Replies, repliesDown, unfinished } from './konstruct-replies.ts';
import { answerOf } from './written-answers.ts';

/**
 * The Konstruct portal's socket, `WS /chat/ws/{conversation_id}`. The client says who it is in its first frame, then sends
 * `message {text, agentId, conversationId?, displayName?}`; it hears `typing`, `chunk {text}`, `done {text, conversation_id}` and
 * `error {message}`. Its replies come one after the other, so that its chunks need no id.
 */
export interface KonstructState {
  /** Where messages go that name no conversation. */
  conversation: string;
  /** Conversations that this socket shows: those it has named, the newest last. */
  shown: readonly string[];
  replies: Replies;
  /** Open questions: what the client says next may answer the newest of its conversation. */
  prompts: readonly PromptFrame[];
}

/** Conversations that one socket shows at a time; the portal opens one socket for each. */
const SHOWN = 16;

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => UUID.test(text);

const Auth = v.object({
  type: v.literal('auth'),
  userId: v.optional(v.string(), ''),
  tenantId: v.optional(v.string(), ''),
  token: v.optional(v.string()),
});

const Frame = v.object({ type: v.string() });

const Message = v.object({
  text: v.optional(v.string(), ''),
  agentId: v.optional(v.string(), ''),
  conversationId: v.optional(v.nullable(v.string())),
  displayName: v.optional(v.string()),
});

/** A client that closes its socket for this reason wants the reply no more; any other end leaves it running. */
const CANCELLED = 'cancel';

export const konstruct: Dialect<KonstructState> = {
  name: 'konstruct',
  sockets: ['/chat/ws/:conversation_id'],

  hello(text: string): Hello {
    const auth = v.safeParse(v.pipe(v.string(), v.parseJson(), Auth), text);
    if (!auth.success) throw denied('First message must be auth');
    const { userId, tenantId, token } = auth.output;
    if (userId === '' || tenantId === '') throw denied('Missing userId or tenantId in auth');
    if (!isUuid(userId) || !isUuid(tenantId)) throw denied('Invalid UUID format in auth');
    return { token, claims: { user: userId, tenant: tenantId } };
  },

  denied: ({ message }) => ({
    frames: [error(message)],
    close: { code: CLOSE.unauthorized, reason: 'unauthorized' },
  }),

  open({ path: { conversation_id = '' } }: Door): KonstructState {
    if (!isUuid(conversation_id)) throw denied('Invalid UUID format in conversation_id');
    const conversation = conversation_id.toLowerCase();
    return { conversation, shown: [conversation], replies: EMPTY_REPLIES, prompts: [] };
  },

  up(state, text, id): Step<KonstructState> {
    const frame = parseJson(text, 'frame');
    // As in the original, what is not a message is not heard.
    if (parse(Frame, frame, 'frame').type !== 'message') return { state };
    const { text: said, agentId, conversationId, displayName } = parse(Message, frame, 'frame');
    const conversation = (conversationId || state.conversation).toLowerCase();
    if (!isUuid(conversation))
      throw new StarwireError('bad_request', 'Invalid UUID format in conversationId', {
        field: 'conversationId',
      });
    if (said === '') throw new StarwireError('bad_request', '"text" is empty', { field: 'text' });
    const shown = [...state.shown.filter((one) => one !== conversation), conversation].slice(-SHOWN);
    const question = state.prompts.findLast((one) => one.conversation === conversation);
    const answer = question && answerOf(question, said);
    const command: Command = answer
      ? { type: 'answer', client_id: id, prompt: answer.prompt, value: answer.value }
      : {
          type: 'message',
          client_id: id,
          text: said,
          conversation,
          extra: {
            ...(agentId === '' ? {} : { agent_id: agentId }),
            ...(displayName === undefined ? {} : { display_name: displayName }),
          },
        };
    return {
      state: { ...state, shown, replies: expecting(state.replies, id) },
      commands: [command],
      // Before any work is done.
      frames: [{ type: 'typing' }],
    };
  },

  down(state, frame): Step<KonstructState> {
    if (frame.type === 'error') {
      const replies = expecting(state.replies, frame.client_id, false);
      return { state: { ...state, replies }, frames: [error(frame.message)] };
    }
    if (
      'conversation' in frame &&
      frame.conversation !== undefined &&
      !state.shown.includes(frame.conversation)
    )
      return { state };
    // It comes again after a reset of the object.
    if (frame.type === 'prompt' && state.prompts.some(({ prompt }) => prompt === frame.prompt))
      return { state };
    const [replies, frames] = repliesDown(state.replies, frame);
    return { state: { ...state, replies, prompts: promptsAfter(state.prompts, frame) }, frames };
  },

  left: ({ replies }, { reason }) =>
    reason === CANCELLED ? unfinished(replies).map((turn) => ({ type: 'cancel', turn })) : [],
};

function denied(message: string): StarwireError {
  return new StarwireError('unauthorized', message);
}

function error(message: string) {
  return { type: 'error', message };
}

function promptsAfter(prompts: readonly PromptFrame[], frame: ServerFrame): readonly PromptFrame[] {
  if (frame.type === 'prompt') return [...prompts, frame];
  return frame.type === 'prompt_closed' ? prompts.filter(({ prompt }) => prompt !== frame.prompt) : prompts;
}
