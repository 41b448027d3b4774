import type { JSX } from 'preact';
import { Announcer } from './announcer.tsx';
import { Composer } from './composer.tsx';
import { MessageList } from './message-list.tsx';
import { useRoom } from './room-context.ts';

/** The conversation that is shown, and the place to write in it. */
export function Conversing(): JSX.Element {
  const { current, place } = useRoom();
  const id = current.value;
  return (
    <>
      <MessageList key={id} />
      <Composer key={`${id} composer`} draft={place.spot.value.fresh ? 'new' : id} />
      <Announcer />
    </>
  );
}
