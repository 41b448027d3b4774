import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { strings } from '../strings.ts';
import { Icon } from './icons.tsx';
import { useRoom } from './room-context.ts';

const MAX_HEIGHT_PX = 240;

/** Where messages are written. Works without a connection: what is sent waits in the outbox. */
export function Composer(): JSX.Element {
  const { client, turn, limits } = useRoom();
  const text = useSignal('');
  const stopping = useSignal<string | undefined>(undefined);
  const field = useRef<HTMLTextAreaElement>(null);
  const blank = useComputed(() => text.value.trim() === '');
  const over = useComputed(
    () => text.value.length - (limits.value?.message_text ?? Number.POSITIVE_INFINITY),
  );
  const { composer: words } = strings;
  const stop = turn.value;

  useEffect(() => {
    // On a phone the keyboard would cover what is there to be read.
    if (matchMedia('(hover: hover)').matches) field.current?.focus();
  }, []);

  const value = text.value;
  useLayoutEffect(() => {
    const box = field.current;
    if (!box) return;
    box.style.height = 'auto';
    box.style.height = value === '' ? '' : `${Math.min(MAX_HEIGHT_PX, box.scrollHeight)}px`;
  }, [value]);

  const send = (): void => {
    if (blank.value || over.value > 0) return;
    client.message({ text: text.value.trim() });
    text.value = '';
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // While an input method composes, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const onStop = (): void => {
    if (stop === undefined) return;
    stopping.value = stop;
    client.cancel(stop);
    field.current?.focus();
  };

  return (
    <form
      class="composer-place"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="composer">
        <label class="sr-only" for="composer">
          {words.label}
        </label>
        <textarea
          id="composer"
          data-testid="composer"
          ref={field}
          rows={1}
          dir="auto"
          enterkeyhint="send"
          placeholder={words.placeholder}
          value={value}
          aria-describedby="composer-hint"
          aria-invalid={over.value > 0}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
            client.typing(currentTarget.value.trim() !== '');
          }}
          onKeyDown={onKeyDown}
        />
        {stop !== undefined && (
          <button
            type="button"
            class="round is-stop"
            data-testid="stop"
            aria-label={stopping.value === stop ? words.stopping : words.stop}
            title={words.stop}
            aria-disabled={stopping.value === stop}
            onClick={onStop}
          >
            <Icon name="stop" />
          </button>
        )}
        {(stop === undefined || !blank.value) && (
          <button
            type="submit"
            class="round"
            data-testid="send"
            aria-label={words.send}
            title={words.send}
            disabled={blank.value || over.value > 0}
          >
            <Icon name="send" />
          </button>
        )}
      </div>
      <p id="composer-hint" class={over.value > 0 ? 'composer-hint is-bad' : 'composer-hint'}>
        {over.value > 0 ? words.tooLong(over.value) : words.hint}
      </p>
    </form>
  );
}
