import type { Place, SystemName } from '../load/wire.ts';

/** A system under test, running. */
export interface Running {
  place: Place;
  /** Its processes, whose children count as well. */
  roots: number[];
  /** What it has said, where that is kept. */
  output?(): string;
  stop(): Promise<void>;
}

export interface System {
  name: SystemName;
  /** As the tables call it. */
  title: string;
  start(options?: StartOptions): Promise<Running>;
}

export interface StartOptions {
  /** The base of an OpenAI-compatible API. */
  upstream?: string;
  /** Over Starwire's own limits. */
  limits?: Record<string, number>;
}

/** A peer that cannot run on this machine is left out, and the report says why. */
export class Absent extends Error {}
