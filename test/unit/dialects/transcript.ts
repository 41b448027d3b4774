import type { Dialect, Down } from '../../../src/dialects/dialect.ts';
import type { Command } from '../../../src/protocol/client-frames.ts';
import { StarwireError } from '../../../src/protocol/errors.ts';
import type { Identity } from '../../../src/protocol/identity.ts';
import type { ServerFrame } from '../../../src/protocol/server-frames.ts';

export const ADA: Identity = {
  ...{ tenant: 'default', user: 'ada', name: 'Ada', avatar: '', roles: [], exp: 2_000_000_000 },
};

/** One connection of a dialect: what is said on either side, and what comes of it. */
export class Transcript<S> {
  readonly #dialect: Dialect<S>;
  #state: S;
  #ids = 0;

  constructor(dialect: Dialect<S>, path: Record<string, string>, query: Record<string, string> = {}) {
    this.#dialect = dialect;
    this.#state = dialect.open({ path, query }, ADA);
  }

  /** The client says something; what goes up, and what it hears at once. Ids are `id1`, `id2`, … */
  up(frame: object | string): { commands: readonly Command[]; frames: readonly Down[] } {
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
    this.#ids += 1;
    const { state, commands = [], frames = [] } = this.#dialect.up(this.#state, text, `id${this.#ids}`);
    this.#state = plain(state);
    return { commands, frames };
  }

  /** The channel says something; what the client hears. */
  down(...said: readonly ServerFrame[]): Down[] {
    return said.flatMap((frame) => {
      const { state, frames = [] } = this.#dialect.down(this.#state, frame);
      this.#state = plain(state);
      return [...frames];
    });
  }

  /** The channel says something; what goes up because of it. */
  commandsOf(said: ServerFrame): readonly Command[] {
    const { state, commands = [] } = this.#dialect.down(this.#state, said);
    this.#state = plain(state);
    return commands;
  }

  left(code: number, reason = ''): readonly Command[] {
    return this.#dialect.left?.(this.#state, { code, reason }) ?? [];
  }

  /** The message of what is refused. */
  refusal(work: (transcript: this) => unknown): string {
    return refusalOf(() => work(this));
  }
}

/** P-DI-2: a state is data, and nothing of it is lost where it is kept as JSON. */
function plain<S>(state: S): S {
  return JSON.parse(JSON.stringify(state));
}

/** The message of the `StarwireError` that `work` throws. */
export function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof StarwireError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}
