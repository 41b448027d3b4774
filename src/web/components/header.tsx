import type { JSX } from 'preact';
import { strings } from '../strings.ts';
import { titleOf } from '../titles.ts';
import { Icon } from './icons.tsx';
import { useRoom } from './room-context.ts';

interface HeaderProps {
  sideOpen: boolean;
  openSide(): void;
}

/** Which conversation this is; on narrow screens also the way to the others. */
export function Header({ sideOpen, openSide }: HeaderProps): JSX.Element {
  const { list, current, place } = useRoom();
  const here = list.get(current.value);
  const { header: words } = strings;
  return (
    <header class="header">
      <button
        type="button"
        class="quiet only-narrow"
        data-testid="menu"
        aria-label={words.openSide}
        aria-expanded={sideOpen}
        aria-controls="side"
        onClick={openSide}
      >
        <Icon name="menu" />
      </button>
      <h1 class="header-title" dir="auto" data-testid="title">
        {here ? titleOf(here) : strings.side.untitled}
      </h1>
      <button
        type="button"
        class="quiet only-narrow"
        aria-label={strings.side.create}
        onClick={() => place.openNew()}
      >
        <Icon name="plus" />
      </button>
    </header>
  );
}
