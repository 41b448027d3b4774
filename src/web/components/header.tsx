import type { JSX } from 'preact';
import { signOut } from '../session.ts';
import { strings } from '../strings.ts';
import { isDark, toggleTheme } from '../theme.ts';
import { Icon, Logo } from './icons.tsx';
import { useRoom } from './room-context.ts';

export function Header(): JSX.Element {
  const { user } = useRoom();
  const name = user.value?.name || user.value?.id || '';
  const dark = isDark();
  const { header: words } = strings;
  return (
    <header class="header">
      <h1 class="brand">
        <Logo size={24} />
        <span>{strings.app}</span>
      </h1>
      <div class="header-side">
        {name !== '' && (
          <span class="who" title={words.signedInAs(name)}>
            <span class="who-mark" aria-hidden="true">
              {[...name][0]?.toLocaleUpperCase()}
            </span>
            <span class="who-name" dir="auto">
              {name}
            </span>
          </span>
        )}
        <button
          type="button"
          class="quiet"
          data-testid="theme"
          onClick={toggleTheme}
          aria-label={dark ? words.toLight : words.toDark}
          title={dark ? words.toLight : words.toDark}
        >
          <Icon name={dark ? 'sun' : 'moon'} />
        </button>
        <button
          type="button"
          class="quiet"
          onClick={signOut}
          aria-label={words.signOut}
          title={words.signOut}
        >
          <Icon name="leave" />
        </button>
      </div>
    </header>
  );
}
