import { errors, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose';
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

/** Verifies user tokens: HS256 under `AUTH_SECRET`, RS256/ES256 under the keys of `AUTH_JWKS_URL`. */
export class Tokens {
  readonly #auth: Config['auth'];
  readonly #options: JWTVerifyOptions;
  readonly #keys: JWTVerifyGetKey | undefined;
  /** Of `AUTH_SECRET`, from its first use on. */
  #key: CryptoKey | undefined;

  constructor(auth: Config['auth'], limits: Limits) {
    const { secret, jwks_url, issuer, audience } = auth;
    this.#auth = auth;
    this.#keys = jwks_url === undefined ? undefined : new RemoteKeys(jwks_url, limits).get;
    const algorithms = [
      ...(secret === undefined ? [] : ['HS256']),
      ...(jwks_url === undefined ? [] : ['RS256', 'ES256']),
    ];
    this.#options = { issuer, audience, algorithms, requiredClaims: ['sub', 'exp'] };
  }

  /** Throws `unauthorized`, `token_expired`, or `internal` for an outage; the message never repeats the token. */
  async verify(token: string): Promise<Identity> {
    if (token.length > TOKEN_CHARS) throw new StarwireError('unauthorized', 'the token is not valid');
    try {
      const { payload } = await jwtVerify(token, this.#keyOf, this.#options);
      const { sub, exp, name, picture, tenant, roles } = v.parse(Claims, payload);
      return { user: sub, exp, name: name ?? sub, avatar: picture ?? '', tenant, roles };
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        throw new StarwireError('token_expired', 'the token has expired');
      if (error instanceof StarwireError) throw error;
      throw new StarwireError('unauthorized', 'the token is not valid');
    }
  }

  /** The algorithm, which is one of those allowed, decides which key may speak: a public key never verifies an HMAC. */
  readonly #keyOf: JWTVerifyGetKey = (header, token) => {
    if (header.alg === 'HS256') return this.#key ?? this.#import();
    if (this.#keys) return this.#keys(header, token);
    throw new StarwireError('unauthorized', 'the token is not valid');
  };

  async #import(): Promise<CryptoKey> {
    const { secret } = this.#auth;
    if (secret === undefined) throw new StarwireError('not_found', 'development tokens need AUTH_SECRET');
    const bytes = new TextEncoder().encode(secret);
    const hmac = { name: 'HMAC', hash: 'SHA-256' };
    this.#key = await crypto.subtle.importKey('raw', bytes, hmac, false, ['sign', 'verify']);
    return this.#key;
  }

  /** Makes a development token (P-ID-4). */
  async issue(identity: Omit<Identity, 'exp' | 'avatar'>, ttl_s: number): Promise<string> {
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
      .sign(this.#key ?? (await this.#import()));
  }
}

/** The token of an `Authorization: Bearer` header; undefined where there is none. */
export function bearer(header: string | null | undefined): string | undefined {
  const match = /^Bearer +(\S+)$/i.exec(header ?? '');
  return match?.[1];
}
