import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { strings } from '../../strings.ts';
import { Icon, Logo } from '../icons.tsx';
import { useRoom } from '../room-context.ts';
import { Account } from './account.tsx';
import { ConversationList } from './conversation-list.tsx';
import { SearchResults } from './search-results.tsx';

/** Words of this length and more are also looked for in messages. */
const SEARCH_FROM = 2;

export interface SideProps {
  /** On narrow screens: whether it is in view. */
  open: boolean;
  close(): void;
  togglePlayground: (() => void) | undefined;
}

/** Beside the conversation: all of them, ways to find and to begin one, and who is signed in. */
export function Side({ open, close, togglePlayground }: SideProps): JSX.Element {
  const { place } = useRoom();
  const query = useSignal('');
  const side = useRef<HTMLElement>(null);
  const { side: words } = strings;
  const text = query.value.trim();

  useEffect(() => {
    if (open) side.current?.querySelector<HTMLElement>('button')?.focus();
  }, [open]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    if (query.peek() === '') close();
    query.value = '';
  };
  const create = (): void => {
    place.openNew();
    close();
  };

  return (
    <nav
      class={open ? 'side is-open' : 'side'}
      id="side"
      data-testid="side"
      aria-label={words.label}
      ref={side}
      onKeyDown={onKeyDown}
    >
      <div class="side-top">
        <p class="brand">
          <Logo size={24} />
          <span>{strings.app}</span>
        </p>
        <button type="button" class="quiet side-close" onClick={close} aria-label={strings.header.closeSide}>
          <Icon name="cross" />
        </button>
      </div>
      <button type="button" class="side-new" data-testid="new" onClick={create}>
        <Icon name="plus" size={18} />
        <span>{words.create}</span>
      </button>
      <search class="side-search">
        <Icon name="search" size={16} />
        <input
          type="search"
          data-testid="search"
          aria-label={words.search}
          placeholder={words.search}
          autocomplete="off"
          dir="auto"
          value={query.value}
          onInput={({ currentTarget }) => {
            query.value = currentTarget.value;
          }}
        />
      </search>
      <div class="side-list">
        <ConversationList filter={text} opened={close} />
        {text.length >= SEARCH_FROM && <SearchResults query={text} opened={close} />}
      </div>
      <Account togglePlayground={togglePlayground} />
    </nav>
  );
}
