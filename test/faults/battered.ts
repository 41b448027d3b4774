import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { vi } from 'vitest';
import { type Server, startServer } from '../integration/server.ts';
import { World } from '../integration/world.ts';
import type { Random } from './random.ts';
import type { Service } from './service.ts';

/** Longer than a start takes on a busy machine. */
const start_ms = 60_000;

/** How often node is killed together with workerd, and not workerd alone. */
const BOTH = 0.15;

/** How many times the server is killed in a run. Few in CI; `STARWIRE_KILLS=100` and more by hand, the same code. */
export const KILLS = Number(process.env['STARWIRE_KILLS'] ?? 8);

/** A time for a whole run: a kill and the restart take some seconds at most, and a turn that hangs ends after 180 s. */
export const run_ms = 240_000 + KILLS * 8_000;

/** A server that is killed and comes back, on one state folder and one port. */
export class Battered {
  readonly world: World;
  readonly #env: Record<string, string>;
  #server: Server;
  /** What was done to it. */
  readonly kills = { workerd: 0, both: 0 };

  constructor(server: Server, env: Record<string, string>) {
    this.world = new World(server);
    this.#server = server;
    this.#env = env;
  }

  static async start(env: Record<string, string>): Promise<Battered> {
    const state = await mkdtemp(join(tmpdir(), 'starwire-faults-'));
    return new Battered(await startServer({ state, env }), env);
  }

  /** In front of a service that speaks by webhook, to people who ask faster than people do. */
  static async behind(service: Service): Promise<Battered> {
    const battered = await Battered.start({
      UPSTREAM_MODE: 'webhook',
      UPSTREAM_URL: await service.listen(),
      LIMITS: '{"messages_per_minute":100000,"messages_burst":10000}',
    });
    service.serve(battered.world);
    return battered;
  }

  /** The processes that hold what is not stored yet. */
  get runtimes(): number[] {
    return this.#server.runtimes();
  }

  /** One kill at a moment that `random` chooses; resolves when the server answers again. */
  async strike(random: Random): Promise<void> {
    await pause(random.between(0, 900));
    if (random.chance(BOTH)) {
      await this.#server.kill();
      this.#killRuntimes();
      const { state, port } = this.#server;
      this.#server = await startServer({ state, port, env: this.#env });
      this.kills.both += 1;
      return;
    }
    const killed = this.#killRuntimes();
    await vi.waitUntil(() => this.#answersWithout(killed), { timeout: start_ms, interval: 20 });
    this.kills.workerd += 1;
  }

  #killRuntimes(): number[] {
    const pids = this.runtimes;
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return pids;
  }

  async #answersWithout(killed: readonly number[]): Promise<boolean> {
    if (this.runtimes.some((pid) => killed.includes(pid))) return false;
    return fetch(`${this.world.origin}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  async end(): Promise<void> {
    await this.#server.stop();
    await rm(this.#server.state, { recursive: true, force: true });
  }
}
