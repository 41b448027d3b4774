/** P-WS-1: a browser's `Origin` must be our own or listed, exactly; other clients send none. */
export function isAllowedOrigin(
  origin: string | undefined,
  url: string,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  return origin === new URL(url).origin || (origin !== 'null' && allowed.includes(origin));
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** P-ID-4: development sign-in is for a loopback `Host` and no foreign `Origin`. */
export function isLocal(host: string | undefined, origin: string | undefined, url: string): boolean {
  const name = URL.parse(`http://${host ?? ''}`)?.hostname ?? '';
  return LOOPBACK.has(name) && isAllowedOrigin(origin, url, []);
}
