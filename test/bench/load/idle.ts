import { freshUsers, openTabs } from './tabs.ts';
import type { Load, Tasks } from './task.ts';
import type { RawSocket } from './websocket.ts';
import type { Wire } from './wire.ts';

/** Users of one tab each; what is measured is how they come in. They stay until the load is closed. */
export async function idle(wire: Wire, { users, at_once }: Tasks['idle']): Promise<Load> {
  const names = freshUsers(users);
  // Made before the clock runs: tokens are an identity provider's work.
  const doors = new Map(names.map((name) => [name, wire.door(name)]));
  const prepared: Wire = { ...wire, door: (user) => doors.get(user) ?? wire.door(user) };
  let opened: RawSocket[] = [];
  return {
    async run() {
      opened = (await openTabs(prepared, names, 1, at_once)).flat();
    },
    figures() {
      if (opened.length !== users) throw new Error(`${opened.length} of ${users} tabs are live`);
      const lost = opened.find((tab) => tab.over);
      if (lost) throw new Error(`an idle socket has ended: ${lost.tail}`);
      return { connects: users };
    },
    async close() {
      for (const tab of opened) tab.close();
      wire.close();
    },
  };
}
