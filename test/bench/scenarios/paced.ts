import { agents, bare, floor, seed, seedRedis, socketIo } from '../systems/peers.ts';
import { starwire } from '../systems/starwire.ts';
import type { Measurement } from './scenario.ts';

/** Many replies at the pace of a model, all begun within one interval: how long a token is on its way, then and later. */
export const paced: Measurement<'paced'>[] = [
  {
    title: 'Paced streaming: 100 users, 30 chunks/s for 6 s',
    load: 'paced',
    options: { users: 100, tabs: 1, chunks: 180, per_second: 30 },
    systems: [starwire, seed, seedRedis, socketIo, agents, floor, bare],
    rounds: 3,
    columns: [
      { figure: 'p50_ms', heading: 'p50, ms', digits: 2, ratio: true },
      { figure: 'p99_ms', heading: 'p99, ms', digits: 2, ratio: true },
      { figure: 'later_p99_ms', heading: 'p99 after 1 s, ms', digits: 2, ratio: true },
      { figure: 'cpu_ms', heading: 'CPU, ms', digits: 0, ratio: true },
      { figure: 'messages_per_delivery', heading: 'frames per delivery', digits: 2 },
    ],
    goals: [
      { figure: 'p99_ms', against: 'seed', at_most: 10 },
      { figure: 'p99_ms', against: 'agents', at_most: 0.2 },
      { figure: 'cpu_ms', against: 'seed', at_most: 1.6 },
    ],
  },
];
