import { type ReadonlySignal, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Item } from '../../client/index.ts';
import { engine } from '../markdown/engine.ts';
import { strings } from '../strings.ts';
import { useFollow } from '../use-follow.ts';
import { useFound } from '../use-found.ts';
import { Earlier } from './earlier.tsx';
import { Empty } from './empty.tsx';
import { FileCard } from './file-card.tsx';
import { Icon } from './icons.tsx';
import { Message } from './message.tsx';
import { PromptCard } from './prompt-card.tsx';
import { useRoom } from './room-context.ts';

/** One item; it renders when this item changes and at no other time. */
function Row({ item }: { item: ReadonlySignal<Item> }): JSX.Element {
  const { value } = item;
  switch (value.kind) {
    case 'message':
      return <Message item={value} />;
    case 'prompt':
      return <PromptCard prompt={value} />;
    case 'file': {
      const { filename, mimetype, size, url, sender } = value.frame;
      return (
        <div
          class="message"
          data-testid="message"
          data-role={sender === 'star' ? 'assistant' : 'user'}
          data-id={value.id}
          data-status="completed"
        >
          <FileCard filename={filename} mimetype={mimetype} size={size} url={url} />
        </div>
      );
    }
    default:
      return value satisfies never;
  }
}

function Typing(): JSX.Element | null {
  const { typing, turn } = useRoom();
  // A reply that is under way shows life of its own.
  if (typing.value.length === 0 || turn.value !== undefined) return null;
  return (
    <div class="typing" data-testid="typing">
      <span class="typing-dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span class="sr-only">{strings.messages.typing}</span>
    </div>
  );
}

/** Grey lines while the first page is on its way; most loads are over before they would show. */
function Skeleton(): JSX.Element {
  return (
    <div class="skeleton" aria-hidden="true">
      <i />
      <i />
      <i />
    </div>
  );
}

export function MessageList(): JSX.Element {
  const room = useRoom();
  const { rows, loaded, history, client } = room;
  const follow = useFollow();
  const fresh = useSignal(false);
  const keys = rows.keys.value;

  // An own message brings its writer back to the end, wherever they were reading.
  useEffect(() => client.on('sending', () => follow.toEnd()), [client]);
  useSignalEffect(() => {
    if (follow.following.value) fresh.value = false;
    else if (rows.keys.value.at(-1) !== keys.at(-1)) fresh.value = true;
  });
  useFound(follow);

  const waiting = keys.length === 0 ? !loaded.value : !engine.value;
  const reading = history.state.value;
  const missing = reading === 'missing' && keys.length === 0;
  return (
    <div class="scroll-place">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the conversation is scrolled by keyboard too */}
      <section class="scroller" ref={follow.scroller} tabIndex={0} aria-label={strings.messages.label}>
        <div class="column" ref={follow.content} data-testid="messages">
          <Earlier follow={follow} />
          {missing && (
            <div class="empty" data-testid="missing">
              <h2>{strings.history.missing}</h2>
              <p class="lead">{strings.history.missingHint}</p>
            </div>
          )}
          {keys.length === 0 && loaded.value && <Empty />}
          {waiting && reading !== 'failed' && !missing && <Skeleton />}
          {(engine.value ? keys : []).map((key) => {
            const item = rows.get(key);
            return item && <Row key={key} item={item} />;
          })}
          <Typing />
        </div>
      </section>
      {!follow.following.value && (
        <button type="button" class="to-latest" data-testid="latest" onClick={() => follow.toEnd(true)}>
          <Icon name="down" size={16} />
          <span>{fresh.value ? strings.messages.fresh : strings.messages.latest}</span>
        </button>
      )}
    </div>
  );
}
