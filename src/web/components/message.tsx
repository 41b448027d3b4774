import type { JSX } from 'preact';
import type { MessageItem } from '../../client/index.ts';
import { segments } from '../markdown/segments.ts';
import { strings } from '../strings.ts';
import { CopyButton } from './copy-button.tsx';
import { Ending } from './ending.tsx';
import { FileCard } from './file-card.tsx';
import { Icon, Twinkle } from './icons.tsx';
import { Markdown } from './markdown.tsx';
import { MessageButtons } from './message-buttons.tsx';
import { PromptCard } from './prompt-card.tsx';
import { Quote } from './quote.tsx';
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
        <button type="button" class="link" data-testid="take-back" onClick={() => client.discard(client_id)}>
          {strings.send.takeBack}
        </button>
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
      {!pressed && item.reply_to !== undefined && <Quote id={item.reply_to} />}
      {item.text !== '' && (
        <div class={pressed ? 'bubble is-press' : 'bubble'} dir="auto">
          {pressed && <Icon name="check" size={14} />}
          {item.text}
        </div>
      )}
      {item.attachments?.map((file) => (
        <FileCard key={file.id} {...file} />
      ))}
      <Sending item={item} />
      <div class="message-foot">
        <Time at={item.timestamp} />
        {item.text !== '' && (
          <CopyButton text={item.text} label={strings.messages.copy} done={strings.messages.copied} bare />
        )}
        {item.status === 'sent' && !pressed && <ReplyButton item={item} />}
      </div>
    </>
  );
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
  const { turn, remaking, conversation } = useRoom();
  const remade = conversation.value.open.has(remaking.value.get(item.id) ?? '');
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
      {remade && <p class="ending">{strings.reply.remaking}</p>}
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
          {item.text !== '' && <ReplyButton item={item} />}
          {item.status === 'completed' && <RemakeButton item={item} />}
          <Time at={item.timestamp} />
          {item.edited && <span>{words.edited}</span>}
        </div>
      )}
    </>
  );
}

function ReplyButton({ item }: { item: MessageItem }): JSX.Element {
  const { replyingTo } = useRoom();
  return (
    <button
      type="button"
      class="copy"
      data-testid="reply"
      aria-label={strings.messages.reply}
      title={strings.messages.reply}
      onClick={() => {
        replyingTo.value = item;
      }}
    >
      <Icon name="reply" size={16} />
    </button>
  );
}

function RemakeButton({ item }: { item: MessageItem }): JSX.Element | null {
  const room = useRoom();
  if (item.turn === undefined) return null;
  return (
    <button
      type="button"
      class="copy"
      data-testid="remake"
      aria-label={strings.messages.remake}
      title={strings.messages.remake}
      onClick={() => void room.remake(item)}
    >
      <Icon name="retry" size={16} />
    </button>
  );
}

/** One message, whoever wrote it. Its heading lets screen readers go from one to the next. */
export function Message({ item }: { item: MessageItem }): JSX.Element {
  const own = item.role === 'user';
  const name = own ? strings.you : strings.star;
  return (
    <>
      <h2 class="sr-only">{name}</h2>
      <article
        class={own ? 'message is-own' : 'message'}
        data-testid="message"
        data-role={item.role}
        data-id={item.id}
        data-status={item.status}
        aria-label={name}
        aria-busy={item.status === 'running'}
      >
        {own ? <OwnMessage item={item} /> : <Reply item={item} />}
      </article>
    </>
  );
}
