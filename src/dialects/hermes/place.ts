/**
 * How much of a run has been told: its own events one by one, and its text and reasoning by their lengths (UTF-16 code units).
 * All three only grow, and replay may mix them in another order than they came in live, so that a place is all three.
 */
export interface Place {
  events: number;
  text: number;
  reasoning: number;
}

export const NOWHERE: Place = { events: 0, text: 0, reasoning: 0 };

/** A reply has at most 1,000,000 code units of each kind. */
const UNITS = 2 ** 20;
/** What is left of the whole numbers that a client's JSON can hold. */
const EVENTS = 2 ** 13;

/**
 * The `seq` of an event id `run:seq`: the place after the event as one whole number below 2^53. Whatever grows, it grows; it is
 * made of what is stored alone, so that it is the same after a restart; and it can be read back.
 */
export function seqOf({ events, text, reasoning }: Place): number {
  const unit = (length: number): number => Math.min(length, UNITS - 1);
  return (Math.min(events, EVENTS - 1) * UNITS + unit(reasoning)) * UNITS + unit(text);
}

export function placeOf(seq: number): Place {
  const rest = Math.floor(seq / UNITS);
  return { text: seq % UNITS, reasoning: rest % UNITS, events: Math.floor(rest / UNITS) };
}

/** Where a client stands that was at `one` and has been told all up to `other`. */
export function farther(one: Place, other: Place): Place {
  return {
    events: Math.max(one.events, other.events),
    text: Math.max(one.text, other.text),
    reasoning: Math.max(one.reasoning, other.reasoning),
  };
}

/** Whether a client claims more than there is. */
export function isAhead(claimed: Place, known: Place): boolean {
  const { events, text, reasoning } = farther(claimed, known);
  return events > known.events || text > known.text || reasoning > known.reasoning;
}
