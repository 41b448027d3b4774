import { setTimeout as sleep } from 'node:timers/promises';
import { cpuOf, memoryOf } from '../harness/process-tree.ts';
import type { Figures } from '../harness/statistics.ts';
import { agents, bare, floor, seed, socketIo } from '../systems/peers.ts';
import { starwire } from '../systems/starwire.ts';
import type { System } from '../systems/system.ts';
import type { Column, Goal, Measurement, Standing } from './scenario.ts';

/** Longer than an object without events stays in memory. */
const SETTLE_MS = 12_000;
const WATCH_MS = 3_000;

const CONNECTING: Column[] = [
  { figure: 'connects_per_s', heading: 'connects/s', digits: 0, ratio: true },
  { figure: 'cpu_ms_per_connect', heading: 'CPU ms per connect', digits: 2, ratio: true },
];

const people = (users: number): string => `${users.toLocaleString('en')} users with a tab each`;

/** What they take is what a system has grown by that had nobody before: one round. */
const idleOf = (users: number, systems: System[], goals: Goal[]): Measurement<'idle'> => ({
  title: `Idle sockets: ${people(users)}`,
  load: 'idle',
  options: { users, at_once: 50 },
  systems,
  rounds: 0,
  columns: [
    ...(systems.length > 1 ? [] : CONNECTING),
    { figure: 'kib_per_socket', heading: 'KiB per socket', digits: 1, ratio: true },
    { figure: 'idle_cpu_share', heading: 'CPU while idle, of a core', digits: 3 },
  ],
  goals,
  async after({ roots, memory_before }: Standing): Promise<Figures> {
    await sleep(SETTLE_MS);
    const before = cpuOf(roots);
    await sleep(WATCH_MS);
    return {
      idle_cpu_share: (cpuOf(roots) - before) / WATCH_MS,
      kib_per_socket: (memoryOf(roots) - memory_before) / 1_024 / users,
    };
  },
});

/** The idle crowd: with the peers so many that the slowest is done within a minute, and then Starwire alone with 5,000. */
export const idle: Measurement<'idle'>[] = [
  {
    title: `Connects: ${people(1_000)}, 50 at once`,
    load: 'idle',
    options: { users: 1_000, at_once: 50 },
    systems: [starwire, agents, floor, seed, socketIo, bare],
    rounds: 3,
    columns: CONNECTING,
    goals: [{ figure: 'connects_per_s', against: 'agents', at_least: 2.5 }],
  },
  idleOf(
    1_000,
    [starwire, agents, floor, seed, socketIo, bare],
    [{ figure: 'kib_per_socket', against: 'agents', at_most: 0.9 }],
  ),
  idleOf(5_000, [starwire], []),
];
