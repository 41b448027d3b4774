import { home } from './home.ts';

/** Whether an address is this server's own. */
export function isOurs(href: string): boolean {
  try {
    return new URL(href, home.origin).origin === home.origin;
  } catch {
    return false;
  }
}

/** Whether an address is that of a file which this server keeps. */
export function isOurFile(href: string): boolean {
  return isOurs(href) && new URL(href, home.origin).pathname.startsWith('/files/');
}

/** Only what a link may safely lead to; anything else a file event may carry is no address. */
export function linkOf(url: string): string | undefined {
  try {
    const { protocol, href } = new URL(url, home.origin);
    return protocol === 'https:' || protocol === 'http:' ? href : undefined;
  } catch {
    return undefined;
  }
}
