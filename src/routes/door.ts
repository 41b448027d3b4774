import { routePath } from 'hono/route';
import { addressGroup } from '../auth/address.ts';
import { isInternal } from '../auth/internal.ts';
import { bearer } from '../auth/tokens.ts';
import type { Named } from '../dialects/dialect.ts';
import { StarwireError } from '../protocol/errors.ts';
import { type Identity, UserId } from '../protocol/identity.ts';
import { parse } from '../protocol/parse.ts';
import { API_KEY_PREFIX, type VerifiedKey } from '../records/api-keys.ts';
import { audit, type Ctx, cookieOf, requireOrigin, use } from './app.ts';

/** The door: every credential that a request shows is checked here. */

/** An identity of a key does not expire of itself. */
const NEVER = 253_402_300_799;

/** The user for whom a tenant's own backend asks, percent-encoded UTF-8. */
const ACTS_FOR = 'x-starwire-user';

/**
 * Runs a check of a credential. Who is refused too often is refused unseen for a while, by address: attempts must not cost
 * look-ups. Throws `rate_limited`, or what `check` throws.
 */
async function attempt<T>(c: Ctx, check: () => Promise<T>): Promise<T> {
  const { attempts } = use(c);
  const address = addressGroup(c.req.header('cf-connecting-ip'));
  if (address !== undefined) attempts.check(address);
  try {
    return await check();
  } catch (error) {
    if (error instanceof StarwireError && error.code !== 'internal') {
      // The route, not the path: that may hold anything.
      audit(c, 'sign-in refused', { code: error.code, route: routePath(c) });
      // Whoever has an expired token was somebody.
      if (address !== undefined && error.code === 'unauthorized') attempts.take(address);
    }
    throw error;
  }
}

/** The upstream's own token (P-ID-3). Throws `unauthorized`. */
export async function requireInternal(c: Ctx): Promise<void> {
  await attempt(c, async () => {
    if (!isInternal(c.req.header('authorization'), use(c).config.internal_tokens))
      throw new StarwireError('unauthorized', 'the internal token is missing or wrong');
  });
}

/** Whose token it is (P-ID-1). Throws `unauthorized`, `token_expired` or `rate_limited`. */
export async function requireToken(c: Ctx, token: string | undefined): Promise<Identity> {
  const who = await attempt(c, async () => {
    if (token === undefined) throw new StarwireError('unauthorized', 'a user token is missing');
    return use(c).tokens.verify(token);
  });
  use(c).tenantRequests.take(who.tenant);
  return who;
}

/** Who shows an API key (P-ID-2), a user's or a tenant's. */
async function requireKey(c: Ctx, api_key: string): Promise<VerifiedKey> {
  const key = await attempt(c, () => use(c).apiKeys.verify(api_key));
  use(c).tenantRequests.take(key.tenant);
  return key;
}

/** What a request shows; a cookie speaks for pages of allowed origins only. */
function shown(c: Ctx, dialect?: Named): { token?: string; key?: string } {
  if (c.req.query('token') !== undefined)
    throw new StarwireError('bad_request', 'a token does not belong into the address', { field: 'token' });
  const cookie = dialect && cookieOf(c, dialect);
  const token = bearer(c.req.header('authorization')) ?? cookie;
  if (token === cookie && cookie !== undefined) requireOrigin(c);
  if (token === undefined) return {};
  return token.startsWith(API_KEY_PREFIX) ? { key: token } : { token };
}

/**
 * The verified caller: a user token, a user's API key, or a tenant's with the user it acts for; of a `dialect` also a token in
 * a cookie. Throws `unauthorized`, `token_expired` or `rate_limited`, and `forbidden` where a foreign page would use
 * a cookie.
 */
export async function requireUser(c: Ctx, dialect?: Named): Promise<Identity> {
  const { token, key } = shown(c, dialect);
  const actsFor = actsForOf(c);
  if (key !== undefined) return personOf(await requireKey(c, key), actsFor);
  const who = await requireToken(c, token);
  if (actsFor !== undefined && actsFor !== who.user) throw notYou();
  return who;
}

/** A person by a token of their own; a key that got about must not be able to make others. Throws `forbidden`. */
export async function requirePerson(c: Ctx): Promise<Identity> {
  const { token, key } = shown(c);
  if (key !== undefined) throw new StarwireError('forbidden', 'this needs a user token, not an API key');
  return requireToken(c, token);
}

/** Who asks as an operator: with the roles of a token, or as a tenant by its own key. */
export async function requireRoles(c: Ctx): Promise<Pick<Identity, 'tenant' | 'user' | 'roles'>> {
  const { token, key } = shown(c);
  if (key === undefined) return requireToken(c, token);
  const { tenant, user, id } = await requireKey(c, key);
  return { tenant, user: user ?? id, roles: user === null ? ['tenant_admin'] : [] };
}

/** Whether the API key of a request that goes on and on still counts (P-ID-2); a token's end is told by the object (P-WS-12). */
export async function keyHolds(c: Ctx, dialect?: Named): Promise<boolean> {
  const { key } = shown(c, dialect);
  if (key === undefined) return true;
  try {
    await use(c).apiKeys.verify(key);
    return true;
  } catch (error) {
    // An outage of the records ends nothing.
    return !(error instanceof StarwireError);
  }
}

function personOf({ tenant, user }: VerifiedKey, actsFor: string | undefined): Identity {
  const person = user ?? actsFor;
  if (person === undefined)
    throw new StarwireError('bad_request', "a tenant's key needs X-Starwire-User: the user it acts for", {
      field: 'X-Starwire-User',
    });
  if (actsFor !== undefined && actsFor !== person) throw notYou();
  return { tenant, user: person, name: person, avatar: '', roles: [], exp: NEVER };
}

function actsForOf(c: Ctx): string | undefined {
  const header = c.req.header(ACTS_FOR);
  if (header === undefined) return undefined;
  try {
    return parse(UserId, decodeURIComponent(header), 'user of X-Starwire-User');
  } catch (error) {
    if (error instanceof StarwireError) throw error;
    throw new StarwireError('bad_request', '"X-Starwire-User" is not percent-encoded UTF-8', {
      field: 'X-Starwire-User',
    });
  }
}

function notYou(): StarwireError {
  return new StarwireError('forbidden', 'X-Starwire-User names somebody else', { field: 'X-Starwire-User' });
}
