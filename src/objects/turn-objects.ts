import type { StartPolicy } from '../channel/calls.ts';
import type { Pending } from '../channel/outbox.ts';
import { contextOf, type Env } from '../env.ts';
import type { Owner } from '../protocol/identity.ts';
import { log } from '../protocol/log.ts';
import { turnName } from './turn-name.ts';

/** The objects of a user's turns, as the hub reaches them. */
export class TurnObjects {
  readonly #env: Env;
  readonly #owner: Owner;

  constructor(env: Env, owner: Owner) {
    this.#env = env;
    this.#owner = owner;
  }

  #of(turn: string) {
    return this.#env.REQUEST_STREAM.getByName(turnName(contextOf(this.#env).seal, this.#owner, turn));
  }

  async call({ turn, conversation, call }: Pending): Promise<StartPolicy> {
    const about = { ...this.#owner, turn, conversation, call };
    const stub = this.#of(turn);
    // By its id alone the service asks for a turn that it opened: where several users have the id, the first one's is found.
    if (call.type === 'register' && stub.name !== turn)
      await this.#env.REQUEST_STREAM.getByName(turn).call(about);
    return stub.call(about);
  }

  /** Who comes back after a crash need not wait for the alarm of the turn's own object to find what was broken off. */
  async lookAfter(turn: string): Promise<void> {
    try {
      await this.#of(turn).look();
    } catch (error) {
      log('error', 'a turn cannot be looked after', { ...this.#owner, turn, error });
    }
  }
}
