import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { wantEngine } from '../markdown/engine.ts';
import { Room } from '../room.ts';
import { Announcer } from './announcer.tsx';
import { Banner } from './banner.tsx';
import { Composer } from './composer.tsx';
import { Header } from './header.tsx';
import { MessageList } from './message-list.tsx';
import { RoomContext } from './room-context.ts';

/** The chat of one user; it connects when it is shown and closes when it goes. */
export function Chat({ user }: { user: string }): JSX.Element {
  const room = useMemo(() => new Room(user), [user]);
  useEffect(() => {
    wantEngine();
    room.start();
    return () => room.close();
  }, [room]);
  return (
    <RoomContext.Provider value={room}>
      <div class="chat">
        <Header />
        <main class="main">
          <Banner />
          <MessageList />
          <Composer />
        </main>
        <Announcer />
      </div>
    </RoomContext.Provider>
  );
}
