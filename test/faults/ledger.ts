import type { OutboundResult } from '../../src/protocol/outbound.ts';

/** A reply as its upstream meant it. */
export interface ToldTurn {
  text: string;
  reasoning: string;
  /** Ids of the tools that it called. */
  tools: string[];
}

/** What an upstream was told is durable: an acknowledged event and its place. */
export interface Acknowledged {
  what: string;
  id: string;
  seq: number;
}

/** What one user must have in the end, according to those who sent it. */
export class Ledger {
  readonly turns = new Map<string, ToldTurn>();
  /** The text of each message by its id, the last edit included. */
  readonly messages = new Map<string, string>();
  readonly acknowledged: Acknowledged[] = [];

  /** Notes an answer that named a place in the journal. */
  ack(what: string, result: OutboundResult | undefined): string {
    const { id, seq } = result ?? {};
    if (id === undefined || seq === undefined)
      throw new Error(`${what}: the answer names no place: ${JSON.stringify(result)}`);
    this.acknowledged.push({ what, id, seq });
    return id;
  }
}
