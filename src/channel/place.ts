import type { Lengths, TurnLengths } from '../protocol/cursor.ts';

/** Where a channel stands: what a session that has seen everything has seen. */
export interface Standing {
  seq: number;
  turns: TurnLengths;
}

/** A standing that moves. */
export interface Place extends Standing {
  turns: Map<string, Lengths>;
}
