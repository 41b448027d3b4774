import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

/** Takes files that are dropped anywhere on the page, where that is ours. Says whether some are held over it. */
export function useFileDrop(ours: boolean, take: (files: Iterable<File>) => void): Signal<boolean> {
  const over = useSignal(false);
  const taking = useRef(take);
  taking.current = take;
  useEffect(() => {
    if (!ours) return;
    const listening = new AbortController();
    const { signal } = listening;
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    document.addEventListener(
      'dragover',
      (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        over.value = true;
      },
      { signal },
    );
    document.addEventListener(
      'dragleave',
      ({ relatedTarget }) => {
        // Only when the pointer has left the page, not one of its parts.
        if (relatedTarget === null) over.value = false;
      },
      { signal },
    );
    document.addEventListener(
      'drop',
      (event) => {
        over.value = false;
        if (!hasFiles(event)) return;
        event.preventDefault();
        taking.current(event.dataTransfer?.files ?? []);
      },
      { signal },
    );
    return () => listening.abort();
  }, [over, ours]);
  return over;
}
