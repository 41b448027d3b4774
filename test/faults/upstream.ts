import type { Person, World } from '../integration/world.ts';
import type { Ledger } from './ledger.ts';
import { attempt, insist, type Line, post } from './post.ts';
import type { Random } from './random.ts';

/** Of one reply: what it says, cut into the pieces that are sent. */
interface Script {
  turn: string;
  events: Line[];
}

/** An inference service that writes to one user until it is told to stop, in every way that counts once (P-UP-7). */
export class Upstream {
  readonly #world: World;
  readonly #person: Person;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #producer: string;
  /** Its own messages: what two services edit at once has no one truth. */
  readonly #said: string[] = [];
  #epoch = 0;
  #seq = 0;

  constructor(world: World, person: Person, ledger: Ledger, random: Random) {
    this.#world = world;
    this.#person = person;
    this.#ledger = ledger;
    this.#random = random;
    this.#producer = random.id('producer');
  }

  /** Works until `signal`; what was begun is finished. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const way = this.#random.pick(['keyed', 'produced', 'placed', 'said', 'said']);
      await this[way]();
    }
  }

  readonly #pace = { pause_ms: () => this.#random.between(0, 25) };

  #key(): Record<string, string> {
    return { 'idempotency-key': this.#random.id('key') };
  }

  #event(kind: string, fields: object): Line {
    return { channel: this.#person.channel, kind, ...fields };
  }

  /** A reply in the making: its chunks (with offsets where asked), and tools between them. */
  #script(placed: boolean): Script {
    const random = this.#random;
    const turn = random.id('turn');
    const told = { text: random.text(random.between(5, 80)), reasoning: '', tools: [] as string[] };
    if (random.chance(0.4)) told.reasoning = random.text(random.between(1, 20));
    const events: Line[] = [];
    const speak = (text: string, reasoning: boolean): void => {
      let offset = 0;
      for (const piece of random.cut(text, 24)) {
        events.push(
          this.#event('chunk', {
            turn,
            text: piece,
            ...(reasoning ? { reasoning } : {}),
            ...(placed ? { offset } : {}),
          }),
        );
        offset += piece.length;
        if (placed || !random.chance(0.05)) continue;
        const tool = random.id('tool');
        told.tools.push(tool);
        events.push(this.#event('tool', { turn, tool, name: 'search', status: 'completed', preview: tool }));
      }
    };
    speak(told.reasoning, true);
    speak(told.text, false);
    this.#ledger.turns.set(turn, told);
    return { turn, events };
  }

  async #open(turn: string): Promise<void> {
    const [result] = await post(this.#world, {
      events: this.#event('turn', { id: turn }),
      headers: this.#key(),
    });
    this.#ledger.ack('turn', result);
  }

  async #done(turn: string): Promise<void> {
    const [result] = await post(this.#world, { events: this.#event('done', { turn }), headers: this.#key() });
    this.#ledger.acknowledged.push({ what: 'done', id: turn, seq: result?.seq ?? 0 });
  }

  /** A whole turn in one NDJSON request with an `Idempotency-Key`. */
  async keyed(): Promise<void> {
    const { turn, events } = this.#script(false);
    const all = [this.#event('turn', { id: turn }), ...events, this.#event('done', { turn })];
    const results = await post(this.#world, { events: all, headers: this.#key(), ndjson: this.#pace });
    this.#ledger.ack('turn', results[0]);
    this.#ledger.acknowledged.push({ what: 'done', id: turn, seq: results.at(-1)?.seq ?? 0 });
  }

  /** A turn in several requests of a producer; now and then a new epoch of it, as after a restart of the service. */
  async produced(): Promise<void> {
    const { turn, events } = this.#script(false);
    await this.#open(turn);
    const all = [...events, this.#event('done', { turn })];
    while (all.length > 0) {
      const part = all.splice(0, this.#random.between(1, 8));
      const ndjson = this.#random.chance(0.5) ? this.#pace : undefined;
      await post(this.#world, { events: part, headers: this.#place(), ...(ndjson ? { ndjson } : {}) });
      this.#seq += 1;
      if (this.#random.chance(0.1)) await this.#fence();
    }
  }

  #place(epoch = this.#epoch): Record<string, string> {
    return {
      'producer-id': this.#producer,
      'producer-epoch': String(epoch),
      'producer-seq': String(this.#seq),
    };
  }

  /** From the next epoch on, requests of the earlier one are refused. */
  async #fence(): Promise<void> {
    this.#epoch += 1;
    this.#seq = 0;
    await this.#say(this.#place());
    const late = { events: this.#event('message', { text: 'from a service that was replaced' }) };
    this.#seq = 1;
    const { status } = await insist(() =>
      attempt(this.#world, { ...late, headers: this.#place(this.#epoch - 1) }),
    );
    if (status !== 403) throw new Error(`an older epoch was answered ${status}`);
  }

  /** A turn whose chunks say where they begin: after a loss the service asks how much there is and goes on from there. */
  async placed(): Promise<void> {
    const { turn, events } = this.#script(true);
    await this.#open(turn);
    const isReasoning = (event: Line): boolean => event['reasoning'] === true;
    const length = (list: Line[]) => list.reduce((sum, { text }) => sum + String(text).length, 0);
    const acked = { text: 0, reasoning: 0 };
    while (events.length > 0) {
      const part = events.slice(0, this.#random.between(1, 30));
      const answer = await attempt(this.#world, { events: part, ndjson: this.#pace });
      if (answer) {
        if (answer.status !== 200 || answer.results.some(({ error }) => error)) throw new Error(answer.text);
        acked.reasoning += length(part.filter(isReasoning));
        acked.text += length(part.filter((one) => !isReasoning(one)));
        events.splice(0, part.length);
        continue;
      }
      const { text_length, reasoning_length } = await this.#facts(turn);
      if (text_length < acked.text || reasoning_length < acked.reasoning)
        throw new Error(`acknowledged text of ${turn} is lost`);
    }
    await this.#done(turn);
  }

  #facts(turn: string): Promise<{ text_length: number; reasoning_length: number }> {
    return insist(async () => {
      const reply = await this.#world
        .internal<{ text_length: number; reasoning_length: number }>(`/turns/${turn}`)
        .catch(() => undefined);
      if (reply && reply.status !== 200 && reply.status < 500)
        throw new Error(`the facts of ${turn}: ${reply.status} ${JSON.stringify(reply.body)}`);
      return reply?.status === 200 ? reply.body : undefined;
    });
  }

  /** Messages of their own, some of them edited soon after: what the journal no longer holds cannot be. */
  async said(): Promise<void> {
    const id = this.#said.at(-this.#random.between(1, 5));
    if (id === undefined || this.#random.chance(0.6)) return this.#say(this.#key());
    const text = this.#random.text(10);
    this.#ledger.messages.set(id, text);
    const [result] = await post(this.#world, {
      events: this.#event('edit', { id, text }),
      headers: this.#key(),
    });
    this.#ledger.ack('edit', result);
  }

  async #say(headers: Record<string, string>): Promise<void> {
    const texts = Array.from({ length: this.#random.between(1, 3) }, () => this.#random.text(6));
    const results = await post(this.#world, {
      events: texts.map((text) => this.#event('message', { text })),
      headers,
    });
    for (const [n, text] of texts.entries()) {
      const id = this.#ledger.ack('message', results[n]);
      this.#ledger.messages.set(id, text);
      this.#said.push(id);
    }
  }
}
