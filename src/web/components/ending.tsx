import type { JSX } from 'preact';
import type { MessageItem } from '../../client/index.ts';
import { strings } from '../strings.ts';
import { Icon } from './icons.tsx';
import { useRoom } from './room-context.ts';

function Again({ item }: { item: MessageItem }): JSX.Element | null {
  const room = useRoom();
  if (item.turn === undefined) return null;
  return (
    <button type="button" class="link" data-testid="retry" onClick={() => void room.remake(item)}>
      {strings.reply.retry}
    </button>
  );
}

/** How a reply ended, where it did not end well, and the way to another try. */
export function Ending({ item }: { item: MessageItem }): JSX.Element | null {
  const { status, failure } = item;
  if (status === 'failed') {
    return (
      <div class="failure" role="alert">
        <Icon name="alert" size={18} />
        <div>
          <p class="failure-label">{failure?.label || strings.reply.failed}</p>
          {failure?.message && <p>{failure.message}</p>}
          {failure?.hint && <p class="muted">{failure.hint}</p>}
          <Again item={item} />
        </div>
      </div>
    );
  }
  if (status === 'cancelled' || status === 'expired' || status === 'partial') {
    return (
      <p class="ending">
        {failure?.message || strings.reply[status]}
        {failure?.hint ? ` ${failure.hint}` : ''} <Again item={item} />
      </p>
    );
  }
  return null;
}
