import type { JSX } from 'preact';
import { Banner } from '../components/banner.tsx';
import { Conversing } from '../components/conversing.tsx';
import { NoticeArea } from '../components/notices.tsx';
import { RoomContext } from '../components/room-context.ts';
import type { Room } from '../room.ts';

/** One conversation, without the page around it. */
export function EmbeddedChat({ room, lang }: { room: Room; lang: string }): JSX.Element {
  return (
    <RoomContext.Provider value={room}>
      <div class="main is-embedded" lang={lang}>
        <Banner />
        <Conversing />
        <NoticeArea />
      </div>
    </RoomContext.Provider>
  );
}
