import { StarwireError } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import { isTerminal, type MessageFrame } from '../protocol/server-frames.ts';
import type { Core } from './core.ts';
import { deliver } from './sends.ts';
import { openTurn, requireRoomForTurn } from './turn-life.ts';

/** What a turn was about: the user's message, and the reply that it got. */
export interface Asked {
  said: MessageFrame;
  /** undefined where the turn ended without a word. */
  reply: string | undefined;
}

/** What a finished turn was about, as far as the journal goes back. Throws `conflict` where it has not ended. */
export function askedBy(core: Core, turn: string): Asked | undefined {
  const state = core.turns.find(turn);
  if (!state) return undefined;
  if (!isTerminal(state.status))
    throw new StarwireError('conflict', 'the turn has not ended; cancel it first');
  const said =
    state.asked === undefined
      ? core.journal.saidFor(turn)
      : core.journal.find('message', state.asked).find((frame) => frame.type === 'message');
  return said && { said, reply: state.message };
}

/** Opens a new turn for the same message; its reply says what it is instead of. Returns its id. */
export function regenerate(core: Core, { said, reply }: Asked, who: Identity): string {
  for (const { state } of core.turns.open)
    if (state.asked === said.id && state.replaces === reply) return state.turn;
  requireRoomForTurn(core);
  const { id, seq, conversation, text, attachments, reply_to = null, custom_id, extra } = said;
  return core.commit(() => {
    const turn = core.ports.newId('turn');
    const pressed = custom_id === undefined ? {} : { custom_id, message_id: reply_to };
    const delivery = deliver(core, who, {
      type: custom_id === undefined ? 'message' : 'action',
      ...{ conversation, turn, seq, message_id: id, text, reply_to_id: reply_to },
      ...(attachments ? { attachments } : {}),
      extra: { ...extra, ...pressed, ...(reply === undefined ? {} : { replaces: reply }) },
    });
    openTurn(core, turn, conversation, { type: 'start', delivery }, { asked: id, replaces: reply });
    return turn;
  }).value;
}
