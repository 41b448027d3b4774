import { floor, seed } from '../systems/peers.ts';
import { starwire } from '../systems/starwire.ts';
import type { Measurement } from './scenario.ts';

const SIZES = [1, 10, 100, 1_000];
/** Of all users together, so that each size is the same amount of text. */
const CHUNKS = 20_000;
const TABS_CHUNKS = 500;

const growthOf = (title: string, users: number, tabs: number, chunks: number): Measurement<'burst'> => ({
  title,
  load: 'burst',
  options: { users, tabs, chunks },
  systems: [starwire, seed, floor],
  start: { limits: { sessions_per_user: 1_000 } },
  rounds: 1,
  columns: [
    { figure: 'wall_ms', heading: 'wall, ms', digits: 0, ratio: true },
    { figure: 'cpu_ms', heading: 'CPU, ms', digits: 0, ratio: true },
    { figure: 'us_per_delivery', heading: 'CPU µs per delivery', digits: 2, ratio: true },
    { figure: 'bytes_per_delivery', heading: 'bytes per delivery', digits: 1 },
  ],
  goals: [],
});

/** The same from one to a thousand: cost must grow as the crowd does, and no faster. */
export const growth = [
  ...SIZES.map((tabs) =>
    growthOf(`Growth: ${TABS_CHUNKS} chunks to ${tabs} tabs of one user`, 1, tabs, TABS_CHUNKS),
  ),
  ...SIZES.map((users) =>
    growthOf(`Growth: ${CHUNKS / users} chunks to each of ${users} users`, users, 1, CHUNKS / users),
  ),
];
