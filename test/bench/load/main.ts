/** The generator of the load, a process of its own: it plays the services and the tabs, and tells what it used itself. */
import { burst } from './burst.ts';
import { idle } from './idle.ts';
import { paced } from './paced.ts';
import { resume } from './resume.ts';
import { sse } from './sse.ts';
import type { Load, Order, Report, Task } from './task.ts';
import { wireTo } from './wires.ts';

function prepare(task: Task): Promise<Load> {
  const wire = wireTo(task.place);
  switch (task.name) {
    case 'burst':
      return burst(wire, task.options);
    case 'paced':
      return paced(wire, task.options);
    case 'idle':
      return idle(wire, task.options);
    case 'resume':
      return resume(wire, task.options);
    case 'sse':
      return sse(wire, task.options);
  }
}

let load: Load | undefined;

async function follow(order: Order): Promise<Report> {
  if (order.do === 'prepare') {
    load = await prepare(order.task);
    return { done: 'prepare' };
  }
  if (!load) throw new Error('nothing is prepared');
  if (order.do === 'run') {
    const began = performance.now();
    const before = process.cpuUsage();
    await load.run();
    const { user, system } = process.cpuUsage(before);
    return { done: 'run', wall_ms: performance.now() - began, cpu_ms: (user + system) / 1_000 };
  }
  const figures = load.figures();
  await load.close();
  load = undefined;
  return { done: 'finish', figures };
}

const report = (one: Report): void => void process.send?.(one);

process.on('message', (order: Order) => {
  follow(order).then(report, (error: unknown) =>
    report({ failed: error instanceof Error ? error.message : String(error) }),
  );
});
