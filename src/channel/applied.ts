import { StarwireError } from '../protocol/errors.ts';
import type { OutboundResult } from '../protocol/outbound.ts';
import { exceedsBytes } from '../protocol/text.ts';
import type { Core } from './core.ts';
import { requireOpen } from './turn-life.ts';
import type { OpenTurn } from './turns.ts';

/** What an event made; `delivered` is known only when the frames have been shown. */
export type Applied = Omit<OutboundResult, 'delivered'>;

/** The turn that events without one belong to: an `sse:` channel has exactly one (P-UP-4). */
export type OnlyTurn = string | undefined;

/** The turn that an event names, or the channel's only one. Throws `bad_request`, `not_found` or `turn_finished`. */
export function turnOf(core: Core, turn: string | undefined, only: OnlyTurn): OpenTurn {
  const name = turn ?? only;
  if (name === undefined) throw new StarwireError('bad_request', '"turn" is missing', { field: 'turn' });
  return requireOpen(core, name);
}

export function optionalTurn(core: Core, turn: string | undefined, only: OnlyTurn): OpenTurn | undefined {
  return turn === undefined && only === undefined ? undefined : turnOf(core, turn, only);
}

export function requireFits(core: Core, text: string): void {
  const { reply_text, reply_bytes } = core.ports.limits;
  if (text.length > reply_text || exceedsBytes(text, reply_bytes)) {
    throw new StarwireError('too_large', `"text" has more than ${reply_text} characters`, { field: 'text' });
  }
}
