import type { Command } from '../../../../src/protocol/client-frames.ts';
import type { Position } from '../../../../src/protocol/cursor.ts';
import type { OutboundResult } from '../../../../src/protocol/outbound.ts';
import type { DurableFrame, ServerFrame } from '../../../../src/protocol/server-frames.ts';

/** An outbound event as an upstream writes it, without its channel. */
export type Written = { kind: string } & Record<string, unknown>;

/** One connection as a client has it. */
export interface Line {
  readonly open: boolean;
  /** The frames that have come since the last call. */
  read(): ServerFrame[];
  send(command: Command): void;
  /** The command arrives, and the connection is lost before anything comes back. */
  sendAndLose(command: Command): void;
  /** The peer has vanished without a word. */
  die(): void;
  drop(): void;
}

/** A request that stays open while it is written: NDJSON. It is sent again where the channel may have lost it. */
export interface Stream {
  /** The results, where they are known before the end. */
  push(events: Written[]): Promise<OutboundResult[] | undefined>;
  /** Resolves once everything is stored. */
  end(): Promise<void>;
}

/** A plain socket, one that takes `batch` frames, or the internal one of an SSE relay. */
export type How = 'plain' | 'batch' | 'relay';

/** Where a schedule runs: the pure Channel, or real objects. */
export interface Surroundings {
  connect(position: Position, how: How): Promise<Line>;
  /** One request of the upstream, stored when it resolves. */
  post(events: Written[], key?: string): Promise<OutboundResult[]>;
  stream(): Promise<Stream>;
  pass(ms: number): Promise<void>;
  evict(): Promise<void>;
  /** Memory and connections are lost, what was committed stays. */
  crash(): Promise<void>;
  /** Deletes a conversation, if there is one. */
  remove?(conversation: string): void;
  /** Resolves when `condition` holds, which it does once everything that was sent has come. */
  until(condition: () => boolean, what: () => string): Promise<void>;
  journal(): Promise<DurableFrame[]>;
  /** The entries that were never written to any connection, where that can be known. */
  unwritten?(): number[];
}
