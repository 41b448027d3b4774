import { BOT } from '../protocol/identity.ts';
import type { Applied, OnlyTurn } from './applied.ts';
import { edit, file, message, prompt } from './apply-messages.ts';
import { chunk, delta, done, failed, tool, turn } from './apply-turns.ts';
import type { Core } from './core.ts';
import type { ChannelEvent } from './events.ts';
import type { Numbered } from './runs.ts';
import { isRunning } from './turn-life.ts';

/**
 * Applies an event of an upstream to a channel. Each kind's function throws its refusal before it changes anything, so that
 * one bad event never spoils its neighbours (P-UP-8).
 */
export function applyEvent(core: Core, event: ChannelEvent, only: OnlyTurn): Applied {
  switch (event.kind) {
    case 'message':
      return message(core, event, only);
    case 'file':
      return file(core, event, only);
    case 'edit':
      return edit(core, event);
    case 'typing':
      core.live({
        type: 'typing',
        active: event.active,
        sender: BOT.user_id,
        ...(event.conversation ? { conversation: event.conversation } : {}),
      });
      return {};
    case 'chunk':
      return chunk(core, event, only);
    case 'tool':
      return tool(core, event, only);
    case 'delta':
      return delta(core, event, only);
    case 'prompt':
      return prompt(core, event, only);
    case 'done':
      return done(core, event, only);
    case 'error':
      return failed(core, event, only);
    case 'turn':
      return turn(core, event, only);
    default:
      return event satisfies never;
  }
}

/** Whether events only add text that can be shown before it is stored. */
export function areStreamable(core: Core, events: Iterable<Numbered>, only: OnlyTurn): boolean {
  let grown = 0;
  for (const { event, more = [] } of events) {
    if (event.kind === 'typing') continue;
    if (event.kind !== 'chunk') return false;
    const open = core.turns.get(event.turn ?? only ?? '');
    if (!open) continue;
    for (const text of more) grown += text.length;
    grown += event.text.length + (typeof event.reasoning === 'string' ? event.reasoning.length : 0);
    // Near the limit a chunk may end its turn, which needs a transaction.
    const length = open.text.length + open.reasoning.length + grown;
    if (!isRunning(open) || length > core.ports.limits.reply_text / 4) return false;
  }
  return true;
}
