import type { Env } from '../env.ts';
import { log } from '../protocol/log.ts';
import { KnownTenants } from '../records/known-tenants.ts';
import { presenceOf } from './presence.ts';

/**
 * What a hub tells the Directory: that its user is here, which is to be connected or to have an open turn, or is not. Reports
 * carry versions that grow, also over a sleep, so that a late one loses.
 */
export class Arrivals {
  readonly #env: Env;
  readonly #owner: { tenant: string; user: string };
  /** Of the last report. */
  #version = 0;
  /** The version of the last report that nobody is here. */
  #left = 0;

  constructor(env: Env, owner: { tenant: string; user: string }) {
    this.#env = env;
    this.#owner = owner;
  }

  /** Tells that the user is here; again where something that came and went meanwhile has told the opposite. */
  async arrive(): Promise<void> {
    for (let told = 0; told <= this.#left; ) {
      told = this.#nextVersion();
      await this.#report(told, true);
    }
  }

  async leave(): Promise<void> {
    this.#left = this.#nextVersion();
    await this.#report(this.#left, false);
  }

  #nextVersion(): number {
    this.#version = Math.max(this.#version + 1, Date.now());
    return this.#version;
  }

  async #report(version: number, here: boolean): Promise<void> {
    const { tenant, user } = this.#owner;
    const presence = presenceOf(this.#env);
    if (await presence.report(tenant, user, version, here)) return;
    try {
      await new KnownTenants(this.#env.DB).add(tenant);
      await presence.listed(tenant, user);
    } catch (error) {
      // The next report tries again; that somebody is here matters more.
      log('error', 'a tenant is not listed', { tenant, error });
    }
  }
}
