import { expect } from 'vitest';
import type { Person, World } from '../../integration/world.ts';
import { insist } from '../post.ts';
import type { Random } from '../random.ts';
import { historyOf } from '../viewer.ts';

/** A question, and the reply as its client showed it in the end. */
export interface Asked {
  text: string;
  reply: string;
}

/** The chance that a client breaks a connection of its own accord, and how many pieces of a reply it hears before. */
const CUT = 0.3;
const PIECES = 12;

/** A person at some client who asks one thing after the other, whatever becomes of the server and of the connection. */
export abstract class Asker {
  readonly asked: Asked[] = [];
  /** For the report of a run. */
  readonly facts: Record<string, number> = { connections: 0, cuts: 0 };
  protected readonly world: World;
  protected readonly person: Person;
  protected readonly random: Random;

  constructor(world: World, person: Person, random: Random) {
    this.world = world;
    this.person = person;
    this.random = random;
  }

  /** Asks until `signal`, each time waiting for the whole reply. */
  async converse(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const text = this.random.id('question');
      this.asked.push({ text, reply: await this.ask(text) });
    }
  }

  /** Asks, connects again as often as it must, and gives the reply as it is shown once it is whole. */
  protected abstract ask(text: string): Promise<string>;

  /** What its own words promise, over all the connections that there were. */
  abstract expectExact(): void;

  /** What is kept is what was asked, each once and in its order, and what was shown. */
  abstract expectKept(): Promise<void>;

  /** The same of a conversation, by the native history (P-DI-3). */
  protected async expectHistory(conversation: string): Promise<void> {
    const { messages } = await historyOf(this.world, this.person, conversation);
    const rows = messages.map((row) => (row.type === 'message' ? [row.role, row.text] : [row.type, row.id]));
    const said = this.asked.flatMap(({ text, reply }) => [
      ['user', text],
      ['assistant', reply],
    ]);
    expect(rows.reverse()).toEqual(said);
  }

  protected count(what: string): void {
    this.facts[what] = (this.facts[what] ?? 0) + 1;
  }

  /** After how many pieces of a reply the next connection is broken. */
  protected cutAfter(): number {
    return this.random.chance(CUT) ? this.random.between(1, PIECES) : Number.POSITIVE_INFINITY;
  }

  /** Resolves when the server knows that this client has gone: what is said from now on is said to nobody. */
  protected async gone(): Promise<void> {
    const { id, tenant } = this.person;
    await insist(async () => {
      const reply = await unlessLost(() =>
        this.world.internal<{ online?: boolean }>(`/users/${id}?tenant=${tenant}`),
      );
      return reply?.body.online === false ? true : undefined;
    });
  }
}

/** Of connections that are refused, break, or are answered by a server that is going down. */
const LOST = /ECONNRE|socket hang up|Error: closed \d|(?:expected|response:) 5\d\d/;

/** Gives nothing where the connection was lost; all else that goes wrong is a fault. */
export async function unlessLost<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    // `fetch` and the bodies of its responses break with this.
    if (error instanceof TypeError || LOST.test(String(error))) return undefined;
    throw error;
  }
}

/** A person whose token outlives the longest run. */
export function longLived(world: World, claims: Parameters<World['person']>[0] = {}): Promise<Person> {
  return world.person({ ...claims, exp: Math.floor(Date.now() / 1000) + 86_400 });
}
