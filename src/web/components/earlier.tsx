import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { strings } from '../strings.ts';
import type { Follow } from '../use-follow.ts';
import { useRoom } from './room-context.ts';

/** Earlier messages are fetched before their place comes into view. */
const AHEAD = '800px 0px 0px';

/** The beginning of what is shown: more is loaded as the reader comes near, or presses. */
export function Earlier({ follow }: { follow: Follow }): JSX.Element | null {
  const room = useRoom();
  const { before, history, loaded } = room;
  const place = useRef<HTMLDivElement>(null);
  const state = history.state.value;
  const more = loaded.value && before.value !== null && state !== 'failed';
  const page = before.value;

  const load = (): void => void follow.keepPlace(() => room.readOlder());

  useEffect(() => {
    const mark = place.current;
    if (!mark || !more || state !== 'idle') return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        // At the end of a conversation that fits the screen, nobody has asked for more.
        if (entry?.isIntersecting && !follow.following.peek()) load();
      },
      { root: follow.scroller.current, rootMargin: AHEAD },
    );
    observer.observe(mark);
    return () => observer.disconnect();
  }, [more, state, page, follow.following.value]);

  if (state === 'failed') {
    return (
      <p class="history-note" role="alert">
        {strings.history.failed}{' '}
        <button type="button" class="link" onClick={() => (loaded.peek() ? load() : room.readAgain())}>
          {strings.history.retry}
        </button>
      </p>
    );
  }
  if (!more) return null;
  const busy = state === 'loading';
  return (
    <div class="history-note" ref={place}>
      <button
        type="button"
        class="pill"
        data-testid="earlier"
        aria-disabled={busy}
        onClick={() => !busy && load()}
      >
        {busy ? strings.history.loading : strings.history.earlier}
      </button>
    </div>
  );
}
