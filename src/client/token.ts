import type { Clock } from './environment.ts';

/** Why a token is asked for: at first, before the one in use ends, or because the server refused it. */
export type TokenReason = 'start' | 'expiring' | 'expired' | 'refused';

/** Gives a JWT; nothing (or an empty text) where there is none to give, which ends the client. */
export type TokenSource = (reason: TokenReason) => Promise<string | undefined> | string | undefined;

/** Renewed this long before its end, so that a slow answer still comes in time. */
const RENEW_BEFORE_MS = 60_000;

/** What a JWT claims; nothing where it cannot be read. Checks nothing: the server does. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? { ...claims } : {};
  } catch {
    return {};
  }
}

/** Unix milliseconds of the `exp` claim; undefined where there is none to be read. */
export function expiryMs(token: string): number | undefined {
  const { exp } = claimsOf(token);
  return typeof exp === 'number' ? exp * 1000 : undefined;
}

/** The token in use, and the asking for the next one. */
export class CurrentToken {
  readonly #source: TokenSource;
  readonly #clock: Clock;
  #token: string | undefined;

  constructor(source: TokenSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  forget(): void {
    this.#token = undefined;
  }

  /** A token to connect with; undefined where there is none. Throws what the source throws. */
  async get(reason: TokenReason): Promise<string | undefined> {
    const known = this.#token;
    if (reason === 'start' && known !== undefined && this.#leftMs(known) > RENEW_BEFORE_MS) return known;
    const token = await this.#source(reason);
    // A refused token given once more would only be refused again.
    const useless = !token || (token === known && reason !== 'start');
    if (!useless) this.#token = token;
    return useless ? undefined : token;
  }

  /** When to renew; undefined for a token that says no end. */
  renewInMs(): number | undefined {
    const left_ms = this.#leftMs(this.#token ?? '');
    if (left_ms === Number.POSITIVE_INFINITY) return undefined;
    // A token that lives shorter than the margin is renewed half-way.
    return Math.max(1_000, left_ms - Math.min(RENEW_BEFORE_MS, left_ms / 2));
  }

  #leftMs(token: string): number {
    const until = expiryMs(token);
    return until === undefined ? Number.POSITIVE_INFINITY : until - this.#clock.now();
  }
}
