import { Hono } from 'hono';
import { StarwireError } from '../protocol/errors.ts';
import { Mimetype } from '../protocol/outbound.ts';
import { parse } from '../protocol/parse.ts';
import type { FileRow } from '../records/file-rows.ts';
import { readFilename } from '../records/filename.ts';
import { HEAD_BYTES, trueType } from '../records/media-type.ts';
import { ByteSource } from '../records/store-stream.ts';
import { type AppEnv, bodyOf, type Ctx, use } from './app.ts';
import { requireUser } from './door.ts';

/** Files of users: `POST /api/files` (section 3), and a fresh url for one of them. */
export const uploads = new Hono<AppEnv>();

uploads.post('/', async (c) => {
  const owner = await requireUser(c);
  const { files, config } = use(c);
  const { attachment_bytes, upload_silence_ms } = config.limits;
  const filename = readFilename(c.req.header('x-filename'));
  const declared = declaredType(c);
  const size = lengthOf(c);
  if (size !== undefined && size > attachment_bytes)
    throw new StarwireError('too_large', `the body has more than ${attachment_bytes} bytes`);
  const body = bodyOf(c);
  if (!body || size === 0) throw empty();

  const work = async (): Promise<FileRow> => {
    const source = new ByteSource(body, attachment_bytes, upload_silence_ms);
    const head = await source.peek(HEAD_BYTES);
    if (head.byteLength === 0) throw empty();
    const { tenant, user } = owner;
    return files.upload({ tenant, user }, { filename, mimetype: trueType(declared, head) }, source, size);
  };
  const done = work();
  // A client that goes away ends its request, but not what is to be cleared up behind it.
  c.executionCtx.waitUntil(done.catch(() => undefined));
  return c.json(view(c, await done), 201);
});

/** The urls of files expire; who has a token can ask for another. */
uploads.get('/:id', async (c) => {
  const { tenant, user } = await requireUser(c);
  const info = await use(c).files.info(c.req.param('id'));
  if (!info || info.tenant !== tenant || info.user !== user)
    throw new StarwireError('not_found', 'there is no such file');
  return c.json(view(c, info));
});

function empty(): StarwireError {
  return new StarwireError('bad_request', 'the body is empty');
}

/** Throws `bad_request` where it is none, `unsupported` for a form: the body is the file itself. */
function declaredType(c: Ctx): string {
  const type = parse(Mimetype, c.req.header('content-type') ?? 'application/octet-stream', 'Content-Type');
  if (!type.toLowerCase().startsWith('multipart/')) return type;
  throw new StarwireError('unsupported', 'the body is the file itself, not a form', {
    field: 'Content-Type',
  });
}

function lengthOf(c: Ctx): number | undefined {
  const header = c.req.header('content-length');
  return header === undefined ? undefined : Number(header);
}

function view(c: Ctx, { id, filename, mimetype, size }: FileRow) {
  const { origin } = new URL(c.req.url);
  return { id, url: use(c).files.url(origin, id, filename), filename, mimetype, size };
}
