import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { strings } from '../strings.ts';
import { useFileDrop } from '../use-file-drop.ts';
import { Attachments } from './attachments.tsx';
import { Icon } from './icons.tsx';
import { ReplyingTo } from './quote.tsx';
import { useRoom } from './room-context.ts';
import { StopButton } from './stop-button.tsx';

const MAX_HEIGHT_PX = 240;

/** Where messages are written. Works without a connection: what is sent waits in the outbox. */
export function Composer({ draft }: { draft: string }): JSX.Element {
  const room = useRoom();
  const { client, turn, limits, drafts, current, replyingTo, uploads } = room;
  const text = useSignal(drafts.get(draft));
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const attached = useComputed(() => uploads.of(current.value));
  const blank = useComputed(() => text.value.trim() === '' && attached.value.length === 0);
  const over = useComputed(
    () => text.value.length - (limits.value?.message_text ?? Number.POSITIVE_INFINITY),
  );
  /** Files that are not there yet, or never will be. */
  const waits = useComputed(() => attached.value.some(({ view }) => !view));
  const { composer: words } = strings;
  const addFiles = (files: Iterable<File>): void => uploads.add(current.peek(), files, limits.peek());
  const dropping = useFileDrop(room.listed, addFiles);

  useEffect(() => {
    // On a phone the keyboard would cover what is there to be read.
    if (matchMedia('(hover: hover)').matches) field.current?.focus();
  }, []);
  const answered = replyingTo.value;
  // Before anything else can be pressed.
  useLayoutEffect(() => {
    if (answered) field.current?.focus();
  }, [answered]);

  const value = text.value;
  useLayoutEffect(() => {
    const box = field.current;
    if (!box) return;
    box.style.height = 'auto';
    box.style.height = value === '' ? '' : `${Math.min(MAX_HEIGHT_PX, box.scrollHeight)}px`;
  }, [value]);

  const write = (next: string): void => {
    text.value = next;
    drafts.set(draft, next);
  };
  const send = (): void => {
    if (blank.value || over.value > 0 || waits.value) return;
    const said = text.value.trim();
    write('');
    room.say(said);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') replyingTo.value = undefined;
    // While an input method composes, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const onPaste = (event: ClipboardEvent): void => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    addFiles(files);
  };

  return (
    <form
      class="composer-place"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {dropping.value && (
        <div class="drop" aria-hidden="true">
          {strings.attach.drop}
        </div>
      )}
      <div class="composer">
        {answered && <ReplyingTo item={answered} />}
        <Attachments uploads={attached.value} />
        <div class="composer-line">
          <input
            ref={picker}
            type="file"
            class="sr-only"
            tabIndex={-1}
            aria-hidden="true"
            multiple
            data-testid="picker"
            onChange={({ currentTarget }) => {
              addFiles(currentTarget.files ?? []);
              currentTarget.value = '';
            }}
          />
          <button
            type="button"
            class="quiet is-round"
            data-testid="attach"
            aria-label={strings.attach.pick}
            title={strings.attach.pick}
            onClick={() => picker.current?.click()}
          >
            <Icon name="clip" />
          </button>
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
              write(currentTarget.value);
              client.typing(currentTarget.value.trim() !== '', current.peek());
            }}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
          />
          <StopButton done={() => field.current?.focus()} />
          {(turn.value === undefined || !blank.value) && (
            <button
              type="submit"
              class="round"
              data-testid="send"
              aria-label={words.send}
              title={waits.value ? strings.attach.wait : words.send}
              disabled={blank.value || over.value > 0 || waits.value}
            >
              <Icon name="send" />
            </button>
          )}
        </div>
      </div>
      <p id="composer-hint" class={over.value > 0 ? 'composer-hint is-bad' : 'composer-hint'}>
        {over.value > 0 ? words.tooLong(over.value) : waits.value ? strings.attach.wait : words.hint}
      </p>
    </form>
  );
}
