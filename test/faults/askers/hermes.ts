import { expect } from 'vitest';
import { CLOSING, expectWellFormed, type RunEvent, seqOf, textOf, WebUi } from '../../integration/hermes.ts';
import type { Person, World } from '../../integration/world.ts';
import { run_ms } from '../battered.ts';
import { insist } from '../post.ts';
import type { Random } from '../random.ts';
import { historyOf } from '../viewer.ts';
import { Asker, longLived, unlessLost } from './asker.ts';

/** A run as its client had it. */
interface Run {
  run: string;
  /** All events, over all connections; those of a telling that was begun anew in place of the former. */
  events: RunEvent[];
  /** The first event of each telling that began anew: a cursor beyond what the crash left is told the run from its beginning. */
  anew: string[];
}

/** A connection that ends with this has not ended its run. */
const goesOn = ({ event, data }: RunEvent): boolean => event === 'apperror' && data.recovery_control === true;

/** A person at the Hermes web UI: it starts runs, and reads each to its end by its event ids. */
export class HermesAsker extends Asker {
  readonly #runs: Run[] = [];
  readonly #ui: WebUi;
  readonly #session: string;

  constructor(world: World, person: Person, random: Random, session: string) {
    super(world, person, random);
    this.#ui = new WebUi(world, person);
    this.#session = session;
  }

  static async of(world: World, random: Random): Promise<HermesAsker> {
    const person = await longLived(world);
    return new HermesAsker(world, person, random, await new WebUi(world, person).newSession());
  }

  protected async ask(text: string): Promise<string> {
    const run: Run = { run: await this.#start(text), events: [], anew: [] };
    this.#runs.push(run);
    await insist(() => unlessLost(() => this.#read(run)));
    return textOf(run.events);
  }

  /** A start has no id of its own: after a lost answer the client looks whether it began before it starts again. */
  async #start(asked: string): Promise<string> {
    let lost = false;
    return insist(async () => {
      if (lost) {
        const { messages } = await historyOf(this.world, this.person, this.#session);
        const begun = messages.find((row) => row.type === 'message' && row.text === asked);
        if (begun) {
          this.count('found');
          return begun.turn;
        }
      }
      lost = true;
      const body = { session_id: this.#session, message: asked };
      const reply = await unlessLost(() => this.#ui.ask<Record<string, string>>('/api/chat/start', body));
      if (reply === undefined || reply.status >= 500) return undefined;
      if (reply.status === 200) return reply.body.stream_id;
      if (reply.status !== 409) throw new Error(`start: ${reply.status} ${JSON.stringify(reply.body)}`);
      this.count('conflict');
      return reply.body.active_stream_id;
    });
  }

  /** One connection; gives something once the run is over. */
  async #read(run: Run): Promise<true | undefined> {
    const last = run.events.findLast(({ id }) => id !== undefined)?.id;
    const stream = await this.#ui.stream(run.run, { last });
    this.count('connections');
    const pieces = this.cutAfter();
    const isCut = () => stream.events.length >= pieces || undefined;
    const how = await stream.until(() => stream.how ?? (isCut() && 'cut'), 'the end', run_ms);
    const events = stream.events.filter((one) => !goesOn(one));
    stream.close();
    if (how === 'cut') this.count('cuts');
    const [first] = events;
    if (last !== undefined && first?.id !== undefined && seqOf(first) <= seqOf({ id: last })) {
      run.anew.push(first.event);
      run.events = [];
    }
    run.events.push(...events);
    return CLOSING.has(events.at(-1)?.event ?? '') || undefined;
  }

  expectExact(): void {
    for (const { run, events, anew } of this.#runs) {
      // Event ids only grow; what is told anew is told from its beginning.
      expectWellFormed(run, events);
      expect(anew).toEqual(anew.map(() => 'context_status'));
      const ends = events.filter(({ event }) => event === 'done' || CLOSING.has(event));
      expect(ends.map(({ event }) => event)).toEqual(['done', 'stream_end']);
      expect(events.filter(({ event }) => event === 'context_status')).toHaveLength(1);
    }
  }

  expectKept(): Promise<void> {
    return this.expectHistory(this.#session);
  }
}
