import { Hono } from 'hono';
import { isInternal } from '../auth/internal.ts';
import { sameText } from '../auth/seal.ts';
import { StarwireError } from '../protocol/errors.ts';
import type { FileInfo } from '../records/files.ts';
import { isInline } from '../records/media-type.ts';
import { type AppEnv, type Ctx, use } from './app.ts';
import { requireUser } from './door.ts';
import { partOf } from './range.ts';

/** Files by signed url, with the owner's token, or with the upstream's (section 3). */
export const files = new Hono<AppEnv>();

files.get('/:id/:filename', async (c) => {
  const id = c.req.param('id');
  const gone = new StarwireError('not_found', 'there is no such file');
  if (!use(c).seal.isOurs('file', id)) throw gone;
  const mayRead = await readerOf(c, id);
  const stored = use(c).files;
  const info = await stored.info(id);
  if (!info || !mayRead(info)) throw gone;

  const headers = {
    'content-type': info.mimetype,
    'content-disposition': disposition(info),
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
    'cache-control': 'private, max-age=3600',
    'accept-ranges': 'bytes',
    etag: info.etag,
  };
  if (isKnown(c.req.header('if-none-match'), info.etag)) return c.body(null, 304, headers);
  const ifRange = c.req.header('if-range');
  const range = ifRange === undefined || ifRange === info.etag ? c.req.header('range') : undefined;
  const part = partOf(range, info.size);
  if (part === 'unsatisfiable')
    return c.body(null, 416, { 'content-range': `bytes */${info.size}`, 'accept-ranges': 'bytes' });
  // A `HEAD` is answered without reading anything.
  const object =
    c.req.method === 'HEAD' ? undefined : await stored.get(id, part === 'all' ? undefined : part);
  if (c.req.method !== 'HEAD' && !object) throw gone;
  const body = object?.body ?? '';
  if (part === 'all') return c.body(body, 200, { ...headers, 'content-length': String(info.size) });
  return c.body(body, 206, {
    ...headers,
    'content-length': String(part.length),
    'content-range': `bytes ${part.offset}-${part.offset + part.length - 1}/${info.size}`,
  });
});

function disposition({ mimetype, filename }: FileInfo): string {
  // RFC 8187 leaves fewer characters bare than encodeURIComponent does.
  const name = encodeURIComponent(filename).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${isInline(mimetype) ? 'inline' : 'attachment'}; filename*=UTF-8''${name}`;
}

/** Whether one of the tags of an `If-None-Match` is the file's; the bytes of an id never change. */
function isKnown(header: string | undefined, etag: string): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes('*') || tags.includes(etag);
}

/** Which files the request may read: the one that its url is signed for, its user's own, or as the upstream any. */
async function readerOf(c: Ctx, id: string): Promise<(file: FileInfo) => boolean> {
  if (isSigned(c, id)) return () => true;
  if (isInternal(c.req.header('authorization'), use(c).config.internal_tokens)) return () => true;
  const { tenant, user } = await requireUser(c);
  return (file) => file.tenant === tenant && file.user === user;
}

/** A signature counts until `exp`; without one that counts, a token is asked for. Throws `forbidden` where there is neither. */
function isSigned(c: Ctx, id: string): boolean {
  const { exp, sig } = c.req.query();
  if (exp === undefined || sig === undefined) return false;
  const until = Number(exp);
  const counts =
    Number.isSafeInteger(until) &&
    until * 1000 >= Date.now() &&
    sameText(sig, use(c).seal.signFile(id, until));
  if (!counts && c.req.header('authorization') === undefined)
    throw new StarwireError('forbidden', 'the link has expired or is not ours');
  return counts;
}
