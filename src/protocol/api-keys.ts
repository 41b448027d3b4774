import * as v from 'valibot';
import { DEFAULT_TENANT, Tenant, UserId } from './identity.ts';

/** `POST /internal/api-keys` (P-ID-2). */
export const KeyRequest = v.object({
  tenant: v.optional(Tenant, DEFAULT_TENANT),
  user: UserId,
  name: v.optional(v.pipe(v.string(), v.maxLength(256, 'has more than 256 characters')), ''),
});
