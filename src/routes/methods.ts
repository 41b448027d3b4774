import type { Hono } from 'hono';
import { StarwireError } from '../protocol/errors.ts';
import type { AppEnv } from './app.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** The page is behind every address that nothing else has: it makes none of them exist. */
const PAGE = '/*';

/** An address that exists, by a method that it does not take (RFC 9110, 15.5.6: `Allow` says which it does). */
export class MethodNotAllowed extends StarwireError {
  readonly headers: Record<string, string>;

  constructor(method: string, allowed: readonly string[]) {
    super('method_not_allowed', `${method} is not possible here`);
    this.headers = { allow: allowed.flatMap((one) => (one === 'GET' ? [one, 'HEAD'] : [one])).join(', ') };
  }
}

/** What an address is that no route has answered. */
export function nothingAt(app: Hono<AppEnv>, method: string, path: string): StarwireError {
  const allowed = METHODS.filter((one) =>
    app.router.match(one, path)[0].some(([[, route]]) => route.method === one && route.path !== PAGE),
  );
  // A route that took the request and passed it on has found nothing there.
  if (allowed.length > 0 && !allowed.some((one) => one === method))
    return new MethodNotAllowed(method, allowed);
  return new StarwireError('not_found', `there is nothing at ${path.slice(0, 200)}`);
}
