import type { JSX } from 'preact';
import { strings } from '../strings.ts';
import { Icon } from './icons.tsx';
import { useRoom } from './room-context.ts';

/** Short words at the edge, some of which can be taken back. */
export function NoticeArea(): JSX.Element {
  const { notices } = useRoom();
  return (
    <div class="notices" role="status">
      {notices.shown.value.map(({ key, text, bad, action }) => (
        <div key={key} class={bad ? 'toast is-bad' : 'toast'} data-testid="notice">
          <span dir="auto">{text}</span>
          {action && (
            <button type="button" class="link" data-testid="undo" onClick={action.run}>
              {action.label}
            </button>
          )}
          <button
            type="button"
            class="quiet is-small"
            aria-label={strings.notice.close}
            onClick={() => notices.end(key)}
          >
            <Icon name="cross" size={16} />
          </button>
        </div>
      ))}
    </div>
  );
}
