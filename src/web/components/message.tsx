import type { JSX } from 'preact';
import type { MessageItem } from '../../client/index.ts';
import { segments } from '../markdown/segments.ts';
import { strings } from '../strings.ts';
import { CopyButton } from './copy-button.tsx';
import { FileCard } from './file-card.tsx';
import { Icon, Twinkle } from './icons.tsx';
import { Markdown } from './markdown.tsx';
import { MessageButtons } from './message-buttons.tsx';
import { PromptCard } from './prompt-card.tsx';
import { Reasoning } from './reasoning.tsx';
import { useRoom } from './room-context.ts';
import { ToolCard } from './tool-card.tsx';

function Time({ at }: { at: number | undefined }): JSX.Element | null {
  if (at === undefined) return null;
  const date = new Date(at * 1000);
  const sameDay = date.toDateString() === new Date().toDateString();
  const words = date.toLocaleString(
    [],
    sameDay ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' },
  );
  return <time dateTime={date.toISOString()}>{words}</time>;
}

/** What became of an own message that is not there yet. */
function Sending({ item }: { item: MessageItem }): JSX.Element | null {
  const { client, status } = useRoom();
  const { client_id = '' } = item;
  if (item.status === 'sending' && status.value.is !== 'live') {
    return (
      <p class="sending">
        <Icon name="clock" size={14} />
        {strings.send.waiting}
      </p>
    );
  }
  if (item.status !== 'failed') return null;
  return (
    <p class="sending is-bad" role="alert">
      <Icon name="alert" size={14} />
      <span>
        {strings.send.failed}
        {item.error?.message ? `: ${item.error.message}` : ''}
      </span>
      <button type="button" class="link" onClick={() => client.retry(client_id)}>
        {strings.send.retry}
      </button>
      <button type="button" class="link" onClick={() => client.discard(client_id)}>
        {strings.send.discard}
      </button>
    </p>
  );
}

function OwnMessage({ item }: { item: MessageItem }): JSX.Element {
  const pressed = item.custom_id !== undefined;
  return (
    <>
      <div class={pressed ? 'bubble is-press' : 'bubble'} dir="auto">
        {pressed && <Icon name="check" size={14} />}
        {item.text}
      </div>
      {item.attachments?.map((file) => (
        <FileCard key={file.id} {...file} />
      ))}
      <Sending item={item} />
      <div class="message-foot">
        <Time at={item.timestamp} />
      </div>
    </>
  );
}

/** How a reply ended, where it did not end well. */
function Ending({ item }: { item: MessageItem }): JSX.Element | null {
  const { status, failure } = item;
  if (status === 'failed') {
    return (
      <div class="failure" role="alert">
        <Icon name="alert" size={18} />
        <div>
          <p class="failure-label">{failure?.label || strings.reply.failed}</p>
          {failure?.message && <p>{failure.message}</p>}
          {failure?.hint && <p class="muted">{failure.hint}</p>}
        </div>
      </div>
    );
  }
  if (status === 'cancelled' || status === 'expired' || status === 'partial') {
    return (
      <p class="ending">
        {failure?.message || strings.reply[status]}
        {failure?.hint ? ` ${failure.hint}` : ''}
      </p>
    );
  }
  return null;
}

function Body({ item, live }: { item: MessageItem; live: boolean }): JSX.Element {
  return (
    <>
      {segments(item.text, item.inserts).map((piece) => {
        if (piece.kind === 'text')
          return <Markdown key={`text-${piece.at}`} text={piece.text} live={live && piece.last} />;
        const { insert } = piece;
        return insert.kind === 'tool' ? (
          <ToolCard key={`tool-${insert.id}`} insert={insert} over={!live} />
        ) : (
          <PromptCard key={`prompt-${insert.id}`} prompt={insert} />
        );
      })}
    </>
  );
}

function Reply({ item }: { item: MessageItem }): JSX.Element {
  const { turn } = useRoom();
  const live = item.status === 'running' || item.status === 'queued';
  // A turn that has only just been asked for is queued as well; it waits where another one is under way.
  const waits = item.status === 'queued' && turn.value !== item.turn;
  const { messages: words } = strings;
  return (
    <>
      {item.reasoning !== '' && <Reasoning text={item.reasoning} live={live && item.text === ''} />}
      <Body item={item} live={live} />
      {item.buttons && item.buttons.length > 0 && <MessageButtons message={item.id} buttons={item.buttons} />}
      <Ending item={item} />
      {live ? (
        <div class="under-way">
          <Twinkle />
          {item.text === '' && item.reasoning === '' && item.inserts.length === 0 && (
            <span>{waits ? words.queued : words.thinking}</span>
          )}
        </div>
      ) : (
        <div class="message-foot">
          {item.text !== '' && <CopyButton text={item.text} label={words.copy} done={words.copied} bare />}
          <Time at={item.timestamp} />
          {item.edited && <span>{words.edited}</span>}
        </div>
      )}
    </>
  );
}

/** One message, whoever wrote it. */
export function Message({ item }: { item: MessageItem }): JSX.Element {
  const own = item.role === 'user';
  return (
    <article
      class={own ? 'message is-own' : 'message'}
      data-testid="message"
      data-role={item.role}
      data-id={item.id}
      data-status={item.status}
      aria-label={own ? strings.you : strings.star}
      aria-busy={item.status === 'running'}
    >
      {own ? <OwnMessage item={item} /> : <Reply item={item} />}
    </article>
  );
}
