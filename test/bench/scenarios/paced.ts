import { agents, bare, floor, floorRelay, seed, seedRedis, socketIo } from '../systems/peers.ts';
import { starwire } from '../systems/starwire.ts';
import type { Measurement } from './scenario.ts';

const LIMITS = `What keeps it from these goals is workerd itself, first of all. The floor is an object that reads the service's request and forwards what it reads:
it is in memory, and billed, for as long as somebody speaks. Through a Worker, over an internal socket, the object sleeps between chunks, which is this
design, and the second floor: every chunk is then an event of its own in two isolates. The in-memory dictionary in Python takes less than either.
Of Starwire's own time (\`--inspect\`, self time by source line, 18,000 chunks) reading bodies is 18 %, sending on sockets 22 %, events and scheduling 19 %, all of it
native and in that second floor, too; parsing and checking a line 9 %, the channel 15 %, its storing 3 %, collecting garbage 2 %. p99 is made in the first
tenth of a second, in which 100 replies begin that were not running: each opens its internal socket and commits one change. What is beyond p99 later is
a pause of the collector that falls on everybody, as it does on the Agents SDK.`;

/** Many replies at the pace of a model, all begun within one interval: how long a token is on its way, then and later. */
export const paced: Measurement<'paced'>[] = [
  {
    title: 'Paced streaming: 100 users, 30 chunks/s for 6 s',
    load: 'paced',
    options: { users: 100, tabs: 1, chunks: 180, per_second: 30 },
    systems: [starwire, seed, seedRedis, socketIo, agents, floor, floorRelay, bare],
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
    limits: LIMITS,
  },
];
