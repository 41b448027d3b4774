import type { Block } from './blocks.ts';

/** Each message stands under a heading of the page, which is of the second level. */
const OWN = 2;

/**
 * The levels of the headings among blocks, whatever marks a model used: the first is the one below the message's own,
 * and no step down leaves one out. For other blocks it is the level they stand in.
 */
export function levels(blocks: readonly Block[]): number[] {
  let first: number | undefined;
  let level = OWN;
  return blocks.map(({ token }) => {
    if (token.type !== 'heading') return level;
    first ??= token['depth'] - OWN - 1;
    level = Math.min(level + 1, Math.max(OWN + 1, token['depth'] - first), 6);
    return level;
  });
}
