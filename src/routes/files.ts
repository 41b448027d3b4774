import { Hono } from 'hono';
import { sameText } from '../auth/seal.ts';
import { StarwireError } from '../protocol/errors.ts';
import { type FileInfo, Files } from '../records/files.ts';
import { type AppEnv, type Ctx, use } from './app.ts';
import { requireUser } from './door.ts';
import { partOf } from './range.ts';

/** Files by signed url, or with the owner's token (section 3). */
export const files = new Hono<AppEnv>();

/** What a browser may show on our origin; everything else is for saving. */
const INLINE = /^(?:image\/(?:png|jpeg|gif|webp|avif)|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain)$/;

files.get('/:id/:filename', async (c) => {
  const id = c.req.param('id');
  const gone = new StarwireError('not_found', 'there is no such file');
  if (!use(c).seal.isOurs('file', id)) throw gone;
  const who = isSigned(c, id) ? undefined : await requireUser(c);
  const stored = new Files(c.env.FILES);
  const info = await stored.info(id);
  if (!info || (who && (who.tenant !== info.tenant || who.user !== info.user))) throw gone;

  const ifRange = c.req.header('if-range');
  const part = partOf(
    ifRange === undefined || ifRange === info.etag ? c.req.header('range') : undefined,
    info.size,
  );
  if (part === 'unsatisfiable')
    return c.body(null, 416, { 'content-range': `bytes */${info.size}`, 'accept-ranges': 'bytes' });
  const object = await stored.get(id, part === 'all' ? undefined : part);
  if (!object) throw gone;
  const headers = {
    'content-type': info.mimetype,
    'content-disposition': disposition(info),
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
    'cache-control': 'private, max-age=3600',
    'accept-ranges': 'bytes',
    etag: info.etag,
  };
  if (part === 'all') return c.body(object.body, 200, { ...headers, 'content-length': String(info.size) });
  return c.body(object.body, 206, {
    ...headers,
    'content-length': String(part.length),
    'content-range': `bytes ${part.offset}-${part.offset + part.length - 1}/${info.size}`,
  });
});

function disposition({ mimetype, filename }: FileInfo): string {
  const type = mimetype.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  // RFC 8187 leaves fewer characters bare than encodeURIComponent does.
  const name = encodeURIComponent(filename).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${INLINE.test(type) ? 'inline' : 'attachment'}; filename*=UTF-8''${name}`;
}

/** A signature counts until `exp`; without one, the owner's token is asked for. */
function isSigned(c: Ctx, id: string): boolean {
  const { exp, sig } = c.req.query();
  if (exp === undefined || sig === undefined) return false;
  const until = Number(exp);
  if (
    !Number.isSafeInteger(until) ||
    until * 1000 < Date.now() ||
    !sameText(sig, use(c).seal.signFile(id, until))
  ) {
    throw new StarwireError('forbidden', 'the link has expired or is not ours');
  }
  return true;
}
