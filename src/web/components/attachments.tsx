import type { JSX } from 'preact';
import { strings } from '../strings.ts';
import type { Upload } from '../uploads.ts';
import { isPicture } from './file-card.tsx';
import { Icon } from './icons.tsx';
import { useRoom } from './room-context.ts';

function Attached({ upload }: { upload: Upload }): JSX.Element {
  const { uploads } = useRoom();
  const { key, file, progress, view, problem } = upload;
  const percent = Math.round(progress * 100);
  const { attach: words } = strings;
  return (
    <li
      class={problem ? 'attached is-bad' : 'attached'}
      data-testid="attached"
      data-done={view ? '' : undefined}
    >
      {view && isPicture(view) ? (
        <img src={view.url} alt="" />
      ) : (
        <Icon name={problem ? 'alert' : 'file'} size={18} />
      )}
      <span class="attached-text">
        <span class="attached-name" dir="auto">
          {file.name}
        </span>
        {problem && (
          <span class="attached-problem" role="alert">
            {problem}
          </span>
        )}
        {!view && !problem && (
          <progress value={progress} max={1} aria-label={words.progress(file.name, percent)}>
            {percent} %
          </progress>
        )}
      </span>
      {problem && (
        <button
          type="button"
          class="quiet is-small"
          aria-label={words.retry(file.name)}
          onClick={() => uploads.retry(upload)}
        >
          <Icon name="retry" size={16} />
        </button>
      )}
      <button
        type="button"
        class="quiet is-small"
        aria-label={words.remove(file.name)}
        onClick={() => uploads.remove(key)}
      >
        <Icon name="cross" size={16} />
      </button>
    </li>
  );
}

/** The files that will go with the message. */
export function Attachments({ uploads }: { uploads: readonly Upload[] }): JSX.Element | null {
  if (uploads.length === 0) return null;
  return (
    <ul class="attachments" aria-label={strings.attach.list}>
      {uploads.map((upload) => (
        <Attached key={upload.key} upload={upload} />
      ))}
    </ul>
  );
}
