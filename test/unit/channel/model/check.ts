import type { ConversationFrame, DurableFrame, TurnFrame } from '../../../../src/protocol/server-frames.ts';
import { isTerminal } from '../../../../src/protocol/server-frames.ts';
import { endsInHighSurrogate } from '../../../../src/protocol/text.ts';
import { ModelClient } from './client.ts';
import type { Replies } from './replies.ts';
import type { Tab } from './tab.ts';
import type { Surroundings } from './world.ts';

/** The end of every schedule: everybody connects, and must come to see the journal and what is open, and nothing else. */
export class Check {
  readonly #around: Surroundings;
  readonly #tabs: readonly Tab[];
  readonly #replies: Replies;

  constructor(around: Surroundings, tabs: readonly Tab[], replies: Replies) {
    this.#around = around;
    this.#tabs = tabs;
    this.#replies = replies;
  }

  async converge(): Promise<void> {
    for (const tab of this.#tabs) await tab.attach('cursor', 'plain');
    await this.#until(
      () => this.#tabs.every(({ outbox, client }) => client.ready && outbox.size === 0),
      () => `all tabs are ready: ${this.#tabs.map(({ outbox }) => [...outbox.keys()])}`,
    );
    const journal = await this.#around.journal();
    const truth = this.#fold(journal);
    for (const tab of this.#tabs)
      await this.#until(
        () => this.#difference(tab, truth) === '',
        () => this.#difference(tab, truth),
      );
    this.#acknowledged(journal);
    const gone = new Map<string, number>();
    for (const frame of journal) if (isForgotten(frame)) gone.set(frame.id, frame.seq);
    for (const [at, frame] of journal.entries())
      if (
        frame.type === 'turn' &&
        isTerminal(frame.status) &&
        frame.seq > (gone.get(frame.conversation) ?? 0)
      )
        this.#ended(journal.slice(0, at), frame);
  }

  #until(condition: () => boolean, what: () => string): Promise<void> {
    return this.#around.until(() => {
      for (const tab of this.#tabs) tab.readAll();
      return condition();
    }, what);
  }

  /** The journal as one who has seen all of it, and the text of what is open as the upstream sent it. */
  #fold(journal: DurableFrame[]): ModelClient {
    const truth = new ModelClient();
    truth.cursor = 0;
    for (const frame of journal) truth.durable(frame);
    for (const [turn, draft] of truth.drafts) {
      const { text, reasoning } = this.#replies.of(turn);
      draft.text = shown(text);
      draft.reasoning = shown(reasoning);
    }
    return truth;
  }

  /** What a tab sees otherwise than it is; '' where there is nothing. */
  #difference({ client }: Tab, truth: ModelClient): string {
    if (client.cursor !== truth.cursor) return `stands at ${client.cursor} of ${truth.cursor}`;
    for (let seq = client.base + 1; seq <= (truth.cursor ?? 0); seq += 1)
      if (!isSame(client.received.get(seq), truth.received.get(seq)))
        return `entry ${seq} is ${truth.received.get(seq)}, and it was given ${client.received.get(seq)}`;
    const [open, seen] = [drafts(truth), drafts(client)];
    if (open !== seen) return `open are ${open}, and it shows ${seen}`;
    const [asked, shownPrompts] = [[...truth.prompts.keys()].sort(), [...client.prompts.keys()].sort()];
    return String(asked) === String(shownPrompts) ? '' : `asked is ${asked}, and it shows ${shownPrompts}`;
  }

  /** P-WS-5: what was acknowledged is there once, as it was acknowledged. */
  #acknowledged(journal: DurableFrame[]): void {
    for (const { client } of this.#tabs) {
      for (const { client_id, id, seq, turn } of client.acks.values()) {
        const entry = journal[seq - 1];
        const fits =
          entry?.type === 'message'
            ? entry.id === id && entry.turn === turn && entry.client_id === client_id
            : (entry?.type === 'prompt_closed' && entry.prompt === id) || isForgotten(entry);
        if (!fits)
          throw new Error(`${client_id} was acknowledged as ${id} at ${seq}: ${JSON.stringify(entry)}`);
      }
    }
    const said = journal.flatMap((frame) =>
      frame.type === 'message' && frame.client_id ? [frame.client_id] : [],
    );
    if (new Set(said).size !== said.length) throw new Error(`said twice: ${said}`);
  }

  /** P-WS-7: the reply stands right before the end of its turn (or was given whole before), and is what was sent. */
  #ended(before: DurableFrame[], { turn, status, message }: TurnFrame): void {
    const last = before.at(-1);
    const adjacent = last?.type === 'message' && last.id === message;
    const said = before.findLast(
      (frame) => (frame.type === 'message' || frame.type === 'edit') && frame.id === message,
    );
    const text = said && 'text' in said ? String(said.text) : '';
    const reply = this.#replies.of(turn);
    if (!adjacent && !reply.given && !reply.uncertain && (reply.text !== '' || reply.reasoning !== ''))
      throw new Error(`turn ${turn} ended without its message`);
    if (
      adjacent &&
      (status === 'completed') === (last.partial === true) &&
      !(reply.given && status !== 'completed')
    )
      throw new Error(`turn ${turn} is ${status}, and its message partial: ${last.partial}`);
    const right =
      reply.end !== undefined && status === 'completed'
        ? reply.end.toWellFormed() === text
        : reply.uncertain
          ? reply.states.some((state) => state.toWellFormed() === text)
          : reply.text.toWellFormed() === text;
    if (!right)
      throw new Error(`turn ${turn} is ${status} with ${JSON.stringify(text)} of ${JSON.stringify(reply)}`);
  }
}

/** A half of a character that is not followed by its other half yet is not shown. */
function shown(text: string): string {
  return (endsInHighSurrogate(text) ? text.slice(0, -1) : text).toWellFormed();
}

function drafts(client: ModelClient): string {
  return JSON.stringify([...client.drafts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is left of an entry, or the deletion itself. */
function isForgotten(frame: DurableFrame | undefined): frame is ConversationFrame {
  return frame?.type === 'conversation' && frame.status === 'deleted';
}

/** An entry is what was given, or what is left of that since its conversation was deleted. */
function isSame(given: string | undefined, kept: string | undefined): boolean {
  if (given === kept || given === undefined || kept === undefined) return given === kept;
  const before: DurableFrame & { conversation?: string } = JSON.parse(given);
  const after: DurableFrame = JSON.parse(kept);
  if (isForgotten(after)) return before.conversation === after.id;
  const { error: _, value: __, ...rest } = { error: undefined, value: undefined, ...before };
  return JSON.stringify(rest) === kept;
}
