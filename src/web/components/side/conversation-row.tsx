import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ConversationSummary } from '../../../client/index.ts';
import { isUnread } from '../../alerts.ts';
import { addressOf } from '../../place.ts';
import { strings } from '../../strings.ts';
import { titleOf } from '../../titles.ts';
import { Icon } from '../icons.tsx';
import { useRoom } from '../room-context.ts';

const TITLE_CHARS = 200;

function Rename({ title, done }: { title: string; done(title: string | undefined): void }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const over = useRef(false);
  const end = (next: string | undefined): void => {
    if (over.current) return;
    over.current = true;
    done(next);
  };
  return (
    <input
      ref={field}
      class="conversation-rename"
      data-testid="rename-field"
      aria-label={strings.side.renameField}
      dir="auto"
      maxLength={TITLE_CHARS}
      defaultValue={title}
      onKeyDown={(event) => {
        if (event.isComposing) return;
        if (event.key === 'Enter') end(event.currentTarget.value);
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        end(undefined);
      }}
      onBlur={({ currentTarget }) => end(currentTarget.value)}
    />
  );
}

/** A conversation in the list: the way to it, whether there is something new, and what can be done with it. */
export function ConversationRow({ one, opened }: { one: ConversationSummary; opened(): void }): JSX.Element {
  const room = useRoom();
  const renaming = useSignal(false);
  const row = useRef<HTMLLIElement>(null);
  const { id } = one;
  const here = useComputed(() => room.current.value === id);
  const unread = isUnread(room, id) && !here.value;
  const title = titleOf(one);
  const { side: words } = strings;

  const go = (event: MouseEvent): void => {
    // A new tab is the browser's own affair.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    room.place.open(id);
    opened();
  };
  const renamed = (next: string | undefined): void => {
    renaming.value = false;
    const wanted = next?.trim() ?? '';
    if (wanted !== '' && wanted !== one.title) void room.list.rename(id, wanted);
    requestAnimationFrame(() => row.current?.querySelector('a')?.focus());
  };
  const remove = (): void => {
    room.list.remove(id, title);
    if (here.peek()) room.place.openNew();
  };

  if (renaming.value)
    return (
      <li ref={row} class="conversation">
        <Rename title={one.title || title} done={renamed} />
      </li>
    );
  return (
    <li
      ref={row}
      class="conversation"
      data-testid="conversation"
      data-id={id}
      data-unread={unread ? '' : undefined}
    >
      <a href={addressOf(id)} aria-current={here.value ? 'page' : undefined} onClick={go}>
        <span class="conversation-title" dir="auto">
          {title}
        </span>
        {unread && (
          <span class="unread">
            <span class="sr-only">{words.unread}</span>
          </span>
        )}
      </a>
      <span class="conversation-acts">
        <button
          type="button"
          class="quiet is-small"
          data-testid="rename"
          aria-label={words.rename(title)}
          onClick={() => {
            renaming.value = true;
          }}
        >
          <Icon name="pencil" size={16} />
        </button>
        <button
          type="button"
          class="quiet is-small"
          data-testid="remove"
          aria-label={words.remove(title)}
          onClick={remove}
        >
          <Icon name="bin" size={16} />
        </button>
      </span>
    </li>
  );
}
