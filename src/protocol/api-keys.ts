import * as v from 'valibot';
import { DEFAULT_TENANT, Tenant, UserId } from './identity.ts';

const Name = v.optional(v.pipe(v.string(), v.maxLength(256, 'has more than 256 characters')), '');

/** `POST /internal/api-keys` (P-ID-2). */
export const KeyRequest = v.object({
  tenant: v.optional(Tenant, DEFAULT_TENANT),
  user: UserId,
  name: Name,
});

/** The same for a key of a tenant, which is named: a key of this reach is not made by leaving something out. */
export const TenantKeyRequest = v.object({ scope: v.literal('tenant'), tenant: Tenant, name: Name });

/** `POST /api/keys`: a user's own. */
export const OwnKeyRequest = v.object({ name: Name });
