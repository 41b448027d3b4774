import type { TurnFrame } from './server-frames.ts';

/** How a turn ended, as operators count it: `upstream_failed` is the service's doing, `failed` anything else. */
export const TURN_OUTCOMES = ['completed', 'failed', 'upstream_failed', 'cancelled', 'expired'] as const;
export type TurnOutcome = (typeof TURN_OUTCOMES)[number];

/** A turn that has ended. */
export interface TurnEnd {
  outcome: TurnOutcome;
  /** Unix seconds. */
  at: number;
}

/** Returns undefined for a turn that goes on. */
export function outcomeOf({ status, error }: TurnFrame): TurnOutcome | undefined {
  if (status === 'queued' || status === 'running') return undefined;
  return status === 'failed' && error?.type.startsWith('upstream_') ? 'upstream_failed' : status;
}
