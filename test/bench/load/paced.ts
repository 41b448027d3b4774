import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../harness/statistics.ts';
import { freshUsers, openTabs } from './tabs.ts';
import type { Load, Tasks } from './task.ts';
import { checkText, TOKEN_CHARS, tokens } from './tokens.ts';
import type { RawSocket } from './websocket.ts';
import type { Wire } from './wire.ts';

export async function paced(wire: Wire, options: Tasks['paced']): Promise<Load> {
  const { users, tabs, chunks, per_second } = options;
  const names = freshUsers(users);
  const opened = await openTabs(wire, names, tabs);
  const replies = await Promise.all(names.map((user) => wire.reply(user)));
  const written = tokens(chunks);
  const bodies = replies.map((reply) => written.map((token) => Buffer.from(reply.chunk(token))));
  /** When each chunk of each user was written. */
  const times = replies.map(() => new Float64Array(chunks));
  const all = opened.flat();
  return {
    async run() {
      for (const tab of all) tab.clear();
      // Users speak one after the other within an interval, and each by the clock.
      const due = (chunk: number, user: number): number => ((chunk + user / users) * 1_000) / per_second;
      const began = performance.now();
      for (let chunk = 0, user = 0; chunk < chunks; ) {
        const now = performance.now() - began;
        while (chunk < chunks && due(chunk, user) <= now) {
          (times[user] ?? [])[chunk] = performance.now();
          replies[user]?.write(bodies[user]?.[chunk] ?? '');
          user = (user + 1) % users;
          if (user === 0) chunk += 1;
        }
        if (chunk < chunks) await sleep(1);
      }
      for (const reply of replies) reply.write(reply.end);
      await Promise.all(all.map((tab) => tab.until(wire.ended)));
      await Promise.all(replies.map((reply) => reply.finished()));
    },
    figures() {
      const latencies: number[] = [];
      const later: number[] = [];
      for (const [user, theirs] of opened.entries())
        for (const tab of theirs) {
          const each = latenciesOf(wire, tab, times[user] ?? new Float64Array());
          latencies.push(...each);
          later.push(...each.slice(per_second));
        }
      const messages = all.reduce((sum, tab) => sum + tab.messages.length, 0);
      return {
        p50_ms: percentile(latencies, 0.5),
        p99_ms: percentile(latencies, 0.99),
        later_p99_ms: percentile(later, 0.99),
        messages_per_delivery: messages / (chunks * all.length),
      };
    },
    async close() {
      for (const tab of all) tab.close();
      wire.close();
    },
  };
}

/** From the moment at which each token was written to that at which it had come. */
function latenciesOf(wire: Wire, tab: RawSocket, times: Float64Array): number[] {
  const latencies: number[] = [];
  let text = '';
  for (const { at, payload } of tab.messages) {
    text += wire.textOf(payload.toString(), text.length);
    for (let n = latencies.length; (n + 1) * TOKEN_CHARS <= text.length; n += 1)
      latencies.push(at - (times[n] ?? Number.NaN));
  }
  checkText(text, times.length, 'a tab');
  return latencies;
}
