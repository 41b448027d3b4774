import { setTimeout as sleep } from 'node:timers/promises';
import { freshUsers, openTabs } from './tabs.ts';
import type { Load, Tasks } from './task.ts';
import { checkText, TOKEN_CHARS, token, tokens } from './tokens.ts';
import { RawSocket } from './websocket.ts';
import type { Wire } from './wire.ts';

/** How long a server may take to notice that a connection is gone. */
const NOTICE_MS = 500;

export async function resume(wire: Wire, { tabs, missed, of }: Tasks['resume']): Promise<Load> {
  const known = wire.resume;
  if (!known) throw new Error('this system has no resume');
  const [user = ''] = freshUsers(1);
  const [opened = []] = await openTabs(wire, [user], tabs);
  const reply = await (of === 'chunks' ? wire.reply(user) : known.messages(user));
  const [first = '', ...rest] = tokens(missed + 1).map(reply.chunk);
  reply.write(first);
  await Promise.all(opened.map((tab) => tab.until(`"${token(0)}"`)));
  for (const tab of opened) tab.drop();
  await sleep(NOTICE_MS);
  reply.write(rest.join(''));
  if (of === 'messages') await reply.finished();
  else await sleep(NOTICE_MS);
  const doors = opened.map((tab) => known.door(user, tab.messages, TOKEN_CHARS));
  const textOf = (text: string, message: string): string =>
    of === 'chunks' ? wire.textOf(message, text.length) : known.textOfMessage(message);
  let back: RawSocket[] = [];
  return {
    async run() {
      back = await Promise.all(
        doors.map(async (door) => {
          const tab = await RawSocket.open(door);
          await tab.until(known.replayed(token(missed)));
          return tab;
        }),
      );
    },
    figures() {
      for (const tab of back) {
        let text = token(0);
        for (const { payload } of tab.messages) text += textOf(text, payload.toString());
        checkText(text, missed + 1, 'a tab that came back');
      }
      const bytes = back.reduce((sum, tab) => sum + tab.bytes, 0);
      return { bytes_per_tab: bytes / tabs, lost: 0, doubled: 0 };
    },
    async close() {
      for (const tab of back) tab.close();
      if (of === 'chunks') await reply.finished();
      wire.close();
    },
  };
}
