import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inRoot } from '../../src/local/paths.ts';
import { freePort } from './free-port.ts';
import { type ServerOptions, startServer } from './server.ts';
import { World } from './world.ts';

/** A bot of examples/ beside a server that delivers to it, as a reader of examples/README.md starts both. */
export class Bot {
  readonly world: World;
  /** Where it takes deliveries. */
  readonly hook: string;
  readonly #file: string;
  readonly #state: string;
  /** Where it finds Starwire: the server itself, or a network in between. */
  #starwire: string;
  #process: ChildProcess | undefined;

  private constructor(world: World, hook: string, file: string, state: string) {
    this.world = world;
    this.hook = hook;
    this.#file = file;
    this.#state = state;
    this.#starwire = world.origin;
  }

  static async start(file: string, options: ServerOptions = {}): Promise<Bot> {
    const hook = `http://127.0.0.1:${await freePort()}/hook`;
    const env = { UPSTREAM_MODE: 'webhook', UPSTREAM_URL: hook, ...options.env };
    const world = new World(await startServer({ ...options, env }));
    const bot = new Bot(world, hook, file, await mkdtemp(join(tmpdir(), 'starwire-bot-')));
    await bot.begin();
    return bot;
  }

  /** Starts it, again after it was killed; resolves when it listens. */
  async begin(starwire = this.#starwire): Promise<void> {
    this.#starwire = starwire;
    const { PATH = '' } = process.env;
    const env = {
      PATH,
      ...this.world.server.secrets,
      STARWIRE_URL: starwire,
      BOT_PORT: new URL(this.hook).port,
      BOT_STATE: this.#state,
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const command = this.#file.endsWith('.py') ? 'python3' : process.execPath;
    const bot = spawn(command, [`examples/${this.#file}`], {
      env,
      cwd: inRoot('.'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = bot;
    await once(bot, 'spawn');
    for await (const line of createInterface({ input: bot.stdout })) if (line.includes('ready')) break;
    bot.stdout.resume();
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const bot = this.#process;
    if (!bot || bot.exitCode !== null || bot.signalCode !== null) return;
    const ended = once(bot, 'exit');
    bot.kill(signal);
    await ended;
  }

  async stop(): Promise<void> {
    await this.end();
    await this.world.server.stop();
    await rm(this.#state, { recursive: true, force: true });
  }
}
