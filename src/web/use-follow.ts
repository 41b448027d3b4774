import { type Signal, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** Closer to the end than this counts as being at the end. */
const NEAR_PX = 48;

export interface Follow {
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  /** Whether the end is in view, and followed as it grows. */
  following: Signal<boolean>;
  /** Goes to the end and follows it again. */
  toEnd(smooth?: boolean): void;
  /** Runs `change` (an insertion in front) without moving what is being read. */
  keepPlace(change: () => Promise<unknown>): Promise<void>;
}

/**
 * Keeps the end of a growing list in view, unless its reader has scrolled away from it. Only a scroll towards the
 * start ends following: content that grows never does.
 */
export function useFollow(): Follow {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useSignal(true);
  const top = useRef(0);
  /** Distance to the end that an insertion in front must not change. */
  const anchor = useRef<number>(undefined);

  useEffect(() => {
    const box = scroller.current;
    const list = content.current;
    if (!box || !list) return;
    const onScroll = (): void => {
      const distance = box.scrollHeight - box.clientHeight - box.scrollTop;
      if (distance <= NEAR_PX) following.value = true;
      else if (box.scrollTop < top.current - 1) following.value = false;
      top.current = box.scrollTop;
    };
    const stay = (): void => {
      if (anchor.current !== undefined) box.scrollTop = box.scrollHeight - anchor.current;
      else if (following.peek()) box.scrollTop = box.scrollHeight;
      top.current = box.scrollTop;
    };
    box.addEventListener('scroll', onScroll, { passive: true });
    const observer = new ResizeObserver(stay);
    observer.observe(list);
    // The window or the composer changes its height: the end stays where it was.
    observer.observe(box);
    // Before the browser lays the page out by itself: otherwise what stands at the end would be seen to jump.
    const growth = new MutationObserver(stay);
    growth.observe(list, { childList: true, characterData: true, subtree: true });
    return () => {
      growth.disconnect();
      box.removeEventListener('scroll', onScroll);
      observer.disconnect();
    };
  }, [following]);

  return {
    scroller,
    content,
    following,
    toEnd(smooth = false) {
      following.value = true;
      const box = scroller.current;
      const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
      box?.scrollTo({ top: box.scrollHeight, behavior: smooth && !calm ? 'smooth' : 'instant' });
    },
    async keepPlace(change) {
      const box = scroller.current;
      if (!box) return void (await change());
      anchor.current = box.scrollHeight - box.scrollTop;
      try {
        await change();
        // Rendered in the next frame, measured in the one after.
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      } finally {
        anchor.current = undefined;
      }
    },
  };
}
