import { RawSocket } from './websocket.ts';
import type { Wire } from './wire.ts';

/** Opens the tabs of users, some at once, each until it is live. */
export async function openTabs(
  wire: Wire,
  users: readonly string[],
  tabs: number,
  at_once = 50,
): Promise<RawSocket[][]> {
  const opened: RawSocket[][] = users.map(() => []);
  const wanted = users.flatMap((user, index) => Array.from({ length: tabs }, () => ({ user, index })));
  const next = wanted.values();
  const work = async (): Promise<void> => {
    for (const { user, index } of next) {
      const tab = await RawSocket.open(wire.door(user));
      await tab.until(wire.ready);
      opened[index]?.push(tab);
    }
  };
  await Promise.all(Array.from({ length: Math.min(at_once, wanted.length) }, work));
  return opened;
}

let rounds = 0;

/** Users whom no earlier round has had. */
export function freshUsers(count: number): string[] {
  rounds += 1;
  const round = `${process.pid}-${rounds}`;
  return Array.from({ length: count }, (_, n) => `user-${round}-${n}`);
}
