import type { Env } from '../env.ts';
import type { ConversationView } from '../protocol/conversations.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { Identity, Owner } from '../protocol/identity.ts';
import { DEFAULT_CONVERSATION } from '../protocol/ids.ts';
import { Conversations } from '../records/conversations.ts';
import type { ChannelHost } from './channel-host.ts';
import { type Outcome, outcome } from './outcome.ts';
import type { Recorder } from './recorder.ts';

/** Runs a change of the channel, with all that follows from one. */
export type Change = <T>(work: () => T) => Promise<Outcome<T>>;

/** What a user asks of conversations as a whole: of the journal, and of the records where it does not know. */
export class HubConversations {
  readonly #host: ChannelHost;
  readonly #recorder: Recorder;
  readonly #owner: Owner;
  readonly #records: Conversations;
  readonly #change: Change;

  constructor(env: Env, host: ChannelHost, recorder: Recorder, owner: Owner, change: Change) {
    this.#host = host;
    this.#recorder = recorder;
    this.#owner = owner;
    this.#records = new Conversations(env.DB);
    this.#change = change;
  }

  /** Whether there is such a conversation; the one of frames that name none always is. */
  async has(conversation: string): Promise<boolean> {
    return conversation === DEFAULT_CONVERSATION || (await this.#has(conversation));
  }

  /** Whether anything was ever said in a conversation, or it was created. */
  async #has(conversation: string): Promise<boolean> {
    const standing = this.#host.channel.conversations.standing(conversation);
    if (standing !== 'unknown') return standing === 'here';
    return (await this.#records.get(this.#owner, conversation)) !== undefined;
  }

  create(title: string): Promise<Outcome<ConversationView>> {
    return this.#change(() => {
      const { id, created_at } = this.#host.run(({ conversations }) => conversations.create(title));
      return { id, title, created_at, updated_at: created_at, last_message: null };
    });
  }

  async rename(id: string, title: string): Promise<Outcome<ConversationView>> {
    await this.#recorder.record();
    const view = await this.#records.get(this.#owner, id);
    return this.#change(() => {
      if (!view) throw new StarwireError('not_found', 'there is no such conversation');
      this.#host.run(({ conversations }) => conversations.rename(id, title));
      return { ...view, title };
    });
  }

  async delete(id: string): Promise<Outcome<void>> {
    const known = await this.#has(id);
    const result = await this.#change(() => {
      if (!known) throw new StarwireError('not_found', 'there is no such conversation');
      this.#host.run(({ conversations }) => conversations.delete(id));
    });
    // It is gone from every answer already; where the records are down, the alarm takes it out of them.
    if (!('error' in result)) await this.#recorder.try();
    return result;
  }

  async regenerate(turn: string, who: Identity): Promise<Outcome<string>> {
    const kept = outcome(() => this.#host.run((channel) => channel.archive.askedBy(turn)));
    if ('error' in kept) return kept;
    const asked = kept.value ?? (await this.#recorder.askedBy(turn));
    return this.#change(() => {
      if (!asked) throw new StarwireError('not_found', 'there is no such turn, or no message that began it');
      return this.#host.run((channel) => channel.regenerate(asked, who));
    });
  }
}
