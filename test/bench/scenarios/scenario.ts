import type { Figures } from '../harness/statistics.ts';
import type { TaskName, Tasks } from '../load/task.ts';
import type { SystemName } from '../load/wire.ts';
import type { StartOptions, System } from '../systems/system.ts';

/** A figure as a column of the table; what it is called names its unit. */
export interface Column {
  figure: string;
  heading: string;
  digits: number;
  /** Whether the ratio to Starwire is shown beside it. */
  ratio?: boolean;
}

/** What Starwire is to reach: its figure, or its figure as a multiple of a peer's. */
export interface Goal {
  figure: string;
  against?: SystemName;
  at_most?: number;
  at_least?: number;
}

/** One load on several systems, in rounds that alternate between them. */
export interface Measurement<Name extends TaskName = TaskName> {
  title: string;
  load: Name;
  options: Tasks[Name];
  systems: readonly System[];
  start?: StartOptions;
  rounds: number;
  columns: readonly Column[];
  goals: readonly Goal[];
  /** What keeps it from its goals, as profiles showed. */
  limits?: string;
  /** What is looked at while the load is still there. */
  after?: (seen: Standing) => Promise<Figures>;
}

/** A system with its load still on it, and the memory that it held before. */
export interface Standing {
  roots: readonly number[];
  memory_before: number;
}

/** What was measured of one system. */
export interface Outcome {
  system: System;
  figures: Figures;
  /** Rounds that count, and rounds in which the generator was too busy for that. */
  valid: number;
  invalid: number;
}

export interface Result {
  measurement: Measurement;
  outcomes: Outcome[];
  /** Who could not take part, and why. */
  absent: { system: System; why: string }[];
  /** Who broke under the load, or delivered something else than was written. */
  failed: { system: System; why: string }[];
}
