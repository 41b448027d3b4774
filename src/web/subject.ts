import { claimsOf } from '../client/index.ts';
import { DEFAULT_TENANT } from '../protocol/identity.ts';

/** Whom a token is for, to keep apart what this browser stores of several people. */
export function subjectOf(token: string): string {
  const { sub = '', tenant = DEFAULT_TENANT } = claimsOf(token);
  return tenant === DEFAULT_TENANT ? String(sub) : `${String(tenant)}/${String(sub)}`;
}
