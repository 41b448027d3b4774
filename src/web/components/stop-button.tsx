import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { strings } from '../strings.ts';
import { Icon } from './icons.tsx';
import { useRoom } from './room-context.ts';

/** Stops the reply that is under way; it is there only as long as there is one. */
export function StopButton({ done }: { done(): void }): JSX.Element | null {
  const { client, turn } = useRoom();
  const stopping = useSignal<string | undefined>(undefined);
  const stop = turn.value;
  if (stop === undefined) return null;
  const { composer: words } = strings;
  return (
    <button
      type="button"
      class="round is-stop"
      data-testid="stop"
      aria-label={stopping.value === stop ? words.stopping : words.stop}
      title={words.stop}
      aria-disabled={stopping.value === stop}
      onClick={() => {
        stopping.value = stop;
        client.cancel(stop);
        done();
      }}
    >
      <Icon name="stop" />
    </button>
  );
}
