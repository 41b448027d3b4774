import { proxyDurable } from 'itty-durable';
import type { Env } from '../env.ts';
import { Presence } from './directory.ts';

/** The Directory behind itty-durable's method calls, which are small, rare and ASCII. */
export function presenceOf(env: Env): Presence {
  return new Presence(env.DIRECTORY, (namespace, name) =>
    proxyDurable(namespace, { name: 'DIRECTORY', parse: true }).get(name),
  );
}
