import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { inRoot } from '../../../src/local/paths.ts';
import type { Order, Report, Task } from '../load/task.ts';
import { cpuOf } from './process-tree.ts';
import type { Figures } from './statistics.ts';

/** Of a core: a generator that used more may itself have been what was slow. */
export const GENERATOR_SHARE = 0.6;

export interface Round {
  /** `wall_ms` and `cpu_ms` (of the system under test), and what the load itself measured. */
  figures: Figures;
  /** Of a core, that the generator used meanwhile. */
  generator: number;
}

/** The process that makes the load, and the clock beside it. */
export class Generator {
  readonly #process: ChildProcess;
  readonly #ended: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`the generator has ended: ${code ?? signal}`);
    });
    this.#ended.catch(() => undefined);
  }

  static async start(): Promise<Generator> {
    const child = fork(inRoot('test/bench/load/main.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(child, 'spawn');
    return new Generator(child);
  }

  /** One round of a load on the system whose processes begin at `roots`; `after` looks at it while the load is still there. */
  async round(task: Task, roots: readonly number[], after?: () => Promise<Figures>): Promise<Round> {
    await this.#order({ do: 'prepare', task });
    const before = cpuOf(roots);
    const ran = await this.#order({ do: 'run' });
    const cpu_ms = cpuOf(roots) - before;
    if (!('wall_ms' in ran)) throw new Error('the generator told no times');
    const seen = await after?.();
    const finished = await this.#order({ do: 'finish' });
    if (!('figures' in finished)) throw new Error('the generator told no figures');
    return {
      figures: perUnit({ wall_ms: ran.wall_ms, cpu_ms, ...finished.figures, ...seen }),
      generator: ran.cpu_ms / ran.wall_ms,
    };
  }

  async #order(order: Order): Promise<Report> {
    this.#process.send(order);
    const report = await Promise.race([this.#told(), this.#ended]);
    if ('failed' in report) throw new Error(report.failed);
    return report;
  }

  async #told(): Promise<Report> {
    const [report]: Report[] = await once(this.#process, 'message');
    if (!report) throw new Error('the generator told nothing');
    return report;
  }

  stop(): void {
    this.#process.kill();
  }
}

/** What a delivery or a connection took, where the load counted those. */
function perUnit(figures: Figures): Figures {
  const { wall_ms = 0, cpu_ms = 0, deliveries, connects } = figures;
  return {
    ...figures,
    ...(deliveries ? { us_per_delivery: (cpu_ms * 1_000) / deliveries } : {}),
    ...(connects
      ? { connects_per_s: (connects * 1_000) / wall_ms, cpu_ms_per_connect: cpu_ms / connects }
      : {}),
  };
}
