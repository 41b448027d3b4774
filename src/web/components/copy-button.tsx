import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icons.tsx';

interface CopyProps {
  text: string;
  label: string;
  done: string;
  bare?: boolean;
}

/** Copies a text and says so for a moment. */
export function CopyButton({ text, label, done, bare = false }: CopyProps): JSX.Element {
  const copied = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return; // Not allowed: the text is there to be selected.
    }
    copied.value = true;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      copied.value = false;
    }, 1_600);
  };
  const words = copied.value ? done : label;
  return (
    <button
      type="button"
      class="copy"
      onClick={() => void copy()}
      aria-label={words}
      title={bare ? words : undefined}
    >
      <Icon name={copied.value ? 'check' : 'copy'} size={16} />
      {!bare && <span>{words}</span>}
    </button>
  );
}
