import type { HistoryRow } from '../../src/protocol/history.ts';
import { CLOSING, type RunEvent, seqOf, WebUi } from '../integration/hermes.ts';
import type { World } from '../integration/world.ts';
import { run_ms } from './battered.ts';
import { insist } from './post.ts';
import type { Random } from './random.ts';
import { historyOf } from './viewer.ts';

/** A run as its client had it. */
export interface Run {
  run: string;
  asked: string;
  /** All events, over all connections; those of a telling that was begun anew in place of the former. */
  events: RunEvent[];
  connections: number;
  /** The first event of each telling that began anew: a cursor beyond what the crash left is told the run from its beginning. */
  anew: string[];
}

/** A connection that ends with this has not ended its run. */
const goesOn = ({ event, data }: RunEvent): boolean => event === 'apperror' && data.recovery_control === true;

/** A person at the Hermes web UI who asks one thing after the other, whatever becomes of the server. */
export class Asker {
  readonly runs: Run[] = [];
  /** How often a start whose answer was lost had none the less begun. */
  readonly found = { conflict: 0, history: 0 };
  readonly #ui: WebUi;
  readonly #session: string;

  constructor(ui: WebUi, session: string) {
    this.#ui = ui;
    this.#session = session;
  }

  static async of(world: World): Promise<Asker> {
    const ui = new WebUi(world, await world.person({ exp: Math.floor(Date.now() / 1000) + 86_400 }));
    return new Asker(ui, await ui.newSession());
  }

  /** The native history of the session, oldest first. */
  async history(): Promise<readonly HistoryRow[]> {
    return (await historyOf(this.#ui.world, this.#ui.person, this.#session)).messages.toReversed();
  }

  /** Runs one after the other, each to its end, until `signal`. */
  async converse(random: Random, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const asked = random.id('question');
      const run: Run = { run: await this.#start(asked), asked, events: [], connections: 0, anew: [] };
      this.runs.push(run);
      await insist(() => this.#read(run));
    }
  }

  /** A start has no id of its own: after a lost answer the client looks whether it began before it starts again. */
  async #start(asked: string): Promise<string> {
    let lost = false;
    return insist(async () => {
      if (lost) {
        const begun = (await this.history()).find((row) => row.type === 'message' && row.text === asked);
        if (begun) {
          this.found.history += 1;
          return begun.turn;
        }
      }
      lost = true;
      const body = { session_id: this.#session, message: asked };
      const reply = await this.#ui
        .ask<Record<string, string>>('/api/chat/start', body)
        .catch(() => undefined);
      if (reply === undefined || reply.status >= 500) return undefined;
      if (reply.status === 200) return reply.body.stream_id;
      if (reply.status !== 409) throw new Error(`start: ${reply.status} ${JSON.stringify(reply.body)}`);
      this.found.conflict += 1;
      return reply.body.active_stream_id;
    });
  }

  /** One connection; gives something once the run is over. */
  async #read(run: Run): Promise<true | undefined> {
    const last = run.events.findLast(({ id }) => id !== undefined)?.id;
    const stream = await this.#ui.stream(run.run, { last }).catch((error: unknown) => {
      // A refusal other than that of a server that is down is a fault.
      if (error instanceof TypeError || /expected 5\d\d to be 200/.test(String(error))) return undefined;
      throw error;
    });
    if (stream === undefined) return undefined;
    run.connections += 1;
    await stream.endedWithin(run_ms);
    const events = stream.events.filter((one) => !goesOn(one));
    const [first] = events;
    if (last !== undefined && first?.id !== undefined && seqOf(first) <= seqOf({ id: last })) {
      run.anew.push(first.event);
      run.events = [];
    }
    run.events.push(...events);
    return CLOSING.has(events.at(-1)?.event ?? '') || undefined;
  }
}
