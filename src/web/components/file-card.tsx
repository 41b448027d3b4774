import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { AttachmentView } from '../../protocol/server-frames.ts';
import { isOurs, linkOf } from '../links.ts';
import { strings } from '../strings.ts';
import { Icon } from './icons.tsx';

/** What browsers show safely as a picture, and the server sends inline. */
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);

const UNITS = ['B', 'KB', 'MB', 'GB'] as const;

function sizeOf(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toLocaleString(undefined, { maximumFractionDigits: value < 10 && power > 0 ? 1 : 0 })} ${UNITS[power]}`;
}

export function isPicture({ mimetype, url }: Pick<AttachmentView, 'mimetype' | 'url'>): boolean {
  return PICTURES.has(mimetype) && isOurs(url);
}

/** A file: pictures of ours are shown, everything else can be fetched. */
export function FileCard({ filename, mimetype, size, url }: Omit<AttachmentView, 'id'>): JSX.Element {
  const broken = useSignal(false);
  const href = linkOf(url);
  if (href && isPicture({ mimetype, url: href }) && !broken.value) {
    const onError = (): void => {
      broken.value = true;
    };
    return (
      <a class="picture" href={href} target="_blank" rel="noopener" data-testid="file">
        <img src={href} alt={filename} loading="lazy" onError={onError} />
      </a>
    );
  }
  return (
    <a class="file" href={href} download={filename} target="_blank" rel="noopener" data-testid="file">
      <Icon name="file" size={22} />
      <span class="file-text">
        <span class="file-name" dir="auto">
          {filename}
        </span>
        <span class="file-size">
          {sizeOf(size)} · {mimetype.split(';')[0]}
        </span>
      </span>
      <Icon name="download" size={18} />
      <span class="sr-only">{strings.file.download(filename)}</span>
    </a>
  );
}
