import type { Env } from '../env.ts';
import { hubName } from '../protocol/identity.ts';
import { presenceOf } from './presence.ts';

/** Users whose hub is asked; beyond them the answer is approximate (section 5.3). */
export const VERIFIED_USERS = 500;

/** Who is here, of one tenant. */
export interface Online {
  /** Those who are connected. */
  users: string[];
  connections: number;
  /** Open turns, those of users who are not connected included. */
  turns: number;
  /** So many hubs were asked. */
  asked: number;
  approximate: boolean;
}

/** Asks the Directory, and the hub of each candidate, `most` at most; what a crash left behind is found here, and goes. */
export async function online(env: Env, tenant: string, most: number): Promise<Online> {
  const presence = presenceOf(env);
  const candidates = await presence.candidates(tenant);
  const asked = candidates.slice(0, most);
  const checked = await Promise.all(
    asked.map(async ({ user, version }) => {
      const { connections, turns } = await env.USER_HUB.getByName(hubName(tenant, user)).load();
      if (connections === 0 && turns === 0) await presence.report(tenant, user, version, false);
      return { user, connections, turns };
    }),
  );
  const unchecked = candidates.slice(most).map(({ user }) => ({ user, connections: 1, turns: 0 }));
  const all = [...checked, ...unchecked];
  return {
    users: all.filter(({ connections }) => connections > 0).map(({ user }) => user),
    connections: all.reduce((sum, { connections }) => sum + connections, 0),
    turns: all.reduce((sum, { turns }) => sum + turns, 0),
    asked: asked.length,
    approximate: unchecked.length > 0,
  };
}
