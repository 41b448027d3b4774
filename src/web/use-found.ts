import { useEffect } from 'preact/hooks';
import { useRoom } from './components/room-context.ts';
import { engine } from './markdown/engine.ts';
import type { Follow } from './use-follow.ts';

/** A message older than this many pages is not looked for by loading them one by one. */
const PAGES = 40;

/** Brings the message that was asked for into view, loading what is before until it is there. */
export function useFound({ scroller, following }: Follow): void {
  const room = useRoom();
  const { message } = room.place.spot.value;
  const { spot } = room.place;
  const ready = room.loaded.value && engine.value !== undefined;
  const asked = spot.value;

  useEffect(() => {
    if (message === undefined || !ready) return;
    let over = false;
    const find = async (): Promise<void> => {
      // Following the end would pull the reader away again.
      following.value = false;
      for (let page = 0; page < PAGES && !over; page += 1) {
        await painted();
        const found = scroller.current?.querySelector(`[data-id="${CSS.escape(message)}"]`);
        if (found) {
          found.scrollIntoView({ block: 'center' });
          found.classList.add('is-found');
          found.addEventListener('animationend', () => found.classList.remove('is-found'), { once: true });
          return;
        }
        if (!(await room.readOlder())) return;
      }
    };
    void find();
    return () => {
      over = true;
    };
  }, [asked, message, ready]);
}

function painted(): Promise<unknown> {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}
