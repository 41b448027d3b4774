import type { JSX } from 'preact';
import type { MessageItem } from '../../client/index.ts';
import { strings } from '../strings.ts';
import { inOneLine } from '../titles.ts';
import { Icon } from './icons.tsx';
import { useRoom } from './room-context.ts';

const CHARS = 160;

/** Whose words they are. */
export function nameOf({ role }: MessageItem): string {
  return role === 'user' ? strings.you : strings.star;
}

function beginning({ text }: MessageItem): string {
  const line = inOneLine(text);
  return line.length > CHARS ? `${line.slice(0, CHARS).toWellFormed()}…` : line;
}

/** What a message answers; pressing it leads there. */
export function Quote({ id }: { id: string }): JSX.Element | null {
  const { conversation, place } = useRoom();
  const item = conversation.value.items.find((one) => one.kind === 'message' && one.id === id);
  if (item?.kind !== 'message') return null;
  return (
    <button
      type="button"
      class="quote"
      data-testid="quote"
      aria-label={`${strings.messages.inReplyTo} ${nameOf(item)}: ${beginning(item)}`}
      onClick={() => place.open(conversation.peek().id, id)}
    >
      <Icon name="reply" size={14} />
      <span dir="auto">{beginning(item)}</span>
    </button>
  );
}

/** In the composer: what the next message will answer. */
export function ReplyingTo({ item }: { item: MessageItem }): JSX.Element {
  const { replyingTo } = useRoom();
  const { composer: words } = strings;
  return (
    <div class="replying" data-testid="replying">
      <Icon name="reply" size={16} />
      <span class="replying-text">
        <span class="replying-name">{words.replyingTo(nameOf(item))}</span>
        <span class="replying-quote" dir="auto">
          {beginning(item)}
        </span>
      </span>
      <button
        type="button"
        class="quiet is-small"
        aria-label={words.noReply}
        onClick={() => {
          replyingTo.value = undefined;
        }}
      >
        <Icon name="cross" size={16} />
      </button>
    </div>
  );
}
