import type { Task } from '../load/task.ts';
import type { Measurement, Outcome, Result } from '../scenarios/scenario.ts';
import { Absent, type Running, type System } from '../systems/system.ts';
import { GENERATOR_SHARE, Generator, type Round } from './generator.ts';
import { memoryOf } from './process-tree.ts';
import { medians } from './statistics.ts';

/** Of what a system that failed has said. */
const SAID_CHARS = 1_500;

/** Starts all systems, then loads them in turns, so that what else the machine does falls on all of them. */
export async function measure(measurement: Measurement): Promise<Result> {
  let generator = await Generator.start();
  const running = new Map<System, Running>();
  const rounds = new Map<System, Round[]>();
  const result: Result = { measurement, outcomes: [], absent: [], failed: [] };
  const drop = async (system: System, error: unknown): Promise<void> => {
    const why = firstLine(error);
    result.failed.push({ system, why });
    console.error(
      `\n!!! ${system.title} failed: ${why}\n${running.get(system)?.output?.().slice(-SAID_CHARS) ?? ''}`,
    );
    await running.get(system)?.stop();
    running.delete(system);
    // What is left of the load ends with the process that made it.
    generator.stop();
    generator = await Generator.start();
  };
  try {
    for (const system of measurement.systems) {
      const one = await startOr(system, measurement, result);
      if (one) running.set(system, one);
    }
    // The first round warms up and does not count, but where there is only one.
    for (let n = 0; n <= measurement.rounds; n += 1)
      for (const [system, one] of [...running]) {
        const round = await roundOf(measurement, generator, one).catch((error: unknown) =>
          drop(system, error),
        );
        if (round && (n > 0 || measurement.rounds === 0))
          rounds.set(system, [...(rounds.get(system) ?? []), round]);
      }
  } finally {
    generator.stop();
    for (const one of running.values()) await one.stop();
  }
  result.outcomes.push(...[...running.keys()].map((system) => outcomeOf(system, rounds.get(system) ?? [])));
  return result;
}

/** Starts a system; a peer that cannot run here is left out, loudly. */
async function startOr(
  system: System,
  { start }: Measurement,
  { absent }: Result,
): Promise<Running | undefined> {
  try {
    return await system.start(start);
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    absent.push({ system, why: error.message });
    console.warn(`\n!!! ${system.title} is not measured: it ${error.message}\n`);
    return undefined;
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]?.slice(0, 200) ?? '';

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
