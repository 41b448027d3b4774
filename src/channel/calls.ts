import type { Core } from './core.ts';
import type { Pending } from './outbox.ts';

/**
 * How turns of a conversation follow one that was started (P-WS-15): when it has ended, or in order without waiting for its reply.
 * It is the upstream's, which the turn's own object knows.
 */
export type StartPolicy = 'serial' | 'ordered';

/** Calls to the turns' own objects that may be made now, in order. */
export function dueCalls(core: Core): Pending[] {
  const busy = new Set<string>();
  for (const { state } of core.turns.open) {
    const holds = state.started && (state.policy === 'serial' || !state.attempted);
    if (state.runs && holds) busy.add(state.conversation);
  }
  return core.outbox.pending.filter(({ call, conversation }) => {
    if (call.type !== 'start') return true;
    if (busy.has(conversation)) return false;
    busy.add(conversation);
    return true;
  });
}

/** A call was answered, a start with the policy of its upstream. Inside `core.commit`. */
export function called(core: Core, { n, turn, call }: Pending, policy: StartPolicy): void {
  if (call.type === 'start') started(core, turn, policy);
  core.outbox.remove(n);
}

function started(core: Core, turn: string, policy: StartPolicy): void {
  const open = core.turns.get(turn);
  if (open) {
    open.state.started = true;
    open.state.policy = policy;
    open.dirty = true;
    return;
  }
  // It was ended from our side while the call was under way: its upstream must learn of that (P-WS-11).
  const ended = core.turns.find(turn);
  if (ended && !ended.started && ended.status !== 'completed')
    core.outbox.add(turn, ended.conversation, { type: 'cancel' });
}
