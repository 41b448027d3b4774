/** A part of a body, in bytes. */
export interface Part {
  offset: number;
  length: number;
}

/**
 * What a `Range` header asks of a body of `size` bytes (RFC 9110, 14.2). Only one range of bytes is given; anything else is
 * passed over, and all of the body is sent.
 */
export function partOf(header: string | undefined, size: number): Part | 'all' | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return 'all';
  const [, from = '', to = ''] = match;
  if (from !== '' && to !== '' && Number(to) < Number(from)) return 'all';
  const offset = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size : Math.min(size, Number(to) + 1);
  return offset < end ? { offset, length: end - offset } : 'unsatisfiable';
}
