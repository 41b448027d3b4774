import type { DurableFrame } from '../protocol/server-frames.ts';
import { outcomeOf, type TurnEnd } from '../protocol/turn-outcome.ts';
import type { Core } from './core.ts';

/** How the turns ended that the journal's entries after `from` and up to `upTo` tell of. */
export function endings({ journal, ports: { sql } }: Core, from: number, upTo: number): TurnEnd[] {
  if (!journal.exists) return [];
  return sql
    .all<{ frame: string; at: number }>(
      "SELECT frame, at FROM events WHERE seq > ? AND seq <= ? AND type = 'turn'",
      from,
      upTo,
    )
    .flatMap(({ frame: json, at }) => {
      const frame: DurableFrame = JSON.parse(json);
      const outcome = frame.type === 'turn' ? outcomeOf(frame) : undefined;
      return outcome === undefined ? [] : [{ outcome, at: at / 1000 }];
    });
}
