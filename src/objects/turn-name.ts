import type { Seal } from '../auth/seal.ts';

/**
 * The name of the object of a hub's turn. An id that we made is the only one of its kind; one that the upstream chose is its
 * user's alone, since several may have the same.
 */
export function turnName(
  seal: Seal,
  { tenant, user }: { tenant: string; user: string },
  turn: string,
): string {
  return seal.isOurs('turn', turn) ? turn : JSON.stringify([tenant, user, turn]);
}
