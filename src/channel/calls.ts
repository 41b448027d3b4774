import type { Core } from './core.ts';
import type { Pending } from './outbox.ts';

/** How a channel's turns are started (P-WS-15): one at a time per conversation, or in order without waiting for replies. */
export type StartPolicy = 'serial' | 'ordered';

/** Calls to the turns' own objects that may be made now, in order. */
export function dueCalls(core: Core, policy: StartPolicy): Pending[] {
  const busy = new Set<string>();
  for (const { state } of core.turns.open) {
    const holds = policy === 'serial' ? state.started : state.started && !state.attempted;
    if (state.runs && holds) busy.add(state.conversation);
  }
  return core.outbox.pending.filter(({ call, conversation }) => {
    if (call.type !== 'start') return true;
    if (busy.has(conversation)) return false;
    busy.add(conversation);
    return true;
  });
}

/** A call was answered. Inside `core.commit`. */
export function called(core: Core, { n, turn, call }: Pending): void {
  if (call.type === 'start') started(core, turn);
  core.outbox.remove(n);
}

function started(core: Core, turn: string): void {
  const open = core.turns.get(turn);
  if (open) {
    open.state.started = true;
    open.dirty = true;
    return;
  }
  // It was ended from our side while the call was under way: its upstream must learn of that (P-WS-11).
  const ended = core.turns.find(turn);
  if (ended && !ended.started && ended.status !== 'completed')
    core.outbox.add(turn, ended.conversation, { type: 'cancel' });
}
