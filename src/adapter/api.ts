import { errorOf, StarwireError } from './errors.ts';
import { type Patience, retrying } from './retry.ts';

export interface ApiOptions {
  /** Where Starwire is: `https://chat.example.com`. */
  url: string;
  /** One of `INTERNAL_TOKEN`. */
  token: string;
  /** Another way to the network, as in tests. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How long to try while Starwire cannot be reached. */
  retry_ms?: number;
  /** How long one attempt of a call may take. A stream may take any time. */
  timeout_ms?: number;
}

export interface CallFields {
  method?: string;
  /** JSON. */
  body?: string;
  /** Under one key a call counts once, so that it can be repeated. */
  key?: string;
}

/** Calls of `/internal/*`. Each is one that may be repeated, and is. */
export class Api {
  readonly retry_ms: number;
  readonly #base: string;
  readonly #token: string;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly #timeout_ms: number;

  constructor({ url, token, fetch: by, retry_ms = 60_000, timeout_ms = 30_000 }: ApiOptions) {
    this.#base = `${url.replace(/\/+$/, '')}/internal`;
    this.#token = token;
    // Workers insist on a `fetch` that nobody has taken off its object.
    this.#fetch = by ?? ((input, init) => fetch(input, init));
    this.retry_ms = retry_ms;
    this.#timeout_ms = timeout_ms;
  }

  /** One call, repeated while Starwire cannot be reached. The type is what the protocol promises. */
  call<T>(path: string, { method = 'GET', body, key }: CallFields = {}, patience?: Patience): Promise<T> {
    const headers = {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    };
    return retrying(async () => {
      const init = { method, headers, body: body ?? null, signal: AbortSignal.timeout(this.#timeout_ms) };
      return readJson<T>(await this.attempt(path, init));
    }, patience ?? { retry_ms: this.retry_ms });
  }

  /** One attempt. Throws `StarwireError` where it fails. A redirect is not followed: the token is for one address. */
  async attempt(path: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#token}` };
    let response: Response;
    try {
      response = await this.#fetch(`${this.#base}${path}`, { ...init, headers, redirect: 'manual' });
    } catch (error) {
      throw unreachable(error);
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }
}

/** The body may break off as well. */
export async function readJson<T>(response: Response): Promise<T> {
  try {
    return JSON.parse(await response.text());
  } catch (error) {
    throw unreachable(error);
  }
}

function unreachable(cause: unknown): StarwireError {
  return new StarwireError('unreachable', 'Starwire did not answer', { retryable: true, cause });
}
