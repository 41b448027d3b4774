import { contextOf, type Env } from '../env.ts';
import { log } from '../protocol/log.ts';
import type { TurnEnd } from '../protocol/turn-outcome.ts';
import { TurnCounts } from '../records/turn-counts.ts';
import { admissionsOf } from './admissions.ts';
import type { Owner } from './request-types.ts';

/** A `/v1` request is over: its user may open another turn, and operators see how it went. What is lost here is found when it matters. */
export async function tellEnd(
  env: Env,
  { tenant, user, turn }: Owner,
  ends: readonly TurnEnd[],
): Promise<void> {
  const told = await Promise.allSettled([
    admissionsOf(env, { tenant, user }).release(user, turn),
    new TurnCounts(env.DB).add(tenant, ends),
  ]);
  for (const one of told)
    if (one.status === 'rejected')
      log('error', 'the end of a request was not told', { tenant, user, turn, error: one.reason });
}

/** How soon files are looked after again where D1 could not be reached. */
export const REMEMBER_RETRY_MS = 60_000;

/** The channel of a request goes: its files are swept in their time. Says whether the records know of them all. */
export async function rememberFiles(env: Env, owner: Owner, files: readonly string[]): Promise<boolean> {
  const { tenant, user, turn } = owner;
  try {
    await contextOf(env).files.rows.remember({ tenant, user }, files);
    return true;
  } catch (error) {
    log('error', 'files of a request are recorded later', { tenant, user, turn, error });
    return false;
  }
}
