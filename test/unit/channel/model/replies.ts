import type { OutboundResult } from '../../../../src/protocol/outbound.ts';
import type { Written } from './world.ts';

interface Reply {
  /** All that was sent of each kind, in code units as they were sent: halves of characters too. */
  text: string;
  reasoning: string;
  /** Every text it ever had. */
  states: string[];
  /** The id of its message, once a result told it. */
  message?: string;
  /** A `message` event gave the whole of it. */
  given: boolean;
  /** What it ended with, where the upstream ended it. */
  end?: string;
  finished: boolean;
  /** Some of what was sent may have been refused unseen. */
  uncertain: boolean;
}

/** Pieces of text that hurt: halves of characters, NUL, other planes, nothing. */
const PIECES = ['word ', '😀', '\ud83d', '\ude00', 'a\0b', '漢字', '', '\u{10ffff}x', '\ude00\ud83d', '\n'];

/** What the upstream of a schedule has sent, and what of it was acknowledged: the truth that everybody must come to see. */
export class Replies {
  readonly #replies = new Map<string, Reply>();
  readonly messages: string[] = [];
  readonly withButtons: string[] = [];
  readonly prompts: string[] = [];
  #pieces = 0;

  get turns(): string[] {
    return [...this.#replies.keys()];
  }

  of(turn: string): Reply {
    let reply = this.#replies.get(turn);
    if (!reply) {
      reply = { text: '', reasoning: '', states: [''], given: false, finished: false, uncertain: false };
      this.#replies.set(turn, reply);
    }
    return reply;
  }

  /** Whether a message is the reply of a turn that is not known to have ended. */
  isOpen(message: string): boolean {
    return [...this.#replies.values()].some((reply) => reply.message === message && !reply.finished);
  }

  /** Text that was never sent before. */
  words(): string {
    this.#pieces += 1;
    return `words ${this.#pieces} 😀`;
  }

  #piece(): string {
    this.#pieces += 1;
    return PIECES[(this.#pieces * 7) % PIECES.length] ?? '';
  }

  /** Chunk events that go on with a turn's text. */
  chunks(
    turn: string,
    kinds: ('text' | 'reasoning')[],
    place: 'none' | 'exact' | 'overlap' | 'gap',
  ): Written[] {
    const { text, reasoning } = this.of(turn);
    const so = { text, reasoning };
    return kinds.map((kind) => {
      const piece = this.#piece();
      const before = so[kind];
      const shape = { kind: 'chunk', turn, ...(kind === 'reasoning' ? { reasoning: true } : {}) };
      if (place === 'gap') return { ...shape, text: piece, offset: before.length + 3 };
      so[kind] += piece;
      if (place === 'none') return { ...shape, text: piece };
      const offset = place === 'exact' ? before.length : Math.max(0, before.length - 3);
      return { ...shape, text: before.slice(offset) + piece, offset };
    });
  }

  /** Takes the result of an event in; without one it is taken to be applied. */
  learn(event: Written, result: OutboundResult | undefined): void {
    const { kind } = event;
    const turn = typeof event['turn'] === 'string' ? event['turn'] : undefined;
    const reply = turn === undefined ? undefined : this.of(turn);
    const code = result?.error?.code;
    if (reply && code === 'turn_finished') reply.finished = true;
    if (reply && !result) reply.uncertain = true;
    if (reply?.finished && kind !== 'edit') {
      if (result && !code) throw new Error(`${kind} was applied to ${turn}, which had ended`);
      return;
    }
    if (kind === 'chunk' && code === 'conflict') this.#requireGap(event, result);
    if (code) return;
    const text = String(event['text'] ?? '');
    switch (kind) {
      case 'turn':
        this.of(String(event['id']));
        return;
      case 'chunk':
        if (!reply) return;
        if (result?.id) reply.message = result.id;
        return this.#grow(reply, event, text);
      case 'message':
        if (result?.id) this.#said(result.id, event);
        if (!reply || reply.given) return;
        reply.given = true;
        if (result?.id) reply.message = result.id;
        return this.#become(reply, text);
      case 'edit':
        for (const one of this.#replies.values())
          if (one.message === event['id'] && !one.finished) this.#become(one, text);
        return;
      case 'prompt':
        this.prompts.push(String(event['prompt']));
        return;
      case 'done':
      case 'error':
        if (!reply) return;
        reply.finished = true;
        if (kind === 'done') reply.end = 'text' in event ? text : reply.text;
        if (reply.message) this.messages.push(reply.message);
        return;
    }
  }

  #requireGap(event: Written, result: OutboundResult | undefined): void {
    const reply = this.of(String(event['turn']));
    const length = reply[event['reasoning'] === true ? 'reasoning' : 'text'].length;
    if (result?.error?.expected !== length || Number(event['offset']) <= length)
      throw new Error(`${JSON.stringify(event)} after ${length}: ${JSON.stringify(result)}`);
  }

  #said(id: string, event: Written): void {
    this.messages.push(id);
    if ('buttons' in event) this.withButtons.push(id);
  }

  #grow(reply: Reply, event: Written, text: string): void {
    const kind = event['reasoning'] === true ? 'reasoning' : 'text';
    const { offset } = event;
    const fresh = typeof offset === 'number' ? text.slice(reply[kind].length - offset) : text;
    if (typeof offset === 'number' && offset > reply[kind].length)
      throw new Error(`a chunk at ${offset} was applied after ${reply[kind].length}`);
    if (kind === 'reasoning') reply.reasoning += fresh;
    else this.#become(reply, reply.text + fresh);
  }

  #become(reply: Reply, text: string): void {
    reply.text = text;
    reply.states.push(text);
  }
}
