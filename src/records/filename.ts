import { StarwireError } from '../protocol/errors.ts';

/** What file systems take. */
const MAX_BYTES = 255;
const MAX_EXTENSION_BYTES = 32;

/** Controls, line separators, and the marks that turn the writing direction: `gpj.exe` must not read as `exe.jpg`. */
const HIDDEN = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu;

const UNNAMED = 'file';

/**
 * The name in an `X-Filename` header (percent-encoded UTF-8) as it is kept: without a path, without what cannot be seen, and of
 * a length that every system takes, its extension kept. Throws `bad_request` where it cannot be read.
 */
export function readFilename(header: string | undefined): string {
  let name: string;
  try {
    name = decodeURIComponent(header ?? '');
  } catch {
    throw new StarwireError('bad_request', '"X-Filename" is not percent-encoded UTF-8', {
      field: 'X-Filename',
    });
  }
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const clean = last.replaceAll(HIDDEN, '').normalize('NFC').trim();
  return shortened(/^\.{0,2}$/.test(clean) ? UNNAMED : clean);
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const extension =
    dot > 0 && Buffer.byteLength(name.slice(dot)) <= MAX_EXTENSION_BYTES ? name.slice(dot) : '';
  const stem = extension === '' ? name : name.slice(0, dot);
  let kept = '';
  let room = MAX_BYTES - Buffer.byteLength(extension);
  for (const char of stem) {
    room -= Buffer.byteLength(char);
    if (room < 0) break;
    kept += char;
  }
  return kept + extension;
}
