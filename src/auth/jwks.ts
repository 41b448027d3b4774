import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import * as v from 'valibot';
import { boundedText } from '../protocol/bounded-text.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { Limits } from '../protocol/limits.ts';
import { log } from '../protocol/log.ts';

type JwksLimits = Pick<
  Limits,
  'jwks_fresh_ms' | 'jwks_kept_ms' | 'jwks_cooldown_ms' | 'jwks_timeout_ms' | 'jwks_bytes'
>;

const KeySet = v.looseObject({ keys: v.array(v.looseObject({ kty: v.string() })) });

/** How soon the keys are asked for again after that has failed. */
const RETRY_MS = 1_000;
/** How often a request looks whether another one has got them. */
const LOOK_MS = 20;

/**
 * The keys of an identity provider (P-ID-1), read when they are needed and kept for a bounded time. A `kid` that is not among
 * them has them read anew, but not more often than once in `jwks_cooldown_ms`. While the provider is down, the keys that were
 * read last go on counting for `jwks_kept_ms`.
 *
 * A request of a Worker cannot wait for what another one fetches; so each looks whether the other is done.
 */
export class RemoteKeys {
  readonly #url: string;
  readonly #limits: JwksLimits;
  #keys: JWTVerifyGetKey | undefined;
  #read_at = Number.NEGATIVE_INFINITY;
  #asked_at = Number.NEGATIVE_INFINITY;
  #failed = false;
  /** Until when a request that is reading them may take. */
  #busyUntil = 0;

  constructor(url: string, limits: JwksLimits) {
    this.#url = url;
    this.#limits = limits;
  }

  /** The key of a token. Throws `internal` where the provider cannot be asked: that says nothing about the token. */
  readonly get: JWTVerifyGetKey = async (header, token) => {
    const { jwks_fresh_ms } = this.#limits;
    if (Date.now() - this.#read_at >= jwks_fresh_ms) await this.#renew();
    try {
      return await this.#known()(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#renew();
    try {
      return await this.#known()(header, token);
    } catch (error) {
      // The key may be one of those that could not be read.
      if (error instanceof errors.JWKSNoMatchingKey && this.#failed) throw outage();
      throw error;
    }
  };

  #known(): JWTVerifyGetKey {
    const { jwks_fresh_ms, jwks_kept_ms } = this.#limits;
    if (!this.#keys || Date.now() - this.#read_at >= jwks_fresh_ms + jwks_kept_ms) throw outage();
    return this.#keys;
  }

  async #renew(): Promise<void> {
    const { jwks_cooldown_ms, jwks_timeout_ms } = this.#limits;
    if (Date.now() < this.#busyUntil) {
      while (Date.now() < this.#busyUntil) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      return;
    }
    const now = Date.now();
    if (now - this.#asked_at < (this.#failed ? RETRY_MS : jwks_cooldown_ms)) return;
    this.#asked_at = now;
    this.#busyUntil = now + jwks_timeout_ms;
    try {
      this.#keys = createLocalJWKSet(await this.#read());
      this.#read_at = now;
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      log('error', 'AUTH_JWKS_URL cannot be read', { error });
    } finally {
      this.#busyUntil = 0;
    }
  }

  async #read() {
    const { jwks_timeout_ms, jwks_bytes } = this.#limits;
    const response = await fetch(this.#url, {
      redirect: 'manual',
      headers: { accept: 'application/json, application/jwk-set+json' },
      signal: AbortSignal.timeout(jwks_timeout_ms),
    });
    if (response.status !== 200 || !response.body) {
      await response.body?.cancel();
      throw new Error(`the answer was ${response.status}`);
    }
    return v.parse(KeySet, JSON.parse(await boundedText(response.body, jwks_bytes, 'key set')));
  }
}

function outage(): StarwireError {
  return new StarwireError('internal', 'the keys of the identity provider cannot be read just now');
}
