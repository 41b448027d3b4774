import { floor, seed } from '../systems/peers.ts';
import { starwire } from '../systems/starwire.ts';
import type { Measurement } from './scenario.ts';

interface Size {
  users: number;
  tabs: number;
  /** To each user: enough to be measured, and not too many deliveries where there are many tabs. */
  chunks: number;
}

const crowd = ({ users, tabs }: Size): string =>
  users === 1 ? `one user with ${tabs === 1 ? 'one tab' : `${tabs} tabs`}` : `${users} users with a tab each`;

const growthOf = (size: Size): Measurement<'burst'> => ({
  title: `Growth: ${size.chunks.toLocaleString('en')} chunks to ${crowd(size)}`,
  load: 'burst',
  options: size,
  systems: [starwire, seed, floor],
  start: { limits: { sessions_per_user: 1_000 } },
  rounds: 3,
  columns: [
    { figure: 'wall_ms', heading: 'wall, ms', digits: 0, ratio: true },
    { figure: 'us_per_delivery', heading: 'CPU per delivery, µs', digits: 2, ratio: true },
    { figure: 'bytes_per_delivery', heading: 'bytes per delivery', digits: 1 },
  ],
  goals: [],
});

/** The same from one to a thousand: cost must grow as the crowd does, and no faster. */
export const growth = [
  { users: 1, tabs: 1, chunks: 20_000 },
  { users: 1, tabs: 10, chunks: 20_000 },
  { users: 1, tabs: 100, chunks: 5_000 },
  { users: 1, tabs: 1_000, chunks: 500 },
  { users: 10, tabs: 1, chunks: 2_000 },
  { users: 100, tabs: 1, chunks: 200 },
  { users: 1_000, tabs: 1, chunks: 20 },
].map(growthOf);
