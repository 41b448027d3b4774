import { socketIo } from '../systems/peers.ts';
import { starwire } from '../systems/starwire.ts';
import type { Goal, Measurement } from './scenario.ts';

const resumeOf = (of: 'chunks' | 'messages', goals: Goal[]): Measurement<'resume'> => ({
  title: `Resume: 50 tabs that missed 500 ${of}`,
  load: 'resume',
  options: { tabs: 50, missed: 500, of },
  systems: [starwire, socketIo],
  rounds: 5,
  columns: [
    { figure: 'wall_ms', heading: 'all tabs back, ms', digits: 0, ratio: true },
    { figure: 'cpu_ms', heading: 'CPU, ms', digits: 0, ratio: true },
    { figure: 'bytes_per_tab', heading: 'bytes a tab', digits: 0, ratio: true },
    { figure: 'lost', heading: 'lost', digits: 0 },
    { figure: 'doubled', heading: 'doubled', digits: 0 },
  ],
  goals,
});

/** A lost network, and everybody back at once: each has exactly what it missed, or the run ends with an error. */
export const resume = [
  resumeOf('messages', [
    { figure: 'wall_ms', against: 'socket-io', at_most: 0.5 },
    { figure: 'bytes_per_tab', at_most: 80_000 },
  ]),
  resumeOf('chunks', [
    { figure: 'wall_ms', against: 'socket-io', at_most: 0.35 },
    { figure: 'bytes_per_tab', at_most: 25_000 },
  ]),
];
