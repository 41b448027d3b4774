import {
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
  SignJWT,
} from 'jose';
import * as v from 'valibot';
import type { Config } from '../config.ts';
import { StarwireError } from '../protocol/errors.ts';
import { DEFAULT_TENANT, type Identity, Tenant, UserId } from '../protocol/identity.ts';
import type { Limits } from '../protocol/limits.ts';
import { RemoteKeys } from './jwks.ts';

/** The claims that make an identity (P-ID-1). `exp` is required; jose has checked it, and `nbf`, by then. */
const Claims = v.object({
  sub: UserId,
  exp: v.number(),
  name: v.optional(v.pipe(v.string(), v.maxLength(256))),
  picture: v.optional(v.pipe(v.string(), v.maxLength(2048))),
  tenant: v.optional(Tenant, DEFAULT_TENANT),
  roles: v.optional(v.array(v.string()), []),
});

/** Longer tokens are nobody's. */
const TOKEN_CHARS = 8_192;

type Verify = (token: string, options: JWTVerifyOptions) => Promise<{ payload: JWTPayload }>;

/** Verifies user tokens: HS256 under `AUTH_SECRET`, RS256/ES256 under the keys of `AUTH_JWKS_URL`. */
export class Tokens {
  readonly #auth: Config['auth'];
  readonly #key: Uint8Array | undefined;
  readonly #keys: JWTVerifyGetKey | undefined;

  constructor(auth: Config['auth'], limits: Limits) {
    this.#auth = auth;
    this.#key = auth.secret === undefined ? undefined : new TextEncoder().encode(auth.secret);
    this.#keys = auth.jwks_url === undefined ? undefined : new RemoteKeys(auth.jwks_url, limits).get;
  }

  /** Throws `unauthorized`, `token_expired`, or `internal` for an outage; the message never repeats the token. */
  async verify(token: string): Promise<Identity> {
    if (token.length > TOKEN_CHARS) throw new StarwireError('unauthorized', 'the token is not valid');
    try {
      const { issuer, audience } = this.#auth;
      const { payload } = await this.#verifier(token)(token, {
        issuer,
        audience,
        requiredClaims: ['sub', 'exp'],
      });
      const { sub, exp, name, picture, tenant, roles } = v.parse(Claims, payload);
      return { user: sub, exp, name: name ?? sub, avatar: picture ?? '', tenant, roles };
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        throw new StarwireError('token_expired', 'the token has expired');
      if (error instanceof StarwireError) throw error;
      throw new StarwireError('unauthorized', 'the token is not valid');
    }
  }

  /** The algorithm decides which key may speak, and is fixed for each: a public key never verifies an HMAC. */
  #verifier(token: string): Verify {
    const { alg } = decodeProtectedHeader(token);
    const key = this.#key;
    if (alg === 'HS256' && key)
      return (text, options) => jwtVerify(text, key, { ...options, algorithms: ['HS256'] });
    const keys = this.#keys;
    if (keys) return (text, options) => jwtVerify(text, keys, { ...options, algorithms: ['RS256', 'ES256'] });
    throw new StarwireError('unauthorized', 'the token is not valid');
  }

  /** Makes a development token (P-ID-4). */
  async issue(identity: Omit<Identity, 'exp' | 'avatar'>, ttl_s: number): Promise<string> {
    if (!this.#key) throw new StarwireError('not_found', 'development tokens need AUTH_SECRET');
    const { user, name, tenant, roles } = identity;
    const { issuer, audience } = this.#auth;
    const required = {
      ...(issuer === undefined ? {} : { iss: issuer }),
      ...(audience === undefined ? {} : { aud: audience }),
    };
    return new SignJWT({ name, tenant, roles: [...roles], ...required })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(user)
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + ttl_s)
      .sign(this.#key);
  }
}

/** The token of an `Authorization: Bearer` header; undefined where there is none. */
export function bearer(header: string | null | undefined): string | undefined {
  const match = /^Bearer +(\S+)$/i.exec(header ?? '');
  return match?.[1];
}
