import type { Position } from '../protocol/cursor.ts';
import { BOT, userView } from '../protocol/identity.ts';
import { publicLimits } from '../protocol/limits.ts';
import type { WelcomeFrame } from '../protocol/server-frames.ts';
import type { Core } from './core.ts';
import { Out } from './out.ts';
import { claimsOf, openState, replay, startOf } from './replay.ts';
import { type Roster, sendFrames } from './roster.ts';
import type { Session } from './session.ts';

/** Writes a new session `welcome`, what it missed, what is open, and `ready` (P-WS-8, P-WS-9); a relay as it has credit. */
export function greet(core: Core, roster: Roster, session: Session, position: Position): void {
  const { ports, journal } = core;
  const start = startOf(core, ports.epochs, position);
  const resumed = 'after' in start && start.resumed;
  const welcome: WelcomeFrame = {
    type: 'welcome',
    protocol: 1,
    session: session.is.id,
    epoch: journal.epoch,
    seq: journal.head,
    user: userView(session.identity),
    bot: BOT,
    resumed,
    heartbeat_s: ports.limits.heartbeat_s,
    limits: publicLimits(ports.limits),
  };
  sendFrames(session, [welcome]);
  const reset: Out[] =
    'reset' in start
      ? [Out.of({ type: 'reset', reason: start.reset, epoch: journal.epoch, seq: journal.head })]
      : [];
  const after = 'after' in start ? start.after : journal.head;
  const shown = claimsOf(core, position.turns, resumed ? after : undefined);
  if (session.is.credit !== undefined) {
    session.send(reset);
    session.fallBehind({ seq: after, turns: shown }, true);
    roster.credit(session, core, 0);
  } else {
    const ready = Out.of({ type: 'ready', seq: journal.head });
    session.send(reset);
    session.send(replay(core, after));
    session.send([...openState(core, shown), ready]);
  }
}
