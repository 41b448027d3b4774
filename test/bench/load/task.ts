import type { Figures } from '../harness/statistics.ts';
import type { Place } from './wire.ts';

/** What the generator is asked to do to a system, by the name of the load. */
export interface Tasks {
  /** Everybody's reply at once, as fast as it can be written. */
  burst: { users: number; tabs: number; chunks: number };
  /** Every user's reply at the pace of a model. */
  paced: { users: number; tabs: number; chunks: number; per_second: number };
  /** Sockets that are opened, and are then there. */
  idle: { users: number; at_once: number };
  /** Tabs of one user that lost their connection, missed so many chunks of a reply or messages, and come back at once. */
  resume: { tabs: number; missed: number; of: 'chunks' | 'messages' };
  /** Streams of the OpenAI API, with an upstream of the generator's own on this port. */
  sse: { streams: number; chunks: number; per_second: number; upstream_port: number };
}

export type TaskName = keyof Tasks;
export type Task = { [Name in TaskName]: { name: Name; place: Place; options: Tasks[Name] } }[TaskName];

/** A load in its steps: only `run` is measured. */
export interface Load {
  run(): Promise<void>;
  /** What was measured; throws where what came is not exactly what was written. */
  figures(): Figures;
  close(): Promise<void>;
}

/** From the harness to the generator. */
export type Order = { do: 'prepare'; task: Task } | { do: 'run' } | { do: 'finish' };

/** From the generator to the harness, one for each order. */
export type Report =
  | { done: 'prepare' }
  | { done: 'run'; wall_ms: number; cpu_ms: number }
  | { done: 'finish'; figures: Figures }
  | { failed: string };
