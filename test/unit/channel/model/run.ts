import type { OutboundResult } from '../../../../src/protocol/outbound.ts';
import { isTerminal } from '../../../../src/protocol/server-frames.ts';
import { Check } from './check.ts';
import { Replies } from './replies.ts';
import type { Step } from './schedule.ts';
import { Tab } from './tab.ts';
import type { Stream, Surroundings, Written } from './world.ts';

const TABS = 4;

const ALLOWED = new Set([
  'turn_finished',
  'rate_limited',
  'conflict',
  'not_found',
  'already_answered',
  'bad_request',
]);

/** Plays one schedule and then checks that everybody sees the truth. */
export class Run {
  readonly #around: Surroundings;
  readonly #replies = new Replies();
  readonly #tabs: Tab[];
  readonly #posted: { key: string; events: Written[]; results: OutboundResult[] }[] = [];
  #stream: Stream | undefined;
  #keys = 0;
  #sends = 0;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#tabs = Array.from({ length: TABS }, () => new Tab(around));
  }

  async play(steps: readonly Step[]): Promise<void> {
    await this.#tabs[0]?.attach('nothing', 'plain');
    for (const step of steps) {
      await this.#step(step);
      for (const tab of this.#tabs) tab.readAll();
    }
    await this.#stream?.end();
    await new Check(this.#around, this.#tabs, this.#replies).converge();
  }

  #tab(n: number): Tab {
    const tab = this.#tabs[n % TABS];
    if (!tab) throw new Error('no tab');
    return tab;
  }

  async #step(step: Step): Promise<void> {
    const replies = this.#replies;
    switch (step.do) {
      case 'send': {
        const client_id = `m${++this.#sends}`;
        // The word keeps the demo upstream of the real objects quiet.
        const text = `silent ${client_id}`;
        const conversation = `c${step.conversation % 2}`;
        return this.#tab(step.tab).command({ type: 'message', client_id, text, conversation }, step.lost);
      }
      case 'resend':
        return this.#tab(step.tab).repeat(step.nth, step.changed);
      case 'press': {
        const message = pick(replies.withButtons, step.message);
        const client_id = `b${++this.#sends}`;
        if (message === undefined) return;
        return this.#tab(step.tab).command({ type: 'action', client_id, message, custom_id: 'yes' }, false);
      }
      case 'answer': {
        const prompt = pick(replies.prompts, step.prompt);
        const client_id = `a${++this.#sends}`;
        if (prompt === undefined) return;
        const value = step.valid ? 'left' : 'nowhere';
        return this.#tab(step.tab).command({ type: 'answer', client_id, prompt, value }, false);
      }
      case 'cancel': {
        const turn = pick(this.#turns, step.turn);
        if (turn === undefined) return;
        return this.#tab(step.tab).command({ type: 'cancel', turn }, false);
      }
      case 'repeat':
        return this.#repeat(step.nth);
      case 'stream':
        if (!step.on) {
          await this.#stream?.end();
          this.#stream = undefined;
        } else this.#stream ??= await this.#around.stream();
        return;
      case 'attach':
        return this.#tab(step.tab).attach(step.from, step.how);
      case 'save':
        return this.#tab(step.tab).save();
      case 'pause':
        return this.#tab(step.tab).pause();
      case 'drop':
        return this.#tab(step.tab).drop();
      case 'die':
        return this.#tab(step.tab).die();
      case 'pass':
        return this.#around.pass(step.ms);
      case 'remove':
        return this.#around.remove?.(['c0', 'c1', 'default'][step.conversation % 3] ?? '');
      case 'evict':
        return this.#around.evict();
      case 'crash':
        await this.#around.crash();
        for (const tab of this.#tabs) tab.drop();
        return;
      default:
        return this.#upstream(step);
    }
  }

  /** Turns that were opened, by the upstream or by a send that some tab has an ack of. */
  get #turns(): string[] {
    const asked = this.#tabs.flatMap((tab) =>
      [...tab.client.acks.values()].flatMap(({ turn }) => turn ?? []),
    );
    return [...new Set([...this.#replies.turns, ...asked])];
  }

  async #upstream(
    step: Extract<
      Step,
      { do: 'open' | 'chunks' | 'tool' | 'reply' | 'say' | 'edit' | 'ask' | 'done' | 'fail' }
    >,
  ): Promise<void> {
    const replies = this.#replies;
    const turn = 'turn' in step && step.turn !== null ? pick(this.#turns, step.turn) : undefined;
    const buttons = [{ label: 'Yes', custom_id: 'yes' }];
    switch (step.do) {
      case 'open':
        return this.#post([{ kind: 'turn', id: `t${++this.#keys}` }]);
      case 'chunks':
        if (turn === undefined || (step.place === 'gap' && this.#stream)) return;
        return this.#post(replies.chunks(turn, step.kinds, step.place));
      case 'tool':
        return turn === undefined
          ? undefined
          : this.#post([{ kind: 'tool', turn, tool: 'call', name: 'look', status: 'running' }]);
      case 'reply':
        return turn === undefined
          ? undefined
          : this.#post([{ kind: 'message', turn, text: replies.words(), buttons }]);
      case 'say':
        return this.#post([
          {
            kind: 'message',
            id: `s${++this.#keys}`,
            text: replies.words(),
            ...(step.buttons ? { buttons } : {}),
          },
        ]);
      case 'edit': {
        const id = pick(replies.messages, step.message);
        // Refused for now, it would be tried again by a stream that is sent again.
        if (id === undefined || (this.#stream && replies.isOpen(id))) return;
        // What ended by itself is edited as any other message: the end of its turn stays as it was.
        for (const frame of await this.#around.journal())
          if (frame.type === 'turn' && isTerminal(frame.status)) replies.of(frame.turn).finished = true;
        return this.#post([{ kind: 'edit', id, text: replies.words() }]);
      }
      case 'ask': {
        const prompt = `p${++this.#keys}`;
        const ask = { kind: 'prompt', prompt, question: 'Which way?', choices: ['left', 'right'] };
        return this.#post([turn === undefined ? ask : { ...ask, turn }]);
      }
      case 'done':
        return turn === undefined
          ? undefined
          : this.#post([{ kind: 'done', turn, ...(step.whole ? { text: replies.words() } : {}) }]);
      case 'fail':
        return turn === undefined ? undefined : this.#post([{ kind: 'error', turn, label: 'Oh' }]);
      default:
        return step satisfies never;
    }
  }

  /** Through the open stream, if there is one; otherwise as a request of its own, every other one with a key. */
  async #post(events: Written[]): Promise<void> {
    if (this.#stream) return this.#learn(events, await this.#stream.push(events));
    this.#keys += 1;
    const key = this.#keys % 2 === 0 ? `key${this.#keys}` : undefined;
    const results = await this.#around.post(events, key);
    this.#learn(events, results);
    if (key !== undefined && results.every(({ error }) => !error))
      this.#posted.push({ key, events, results });
  }

  /** Without results the events are taken to be applied, unless their turn is known to have ended. */
  #learn(events: Written[], results: OutboundResult[] | undefined): void {
    for (const [n, event] of events.entries()) {
      const result = results?.[n];
      if (results && !result) throw new Error(`no result for event ${n}`);
      if (result?.error && !ALLOWED.has(result.error.code))
        throw new Error(`${JSON.stringify(event)} was refused: ${JSON.stringify(result.error)}`);
      this.#replies.learn(event, result);
    }
  }

  /** P-UP-7: the same request again gives the same ids and changes nothing. */
  async #repeat(nth: number): Promise<void> {
    const earlier = pick(this.#posted, nth);
    if (!earlier) return;
    const results = await this.#around.post(earlier.events, earlier.key);
    for (const [n, result] of results.entries()) {
      const { id, seq } = earlier.results[n] ?? {};
      const same = earlier.events[n]?.kind === 'chunk' || (result.id === id && result.seq === seq);
      if (!result.duplicate || !same)
        throw new Error(
          `${earlier.key} gave ${JSON.stringify(result)} after ${JSON.stringify(earlier.results[n])}`,
        );
    }
  }
}

export function pick<T>(list: readonly T[], n: number): T | undefined {
  return list[n % Math.max(1, list.length)];
}
