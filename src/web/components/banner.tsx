import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { strings } from '../strings.ts';
import { useRoom } from './room-context.ts';

/** Losses that mend themselves sooner are not worth a word. */
const PATIENCE_MS = 1_000;

/** Says that the connection is away, and what that means for what was typed. */
export function Banner({ signIn }: { signIn?: () => void }): JSX.Element {
  const { client, status, unsent } = useRoom();
  const shown = useSignal(false);
  // Attempts come and go meanwhile; only being away as a whole is timed.
  const live = useComputed(() => status.value.is === 'live');
  useSignalEffect(() => {
    if (live.value) {
      shown.value = false;
      return;
    }
    const timer = setTimeout(() => {
      shown.value = true;
    }, PATIENCE_MS);
    return () => clearTimeout(timer);
  });
  const { connection: words } = strings;
  const { is } = status.value;
  const attempt = status.value.is === 'connecting' ? status.value.attempt : 1;
  // The status area is always there: screen readers announce only what changes inside one.
  return (
    <div class="banner-place" role="status">
      {shown.value && (
        <div class="banner" data-testid="banner">
          <span class="banner-dot" aria-hidden="true" />
          <span>
            {is === 'closed'
              ? words.ended
              : is === 'offline'
                ? words.offline
                : attempt === 0
                  ? words.connecting
                  : words.reconnecting}
            {is !== 'closed' && unsent.value > 0 && (
              <span class="banner-more"> {words.waiting(unsent.value)}</span>
            )}
          </span>
          {is === 'closed' && signIn && (
            <button type="button" class="link" data-testid="again" onClick={signIn}>
              {words.signIn}
            </button>
          )}
          {(is === 'waiting' || is === 'offline') && (
            <button type="button" class="link" onClick={() => client.retryNow()}>
              {words.retry}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
