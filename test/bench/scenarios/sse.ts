import { freePort } from '../../integration/free-port.ts';
import { agents, bare, floor } from '../systems/peers.ts';
import { starwire } from '../systems/starwire.ts';
import type { Measurement } from './scenario.ts';

const upstream_port = await freePort();

const LIMITS = `What is left above the floor, which passes the model's body on without an object: an object of its own for each request, which is what lets a client come back for its reply. Making one
takes workerd four fsyncs and some 4 ms, and 50 at once wait for each other. An object that reads the model and forwards over a socket, and keeps nothing, takes 54 to 63 µs a chunk; Starwire
92 to 99, the rest spread over the runtime (garbage, microtasks, native calls) and SQLite, none of it above 7 %.`;

/** The OpenAI API, in front of a model that speaks it: what the gateway adds. */
export const sse: Measurement<'sse'>[] = [
  {
    title: 'OpenAI SSE: 50 streams of 90 chunks at 30/s',
    load: 'sse',
    options: { streams: 50, chunks: 90, per_second: 30, upstream_port },
    systems: [starwire, agents, floor, bare],
    start: { upstream: `http://127.0.0.1:${upstream_port}/v1` },
    rounds: 3,
    columns: [
      { figure: 'first_token_ms', heading: 'first token, ms', digits: 1, ratio: true },
      { figure: 'p50_ms', heading: 'added p50, ms', digits: 2, ratio: true },
      { figure: 'p99_ms', heading: 'added p99, ms', digits: 2, ratio: true },
      { figure: 'cpu_ms', heading: 'CPU, ms', digits: 0, ratio: true },
    ],
    goals: [
      { figure: 'first_token_ms', against: 'agents', at_most: 0.8 },
      { figure: 'p99_ms', against: 'agents', at_most: 0.6 },
    ],
    limits: LIMITS,
  },
];
