import type { Task } from '../load/task.ts';
import type { Measurement, Outcome, Result } from '../scenarios/scenario.ts';
import { Absent, type Running, type System } from '../systems/system.ts';
import { GENERATOR_SHARE, Generator, type Round } from './generator.ts';
import { memoryOf } from './process-tree.ts';
import { medians } from './statistics.ts';

/** Starts all systems, then loads them in turns, so that what else the machine does falls on all of them. */
export async function measure(measurement: Measurement): Promise<Result> {
  const generator = await Generator.start();
  const running = new Map<System, Running>();
  const rounds = new Map<System, Round[]>();
  const absent: Result['absent'] = [];
  try {
    for (const system of measurement.systems) {
      try {
        running.set(system, await system.start(measurement.start));
        rounds.set(system, []);
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        absent.push({ system, why: error.message });
        console.warn(`\n!!! ${system.title} is not measured: it ${error.message}\n`);
      }
    }
    // The first round warms up and does not count.
    for (let n = 0; n <= measurement.rounds; n += 1)
      for (const [system, one] of running) {
        const round = await roundOf(measurement, generator, one);
        if (n > 0 || measurement.rounds === 0) rounds.get(system)?.push(round);
      }
  } finally {
    generator.stop();
    for (const one of running.values()) await one.stop();
  }
  return {
    measurement,
    absent,
    outcomes: [...rounds].map(([system, theirs]) => outcomeOf(system, theirs)),
  };
}

async function roundOf(
  measurement: Measurement,
  generator: Generator,
  { place, roots }: Running,
): Promise<Round> {
  const { load: name, options, after } = measurement;
  const memory_before = after ? memoryOf(roots) : 0;
  // The options are those of the load by the measurement's type, which a union cannot say.
  const task = { name, place, options } as Task;
  return generator.round(task, roots, after && (() => after({ roots, memory_before })));
}

/** Medians over the rounds that count; over all of them where none does. */
export function outcomeOf(system: System, rounds: readonly Round[]): Outcome {
  const valid = rounds.filter(({ generator }) => generator <= GENERATOR_SHARE);
  return {
    system,
    figures: medians((valid.length > 0 ? valid : rounds).map(({ figures }) => figures)),
    valid: valid.length,
    invalid: rounds.length - valid.length,
  };
}
