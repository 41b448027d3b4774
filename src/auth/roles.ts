import { StarwireError } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';

/**
 * What `roles` of a token may say; other words mean nothing here. A user needs none: everybody sees what is their own.
 * A `tenant_admin` sees the numbers of the own tenant, a `platform_admin` those of any.
 */
export type Role = 'user' | 'tenant_admin' | 'platform_admin';

/** Which tenants somebody may look into: one, or (undefined) any. Throws `forbidden` where it is none. */
export function tenantsOf({ tenant, roles }: Pick<Identity, 'tenant' | 'roles'>): string | undefined {
  const has = (role: Role) => roles.includes(role);
  if (has('platform_admin')) return undefined;
  if (has('tenant_admin')) return tenant;
  throw new StarwireError('forbidden', 'this needs the role tenant_admin or platform_admin');
}
