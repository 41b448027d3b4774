import { useComputed, useSignal } from '@preact/signals';
import type { ComponentType, JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { webSockets } from '../../client/index.ts';
import { watchAlerts } from '../alerts.ts';
import { wantEngine } from '../markdown/engine.ts';
import { AddressPlace } from '../place.ts';
import { Room } from '../room.ts';
import { endSession, isDevelopment, provideToken, session } from '../session.ts';
import { strings } from '../strings.ts';
import { Wire } from '../wire.ts';
import { Banner } from './banner.tsx';
import { Conversing } from './conversing.tsx';
import { Header } from './header.tsx';
import { NoticeArea } from './notices.tsx';
import { RoomContext } from './room-context.ts';
import { Side } from './side/side.tsx';

const place = new AddressPlace();

/** The chat of one user; it connects when it is shown and closes when it goes. */
export function Chat({ user }: { user: string }): JSX.Element {
  const wire = useMemo(() => new Wire(webSockets()), []);
  const room = useMemo(
    () => new Room({ user, token: provideToken, place, listed: true, open: wire.open }),
    [user, wire],
  );
  const sideOpen = useSignal(false);
  const Playground = useSignal<ComponentType<{ wire: Wire; close(): void }> | undefined>(undefined);

  useEffect(() => {
    wantEngine();
    room.start();
    const unwatch = watchAlerts(room);
    const leave = (): void => room.notices.endAll();
    window.addEventListener('pagehide', leave);
    return () => {
      window.removeEventListener('pagehide', leave);
      unwatch();
      room.close();
    };
  }, [room]);

  // A session that had ended goes on as soon as there is a token again, whoever brought it.
  const token = useComputed(() => session.value?.token).value;
  useEffect(() => {
    if (token !== undefined && room.status.peek().is === 'closed') room.start();
  }, [token, room]);

  const closeSide = (): void => {
    if (!sideOpen.peek()) return;
    sideOpen.value = false;
    requestAnimationFrame(() => document.querySelector<HTMLElement>('[data-testid=menu]')?.focus());
  };
  const togglePlayground = (): void => {
    if (Playground.peek()) Playground.value = undefined;
    else
      void import('../playground/playground.tsx').then(({ Playground: panel }) => {
        Playground.value = panel;
      });
    closeSide();
  };

  const Panel = Playground.value;
  return (
    <RoomContext.Provider value={room}>
      <div class={Panel ? 'chat has-playground' : 'chat'}>
        <a class="skip" href="#composer">
          {strings.header.toMessage}
        </a>
        <Side
          open={sideOpen.value}
          close={closeSide}
          togglePlayground={isDevelopment() ? togglePlayground : undefined}
        />
        {sideOpen.value && <div class="veil" aria-hidden="true" onClick={closeSide} />}
        <div class="room" inert={sideOpen.value}>
          <Header
            sideOpen={sideOpen.value}
            openSide={() => {
              sideOpen.value = true;
            }}
          />
          <main class="main">
            <Banner signIn={endSession} />
            <Conversing />
          </main>
        </div>
        {Panel && <Panel wire={wire} close={togglePlayground} />}
        <NoticeArea />
      </div>
    </RoomContext.Provider>
  );
}
