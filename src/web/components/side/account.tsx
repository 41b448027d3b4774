import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { DEFAULT_CONVERSATION } from '../../../protocol/ids.ts';
import { canNotify, notifying, toggleNotifying } from '../../alerts.ts';
import { signOut } from '../../session.ts';
import { strings, switchLanguage } from '../../strings.ts';
import { isDark, toggleTheme } from '../../theme.ts';
import { Icon, type IconName } from '../icons.tsx';
import { useRoom } from '../room-context.ts';

interface EntryProps {
  icon: IconName;
  label: string;
  testid?: string;
  pressed?: boolean;
  lang?: string;
  run(): void;
}

function Entry({ icon, label, testid, pressed, lang, run }: EntryProps): JSX.Element {
  return (
    <button type="button" class="entry" data-testid={testid} aria-pressed={pressed} lang={lang} onClick={run}>
      <Icon name={icon} size={18} />
      <span>{label}</span>
      {pressed && <Icon name="check" size={16} />}
    </button>
  );
}

/** Who is signed in, how the connection is, and what can be set. */
export function Account({ togglePlayground }: { togglePlayground: (() => void) | undefined }): JSX.Element {
  const { user, status, api, notices, place } = useRoom();
  const live = useComputed(() => status.value.is === 'live');
  const name = user.value?.name || user.value?.id || '';
  const dark = isDark();
  const { header: words, connection } = strings;
  const state = live.value ? connection.connected : connection.reconnecting;

  const leave = (): void => {
    // Whoever comes next has nothing to do with this conversation.
    place.open(DEFAULT_CONVERSATION);
    signOut();
  };
  const save = async (): Promise<void> => {
    try {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await api.export());
      link.download = 'starwire.ndjson';
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch {
      notices.show(words.exportFailed, { bad: true });
    }
  };

  return (
    <details class="account">
      <summary data-testid="account">
        <span class="who-mark" aria-hidden="true">
          {[...name][0]?.toLocaleUpperCase()}
        </span>
        <span class="who-name" dir="auto">
          {name}
        </span>
        <span
          class={live.value ? 'state is-live' : 'state'}
          title={state}
          data-testid="state"
          data-live={live.value ? '' : undefined}
        >
          <span class="sr-only">
            {state}. {words.more}
          </span>
        </span>
        <Icon name="chevron" size={16} />
      </summary>
      <div class="entries">
        <Entry
          icon={dark ? 'sun' : 'moon'}
          label={dark ? words.toLight : words.toDark}
          testid="theme"
          run={toggleTheme}
        />
        {canNotify() && (
          <Entry
            icon="bell"
            label={words.notify}
            testid="notify"
            pressed={notifying.value}
            run={() => void toggleNotifying()}
          />
        )}
        <Entry
          icon="globe"
          label={words.language}
          testid="language"
          lang={strings.lang === 'de' ? 'en' : 'de'}
          run={switchLanguage}
        />
        <Entry icon="download" label={words.export} testid="export" run={() => void save()} />
        {togglePlayground && (
          <Entry icon="pulse" label={words.playground} testid="playground" run={togglePlayground} />
        )}
        <Entry icon="leave" label={words.signOut} testid="signout" run={leave} />
      </div>
    </details>
  );
}
