import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRoot } from '../../../src/local/paths.ts';
import { freePort } from '../../integration/free-port.ts';
import type { SystemName } from '../load/wire.ts';
import { startListening } from './listening.ts';
import { bundleAgent, requirePackages } from './packages.ts';
import { Absent, type Running, type System } from './system.ts';

const python = '/usr/bin/python3';

function requirePython(): void {
  const modules = 'import fastapi, uvicorn, redis, websockets, uvloop, httptools';
  const found = spawnSync(python, ['-c', modules], { encoding: 'utf8' });
  if (found.status !== 0)
    throw new Absent(
      'needs python3-fastapi, python3-uvicorn, python3-redis, python3-websockets, python3-uvloop',
    );
}

/** The seeds' gateway: an in-memory dictionary of sockets, which the service writes to by HTTP. */
export const seed: System = {
  name: 'seed',
  title: 'FastAPI, in memory',
  async start() {
    requirePython();
    const { port, pid, stop } = await startListening(python, ['seed.py']);
    return { place: { system: 'seed', port }, roots: [pid], stop };
  },
};

/** The same, with results over Redis pub/sub. */
export const seedRedis: System = {
  name: 'seed-redis',
  title: 'FastAPI + Redis pub/sub',
  async start() {
    requirePython();
    if (spawnSync('redis-server', ['--version']).status !== 0) throw new Absent('needs redis-server');
    const redis_port = await freePort();
    const redis = await startListening('redis-server', [
      ...['--port', String(redis_port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      ...['--client-output-buffer-limit', 'pubsub 0 0 0'],
    ]);
    const gateway = await startListening(python, ['seed.py'], { REDIS_PORT: String(redis_port) });
    return {
      place: { system: 'seed-redis', port: gateway.port, redis_port },
      roots: [gateway.pid, redis.pid],
      async stop() {
        await gateway.stop();
        await redis.stop();
      },
    };
  },
};

/** Socket.IO with connection state recovery, on `ws`. */
export const socketIo: System = {
  name: 'socket-io',
  title: 'Socket.IO',
  async start() {
    requirePackages();
    const { port, pid, stop } = await startListening(process.execPath, ['socket-io.ts']);
    return { place: { system: 'socket-io', port }, roots: [pid], stop };
  },
};

/** A Worker with the object class `Room`, served as Starwire is, on the same workerd. */
async function startRoom(system: SystemName, bundle: string, upstream: string): Promise<Running> {
  const state = await mkdtemp(join(tmpdir(), 'starwire-bench-'));
  const words = ['workerd.ts', bundle, 'Room', state, `${upstream}/chat/completions`];
  const { port, pid, stop } = await startListening(process.execPath, words);
  return {
    place: { system, port },
    roots: [pid],
    async stop() {
      await stop();
      await rm(state, { recursive: true, force: true });
    },
  };
}

export const agents: System = {
  name: 'agents',
  title: 'Cloudflare Agents SDK',
  async start({ upstream = '' } = {}) {
    requirePackages();
    return startRoom('agents', bundleAgent(), upstream);
  },
};

/** An object that forwards and keeps nothing: less than this is not possible on workerd. */
export const floor: System = {
  name: 'floor',
  title: 'floor of workerd',
  start: ({ upstream = '' } = {}) => startRoom('floor', inRoot('test/bench/peers/floor.js'), upstream),
};

/** The same with a Worker before it that reads the lines, as Starwire's does, so that the object may sleep between them. */
export const floorRelay: System = {
  name: 'floor-relay',
  title: 'floor, through a Worker',
  start: () => startRoom('floor-relay', inRoot('test/bench/peers/floor-relay.js'), ''),
};

/** What is left where nothing is done but forwarding, in Node. */
export const bare: System = {
  name: 'bare',
  title: 'bare writer (ws in Node)',
  async start({ upstream = '' } = {}) {
    const env = { UPSTREAM_URL: `${upstream}/chat/completions` };
    const { port, pid, stop } = await startListening(process.execPath, ['bare.ts'], env);
    return { place: { system: 'bare', port }, roots: [pid], stop };
  },
};
