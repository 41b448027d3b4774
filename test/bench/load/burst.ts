import { freshUsers, openTabs } from './tabs.ts';
import type { Load, Tasks } from './task.ts';
import { checkText, tokens } from './tokens.ts';
import type { Wire } from './wire.ts';

export async function burst(wire: Wire, { users, tabs, chunks }: Tasks['burst']): Promise<Load> {
  const names = freshUsers(users);
  const opened = await openTabs(wire, names, tabs);
  const replies = await Promise.all(names.map((user) => wire.reply(user)));
  const written = tokens(chunks);
  const bodies = replies.map((reply) => Buffer.from(written.map(reply.chunk).join('') + reply.end));
  const all = opened.flat();
  return {
    async run() {
      for (const tab of all) tab.clear();
      for (const [n, reply] of replies.entries()) reply.write(bodies[n] ?? '');
      await Promise.all(all.map((tab) => tab.until(wire.ended)));
      await Promise.all(replies.map((reply) => reply.finished()));
    },
    figures() {
      let bytes = 0;
      let messages = 0;
      for (const tab of all) {
        let text = '';
        for (const { payload } of tab.messages) text += wire.textOf(payload.toString(), text.length);
        checkText(text, chunks, 'a tab');
        bytes += tab.bytes;
        messages += tab.messages.length;
      }
      const deliveries = chunks * all.length;
      return {
        deliveries,
        bytes_per_delivery: bytes / deliveries,
        messages_per_delivery: messages / deliveries,
      };
    },
    async close() {
      for (const tab of all) tab.close();
      wire.close();
    },
  };
}
