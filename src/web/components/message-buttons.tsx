import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import type { Button } from '../../protocol/server-frames.ts';
import { Icon } from './icons.tsx';
import { useRoom } from './room-context.ts';

const STYLES: Readonly<Record<string, string>> = {
  primary: 'is-primary',
  success: 'is-good',
  green: 'is-good',
  danger: 'is-bad',
  red: 'is-bad',
};

/** The buttons of a message. Each counts once, whichever tab it is pressed in. */
export function MessageButtons({
  message,
  buttons,
}: {
  message: string;
  buttons: readonly Button[];
}): JSX.Element {
  const { client, pressed } = useRoom();
  const mine = useComputed(() => pressed.value.get(message));
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would claim to be a form
    <div class="buttons" role="group">
      {buttons.map(({ label, custom_id, emoji, style }) => {
        const by = mine.value?.get(custom_id);
        const press = (): void => {
          if (by === undefined) client.press(message, custom_id);
        };
        return (
          <button
            key={custom_id}
            type="button"
            data-testid="button"
            data-custom-id={custom_id}
            class={`choice ${STYLES[style ?? ''] ?? ''}`}
            aria-pressed={by !== undefined}
            // Disabled for good, but it keeps the focus, so that the keyboard is not thrown back to the start.
            aria-disabled={by !== undefined}
            data-pending={typeof by === 'string' ? '' : undefined}
            onClick={press}
          >
            {by === true && <Icon name="check" size={14} />}
            {emoji && <span aria-hidden="true">{emoji}</span>}
            <span dir="auto">{label}</span>
          </button>
        );
      })}
    </div>
  );
}
