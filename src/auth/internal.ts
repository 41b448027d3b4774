import { sameText } from './seal.ts';
import { bearer } from './tokens.ts';

/** P-ID-3: the upstream's own token; every one of the list is compared, in constant time. */
export function isInternal(authorization: string | undefined, tokens: readonly string[]): boolean {
  const given = bearer(authorization) ?? '';
  let known = false;
  for (const token of tokens) known = sameText(given, token) || known;
  return known;
}
