/**
 * What a file is, by its first bytes. A table of our own: libraries that know hundreds of formats are larger than the Worker
 * wants, and only what a browser shows by itself must be certain.
 */

/** Bytes that are looked at. */
export const HEAD_BYTES = 512;

const UNKNOWN = 'application/octet-stream';

/** Signatures as hex at an offset; `..` is any byte. */
const SIGNATURES: readonly (readonly [mimetype: string, hex: string, offset?: number])[] = [
  ['image/png', '89504e470d0a1a0a'],
  ['image/jpeg', 'ffd8ff'],
  ['image/gif', '474946383761'],
  ['image/gif', '474946383961'],
  ['image/webp', '52494646........57454250'],
  ['image/avif', '6674797061766966', 4],
  ['image/avif', '6674797061766973', 4],
  ['image/heic', '6674797068656963', 4],
  ['image/bmp', '424d............0000'],
  ['audio/wav', '52494646........57415645'],
  ['video/x-msvideo', '52494646........41564920'],
  ['audio/ogg', '4f676753'],
  ['audio/flac', '664c6143'],
  ['audio/mpeg', '494433'],
  ['audio/aac', 'fff1'],
  ['audio/aac', 'fff9'],
  ['audio/mpeg', 'fffb'],
  ['audio/mpeg', 'fff3'],
  ['audio/mpeg', 'fff2'],
  ['audio/midi', '4d546864'],
  ['audio/amr', '2321414d52'],
  ['audio/aiff', '464f524d........41494646'],
  ['audio/mp4', '667479704d3441', 4],
  ['video/quicktime', '6674797071742020', 4],
  ['video/mp4', '66747970', 4],
  ['video/webm', '1a45dfa3'],
  ['video/mpeg', '000001ba'],
  ['application/pdf', '255044462d'],
  ['application/zip', '504b0304'],
  ['application/gzip', '1f8b'],
];

/** What a browser may show on our origin; everything else is for saving. */
const INLINE = /^(?:image\/(?:png|jpeg|gif|webp|avif)|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain)$/;

/** Whether a browser may show it, by its type alone. */
export function isInline(mimetype: string): boolean {
  return INLINE.test(essence(mimetype));
}

/**
 * The type under which a file is kept. What is declared counts, unless a browser would show it: then the first bytes must
 * say so too. What is declared as nothing in particular is what its bytes are.
 */
export function trueType(declared: string, head: Uint8Array): string {
  const claimed = essence(declared);
  const found = sniffed(head);
  if (claimed === '' || claimed === UNKNOWN) return found ?? UNKNOWN;
  if (!INLINE.test(claimed)) return declared;
  if (claimed === 'text/plain') return found ?? (isText(head) ? declared : UNKNOWN);
  return found !== undefined && kin(claimed, found) ? declared : (found ?? UNKNOWN);
}

function essence(mimetype: string): string {
  return mimetype.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Sound and film share their containers; the browser tells them apart. */
function kin(claimed: string, found: string): boolean {
  const isMedia = (type: string) => type.startsWith('audio/') || type.startsWith('video/');
  return claimed === found || (isMedia(claimed) && isMedia(found));
}

function sniffed(head: Uint8Array): string | undefined {
  const hex = Buffer.from(head).toString('hex');
  const known = SIGNATURES.find(([, signature, offset = 0]) =>
    new RegExp(`^${signature}`).test(hex.slice(offset * 2)),
  );
  return known?.[0] ?? markup(head);
}

/** Documents that a browser would run, however they are declared. */
function markup(head: Uint8Array): string | undefined {
  const text = Buffer.from(head).toString('latin1').replaceAll('\0', '');
  const start = /^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<!--[\s\S]*?-->\s*)*<([!?]?[a-z][a-z0-9]*)/i.exec(
    text,
  );
  const tag = start?.[1]?.toLowerCase();
  if (tag === undefined) return undefined;
  if (tag === 'svg') return 'image/svg+xml';
  if (tag === '?xml') return /<svg[\s>]/i.test(text) ? 'image/svg+xml' : 'text/xml';
  return 'text/html';
}

/** Tab, line feed, form feed, carriage return, and the escape of coloured terminal output. */
const TEXT_CONTROLS = new Set([9, 10, 12, 13, 27]);

/** No byte that text does not have. */
function isText(head: Uint8Array): boolean {
  return !head.some((byte) => byte < 32 && !TEXT_CONTROLS.has(byte));
}
