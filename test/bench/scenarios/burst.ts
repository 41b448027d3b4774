import { agents, bare, floor, seed, seedRedis, socketIo } from '../systems/peers.ts';
import { starwire } from '../systems/starwire.ts';
import type { Measurement } from './scenario.ts';

const LIMITS = `What is left above the floor, which does not read what it forwards: of the Worker's and the hub's own time 22 % is \`JSON.parse\` of each line, 27 % checking it, 5 % applying the text,
4 % collecting garbage; a line takes about two microseconds in all.`;

/** A reply that comes at once, to a user with five tabs: what a gateway can carry. */
export const burst: Measurement<'burst'>[] = [
  {
    title: 'Burst fan-out: 20,000 chunks to 5 tabs',
    load: 'burst',
    options: { users: 1, tabs: 5, chunks: 20_000 },
    systems: [starwire, seedRedis, seed, socketIo, agents, floor, bare],
    rounds: 5,
    columns: [
      { figure: 'wall_ms', heading: 'wall, ms', digits: 0, ratio: true },
      { figure: 'cpu_ms', heading: 'CPU, ms', digits: 0, ratio: true },
      { figure: 'bytes_per_delivery', heading: 'bytes per delivery', digits: 1 },
      { figure: 'messages_per_delivery', heading: 'frames per delivery', digits: 3 },
    ],
    goals: [
      { figure: 'wall_ms', against: 'seed-redis', at_most: 0.1 },
      { figure: 'cpu_ms', against: 'seed-redis', at_most: 0.15 },
      { figure: 'bytes_per_delivery', at_most: 12 },
    ],
    limits: LIMITS,
  },
];
