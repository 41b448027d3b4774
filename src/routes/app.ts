import type { Context as HonoContext } from 'hono';
import { getCookie } from 'hono/cookie';
import { isAllowedOrigin } from '../auth/origin.ts';
import type { Named } from '../dialects/dialect.ts';
import { type Context, contextOf, type Env } from '../env.ts';
import { RemoteError } from '../objects/outcome.ts';
import { boundedText } from '../protocol/bounded-text.ts';
import { ERRORS, type ErrorBody, StarwireError } from '../protocol/errors.ts';
import { hubName } from '../protocol/identity.ts';
import { type LogFields, log } from '../protocol/log.ts';
import { parseJson } from '../protocol/parse.ts';
import { MethodNotAllowed } from './methods.ts';

/** What the routes share: the environment's context, and how refusals become responses. */
export interface AppEnv {
  Bindings: Env;
  Variables: { request_id: string };
}

export type Ctx = HonoContext<AppEnv>;

export function use(c: Ctx): Context {
  return contextOf(c.env);
}

/** Whether a client wants a WebSocket. */
export function isUpgrade(c: Ctx): boolean {
  return c.req.header('upgrade')?.toLowerCase() === 'websocket';
}

/** P-WS-1, and for everything that a cookie speaks for. Throws `forbidden`. */
export function requireOrigin(c: Ctx): void {
  if (!isAllowedOrigin(c.req.header('origin'), c.req.url, use(c).config.allowed_origins)) {
    throw new StarwireError('forbidden', 'this Origin is not allowed');
  }
}

/** The cookie of a dialect that may hold the token: the first that is there. */
export function cookieOf(c: Ctx, { name, cookies = [] }: Named): string | undefined {
  return [name, ...cookies]
    .map((one) => getCookie(c, one))
    .find((value) => value !== undefined && value !== '');
}

/** One line about something that an operator may have to account for: ids, never texts, tokens or keys. */
export function audit(c: Ctx, event: string, fields: LogFields): void {
  log('info', event, { audit: true, request: c.get('request_id'), ...fields });
}

export function hubOf(c: Ctx, { tenant, user }: { tenant: string; user: string }) {
  return c.env.USER_HUB.getByName(hubName(tenant, user));
}

/** Reads a JSON body of at most `limit` bytes. Throws `too_large` before reading on, `bad_request` where it is no JSON. */
export async function readJson(c: Ctx, limit: number): Promise<unknown> {
  return parseJson(await readText(c, limit));
}

/** Throws `bad_request` where a body is JSON, but no object. */
export function requireObject(body: unknown): object {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new StarwireError('bad_request', 'the body is not a JSON object');
  return body;
}

/** The bytes of the body, as they arrive. Throws `unsupported` where they are compressed. */
export function bodyOf(c: Ctx): ReadableStream<Uint8Array> | null {
  const encoding = c.req.header('content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity')
    throw new StarwireError('unsupported', 'bodies are taken without Content-Encoding only', {
      field: 'Content-Encoding',
    });
  return c.req.raw.body;
}

export async function readText(c: Ctx, limit: number): Promise<string> {
  if (Number(c.req.header('content-length') ?? 0) > limit)
    throw new StarwireError('too_large', `the body has more than ${limit} bytes`);
  return boundedText(bodyOf(c), limit);
}

/** The body and headers of a refusal; a fault of ours is logged and told without any detail. */
export function refusal(
  error: unknown,
  request_id: string,
): { body: ErrorBody; headers: Record<string, string> } {
  if (error instanceof StarwireError) {
    const headers: Record<string, string> =
      error instanceof RemoteError || error instanceof MethodNotAllowed ? { ...error.headers } : {};
    if (error.details.retry_after !== undefined) headers['retry-after'] = String(error.details.retry_after);
    // A fault of ours names the request, also where its words are for the client.
    return { body: error.code === 'internal' ? { ...error.body, request_id } : error.body, headers };
  }
  log('error', 'request failed', { request: request_id, error });
  return {
    body: { code: 'internal', message: 'something went wrong on our side', retryable: true, request_id },
    headers: {},
  };
}

/** A fault that passes, which says when to come again, is no fault of the request: 503. */
export function statusOf({ code, retry_after }: ErrorBody) {
  return code === 'internal' && retry_after !== undefined ? 503 : ERRORS[code].status;
}

const KEY_CHARS = 255;

/** The `Idempotency-Key` of a request, where it has one. Throws `bad_request`. */
export function idempotencyKey(c: Ctx): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key !== undefined && (key === '' || key.length > KEY_CHARS)) {
    throw new StarwireError('bad_request', `"Idempotency-Key" must have 1 to ${KEY_CHARS} characters`, {
      field: 'Idempotency-Key',
    });
  }
  return key;
}

/** A whole number of the query between `min` and `max`. Throws `bad_request`. */
export function queryNumber(c: Ctx, name: string, min: number, max: number): number | undefined {
  const text = c.req.query(name);
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new StarwireError('bad_request', `"${name}" must be a whole number from ${min} to ${max}`, {
      field: name,
    });
  }
  return value;
}
