import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startServer } from './server.ts';
import { World } from './world.ts';

/** A server on a state folder, and the same again after all its processes are killed; what is left of them ends with the test. */
export async function mortal(env: Record<string, string> = {}) {
  const state = await mkdtemp(join(tmpdir(), 'starwire-crash-'));
  const start = async (port?: number): Promise<World> => {
    const server = await startServer({ state, env, ...(port === undefined ? {} : { port }) });
    onTestFinished(() => server.stop());
    return new World(server);
  };
  // What is asked for first is done last.
  onTestFinished(() => rm(state, { recursive: true, force: true }));
  const world = await start();
  return {
    world,
    async reborn(): Promise<World> {
      const { server } = world;
      for (const pid of server.runtimes()) process.kill(pid, 'SIGKILL');
      await server.kill();
      return start(server.port);
    },
  };
}
