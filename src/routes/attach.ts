import type { AttachRequest } from '../objects/attach-request.ts';
import type { Identity } from '../protocol/identity.ts';
import { type Ctx, use } from './app.ts';

/** A new session of a verified user, as its object is told of it. */
export function attachOf(c: Ctx, who: Identity, dialect: string): AttachRequest {
  const { tenant, user, name, avatar, roles, exp } = who;
  return {
    ...{ tenant, user, name, avatar, roles: [...roles], exp, dialect },
    session: use(c).seal.newId('ses'),
    origin: new URL(c.req.url).origin,
    batch: false,
  };
}

/** The same for a session that the Worker reads for its client, within the credit that reading gives. */
export function relayOf(c: Ctx, who: Identity, dialect: string): AttachRequest {
  return { ...attachOf(c, who, dialect), credit: use(c).config.limits.sse_credit_bytes };
}
