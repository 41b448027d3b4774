import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../../integration/client.ts';
import type { Usage } from '../usage.ts';
import { startMetered } from './metered.ts';
import { quiet, tokenOf } from './turns.ts';

/** What one connection uses when it is made, and all of them while they only ping. */
export interface Idle {
  sockets: number;
  watched_ms: number;
  connecting: Usage;
  idling: Usage;
}

/** So many users with a tab each, who ping as clients do and say nothing. */
export async function meterIdle(sockets: number, watched_ms: number): Promise<Idle> {
  const metered = await startMetered({ UPSTREAM_MODE: 'demo' });
  try {
    const clients: Client[] = [];
    for (let n = 0; n < sockets; n += 1) {
      const client = await Client.open(metered.origin, { token: await tokenOf(metered, `idle-${n}`) });
      await client.frame('ready');
      clients.push(client);
    }
    const { usage: connecting } = await quiet(metered);
    const end = performance.now() + watched_ms;
    while (performance.now() < end) {
      await Promise.all(clients.map((client) => client.ping()));
      await sleep(1_000);
    }
    const { usage: idling } = await metered.take();
    await Promise.all(clients.map((client) => client.close()));
    return { sockets, watched_ms, connecting, idling };
  } finally {
    await metered.stop();
  }
}
