import * as v from 'valibot';
import { PlainId } from './ids.ts';

/** A tenant's name: PROTOCOL.md, section 0. */
export const Tenant = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'is not a tenant name'));
export const DEFAULT_TENANT = 'default';

/** A user's id: `sub` of a token; 1 to 128 characters, no control characters, no lone surrogates. */
export const UserId = PlainId;

/** Whose something is. */
export interface Owner {
  tenant: string;
  user: string;
}

/** Who a verified token says someone is. `exp` in Unix seconds. */
export interface Identity extends Owner {
  name: string;
  avatar: string;
  roles: readonly string[];
  exp: number;
}

/** The fields of an identity where it is kept beside a socket or handed to an object. */
export const IDENTITY_FIELDS = {
  tenant: v.string(),
  user: v.string(),
  name: v.string(),
  avatar: v.string(),
  roles: v.array(v.string()),
  exp: v.number(),
};

/** The user as frames and HTTP show it. */
export interface UserView {
  id: string;
  name: string;
  avatar: string;
  tenant: string;
}

export function userView({ user, name, avatar, tenant }: Identity): UserView {
  return { id: user, name, avatar, tenant };
}

/** The bot as the seeds know it: sender `star` on every assistant frame. */
export const BOT = { platform: 'webchat', user_id: 'star', display_name: 'Star', mention: '@Star' } as const;

/** The name of a user's object: JSON keeps tenant and user apart whatever characters they have. */
export function hubName(tenant: string, user: string): string {
  return JSON.stringify([tenant, user]);
}
