import { Hono } from 'hono';
import { sameText } from '../auth/seal.ts';
import { StarwireError } from '../protocol/errors.ts';
import { Files } from '../records/files.ts';
import { type AppEnv, type Ctx, requireUser, use } from './app.ts';

/** Files by signed url, or with the owner's token (section 3). */
export const files = new Hono<AppEnv>();

/** What a browser may show on our origin; everything else is for saving. */
const INLINE = /^(?:image\/(?:png|jpeg|gif|webp|avif)|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain)$/;

files.get('/:id/:filename', async (c) => {
  const id = c.req.param('id');
  const gone = new StarwireError('not_found', 'there is no such file');
  if (!use(c).seal.isOurs('file', id)) throw gone;
  const signed = isSigned(c, id);
  const who = signed ? undefined : await requireUser(c);
  const range = c.req.header('range');
  const found = await new Files(c.env.FILES).get(
    id,
    range === undefined ? undefined : new Headers({ range }),
  );
  if (!found) throw gone;
  const { info, object } = found;
  if (who && (who.tenant !== info.tenant || who.user !== info.user)) {
    await object.body.cancel();
    throw gone;
  }
  const type = info.mimetype.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const disposition = INLINE.test(type) ? 'inline' : 'attachment';
  const headers = new Headers({
    'content-type': info.mimetype,
    'content-disposition': `${disposition}; filename*=UTF-8''${encodeURIComponent(info.filename)}`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
    'cache-control': 'private, max-age=3600',
    'accept-ranges': 'bytes',
    etag: object.httpEtag,
  });
  const part = range === undefined ? undefined : partOf(object.range, info.size);
  headers.set('content-length', String(part ? part.length : info.size));
  if (part)
    headers.set('content-range', `bytes ${part.offset}-${part.offset + part.length - 1}/${info.size}`);
  return new Response(object.body, { status: part ? 206 : 200, headers });
});

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

function partOf(range: R2Range | undefined, size: number): { offset: number; length: number } | undefined {
  if (!range) return undefined;
  if ('suffix' in range)
    return { offset: Math.max(0, size - range.suffix), length: Math.min(size, range.suffix) };
  const offset = range.offset ?? 0;
  return { offset, length: range.length ?? size - offset };
}
