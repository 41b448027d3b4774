import type { World } from '../integration/world.ts';
import type { Ledger } from './ledger.ts';
import { post } from './post.ts';
import type { Random } from './random.ts';

/** NDJSON requests with lines for all users at once, until `signal` (P-UP-4): each channel counts its own part once. */
export async function broadcast(
  world: World,
  audience: readonly { person: { channel: string }; ledger: Ledger }[],
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const told = Array.from({ length: random.between(2, 12) }, (_, n) => ({
      to: audience[n % audience.length],
      text: random.text(4),
    }));
    const results = await post(world, {
      events: told.map(({ to, text }) => ({ channel: to?.person.channel ?? '', kind: 'message', text })),
      headers: { 'idempotency-key': random.id('all') },
      ndjson: { pause_ms: () => random.between(0, 30) },
    });
    for (const [n, { to, text }] of told.entries())
      to?.ledger.messages.set(to.ledger.ack('message', results[n]), text);
  }
}
