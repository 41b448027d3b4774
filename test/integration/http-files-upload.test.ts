import { request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PNG, type Uploaded, upload, uploaded } from './upload.ts';
import { type Person, refused, useWorld } from './world.ts';

const world = useWorld();
const MAX = 26_214_400;

const bytesOf = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer());

/** An upload whose body goes out in chunks, without a length; `body` may wait, or never end. */
async function chunked(
  person: Person,
  body: Iterable<Buffer> | AsyncIterable<Buffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number | undefined; body: Uploaded & { error?: { code: string } } }> {
  const sent = request(`${world().origin}/api/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${person.token}`, 'x-filename': 'long.bin', ...headers },
  });
  const answered = new Promise<{ status: number | undefined; body: Uploaded }>((resolve, reject) => {
    sent.on('response', (response) => {
      text(response).then((json) => resolve({ status: response.statusCode, body: JSON.parse(json) }), reject);
    });
    sent.on('error', reject);
  });
  // An answer may come before the body is through.
  await Promise.race([pipeline(Readable.from(body), sent).catch(() => undefined), answered]);
  return answered;
}

/** `size` bytes that are not all the same, in pieces. */
function* pieces(size: number, piece = 262_144): Generator<Buffer> {
  for (let at = 0; at < size; at += piece) yield Buffer.alloc(Math.min(piece, size - at), (at / piece) % 251);
}

const whole = (size: number): Buffer => Buffer.concat([...pieces(size)]);

describe('section 3: POST /api/files', () => {
  test('answers 201 with an unguessable id and a url that gives the bytes', async () => {
    const person = await world().person();
    const reply = await upload(world(), person, { body: PNG, filename: 'dot.png', type: 'image/png' });
    expect(reply.status).toBe(201);
    expect(reply.body).toEqual({
      id: expect.stringMatching(/^file_[\w-]{24}$/),
      url: expect.stringMatching(
        `^${world().origin}/files/${reply.body.id}/dot\\.png\\?exp=\\d+&sig=[\\w-]+$`,
      ),
      filename: 'dot.png',
      mimetype: 'image/png',
      size: PNG.byteLength,
    });
    expect(await bytesOf(reply.body.url)).toEqual(PNG);
  });

  test('a fresh url of it is given to its owner alone', async () => {
    const [person, other] = [await world().person(), await world().person()];
    const { url: _, ...file } = await uploaded(world(), person);
    const again = await world().as<Uploaded>(person, `/api/files/${file.id}`);
    expect(again).toMatchObject({ status: 200, body: file });
    expect(await bytesOf(again.body.url)).toEqual(Buffer.from('Hello'));
    const gone = refused(404, 'not_found');
    const namesake = await world().person({ sub: person.id, tenant: 'acme' });
    for (const who of [other, namesake])
      expect(await world().as(who, `/api/files/${file.id}`)).toMatchObject(gone);
    expect(await world().http(`/api/files/${file.id}`)).toMatchObject(refused(401, 'unauthorized'));
    for (const id of ['file_x', 'a%2Fb', '..%2F..', ':', 'ﬁle_x', 'x'.repeat(128)])
      expect(await world().as(person, `/api/files/${id}`)).toMatchObject(gone);
  });

  test('needs a user', async () => {
    expect(await world().http('/api/files', { body: 'x' })).toMatchObject(refused(401, 'unauthorized'));
    expect(await upload(world(), { token: 'x' })).toMatchObject(refused(401, 'unauthorized'));
  });

  test('an API key of the user is one', async () => {
    const { id: user } = await world().person();
    const { body } = await world().internal<{ api_key: string }>('/api-keys', { body: { user } });
    expect((await upload(world(), { token: body.api_key })).status).toBe(201);
  });

  test('an empty body is refused, with and without a length', async () => {
    const person = await world().person();
    expect(await upload(world(), person, { body: '' })).toMatchObject(refused(400, 'bad_request'));
    expect(await chunked(person, [])).toMatchObject(refused(400, 'bad_request'));
  });

  test('a compressed body, and a form, are not taken: unsupported', async () => {
    const person = await world().person();
    const gzip = { 'content-encoding': 'gzip' };
    expect(await upload(world(), person, { headers: gzip })).toMatchObject(
      refused(415, 'unsupported', 'Content-Encoding'),
    );
    expect(await upload(world(), person, { type: 'multipart/form-data; boundary=x' })).toMatchObject(
      refused(415, 'unsupported', 'Content-Type'),
    );
  });

  test.each(['png', 'image/', '<script>', 'text/html"onload="', 'x'.repeat(200)])(
    'a Content-Type that is none (%s) is refused',
    async (type) => {
      expect(await upload(world(), await world().person(), { type })).toMatchObject(
        refused(400, 'bad_request'),
      );
    },
  );
});

describe('section 3: 25 MiB', () => {
  test('exactly so much is taken with a length, a byte more is refused before it is read', async () => {
    const person = await world().person();
    const body = whole(MAX);
    const file = await uploaded(world(), person, { body, type: 'application/x-data' });
    expect(file.size).toBe(MAX);
    expect((await bytesOf(file.url)).equals(body)).toBe(true);

    const refusal = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: `Bearer ${person.token}`, 'content-length': MAX + 1 };
      const sent = request(`${world().origin}/api/files`, { method: 'POST', headers }, (response) => {
        resolve(response.resume().statusCode);
        sent.destroy();
      });
      sent.on('error', reject);
      // Not one byte of the body goes out.
      sent.flushHeaders();
    });
    expect(refusal).toBe(413);
  });

  test('without a length as well, in parts', async () => {
    const person = await world().person();
    const { status, body: file } = await chunked(person, pieces(MAX));
    expect([status, file.size]).toEqual([201, MAX]);
    expect((await bytesOf(file.url)).equals(whole(MAX))).toBe(true);
    expect(await chunked(person, pieces(MAX + 1))).toMatchObject(refused(413, 'too_large'));
  });

  test.each([1, 511, 512, 513, 5_242_879, 5_242_880, 5_242_881, 10_485_760])(
    '%i bytes come back as they went, with and without a length',
    async (size) => {
      const person = await world().person();
      const body = whole(size);
      const one = await uploaded(world(), person, { body });
      const { body: other } = await chunked(person, pieces(size));
      for (const file of [one, other]) {
        expect(file.size).toBe(size);
        expect((await bytesOf(file.url)).equals(body)).toBe(true);
      }
    },
  );
});

describe('section 3: names', () => {
  test.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\x\\report.pdf', 'report.pdf'],
    ['a\u0000b\r\nc.txt', 'abc.txt'],
    ['photo\u202Egpj.exe', 'photogpj.exe'],
    ['\u2066x\u2069\uFEFF.png', 'x.png'],
    ['..', 'file'],
    ['/', 'file'],
    ['', 'file'],
    [' \t ', 'file'],
    ['.gitignore', '.gitignore'],
    ['žluťoučký kůň 🌟.txt', 'žluťoučký kůň 🌟.txt'],
    ['e\u0301.txt', 'é.txt'],
    [`${'x'.repeat(300)}.tar`, `${'x'.repeat(251)}.tar`],
    ['絵'.repeat(255), '絵'.repeat(85)],
    [`a.${'b'.repeat(300)}`, `a.${'b'.repeat(253)}`],
    ['100%.txt', '100%.txt'],
    ['"><script>.txt', '"><script>.txt'],
  ])('%j is kept as %j', async (filename, kept) => {
    const person = await world().person();
    const file = await uploaded(world(), person, { filename });
    expect(file.filename).toBe(kept);
    const { headers } = await fetch(file.url);
    const [, name = ''] = /filename\*=UTF-8''(\S+)$/.exec(headers.get('content-disposition') ?? '') ?? [];
    expect(decodeURIComponent(name)).toBe(kept);
  });

  test('without X-Filename there is one; what is no percent-encoded UTF-8 is refused', async () => {
    const person = await world().person();
    const plain = { authorization: `Bearer ${person.token}`, 'content-type': 'text/plain' };
    const reply = await world().http<Uploaded>('/api/files', { body: 'x', headers: plain });
    expect(reply.body.filename).toBe('file');
    for (const name of ['100%.txt', '%ff%fe', '%ED%A0%80'])
      expect(await upload(world(), person, { headers: { 'x-filename': name } })).toMatchObject(
        refused(400, 'bad_request', 'X-Filename'),
      );
  });

  test('the longest names of people and files fit beside the bytes', async () => {
    const person = await world().person({ sub: '絵'.repeat(128), tenant: 'a'.repeat(63) });
    const filename = '絵'.repeat(255);
    const client = await world().connect(person);
    const { tenant, channel } = person;
    await world().outbound({ tenant, channel, kind: 'file', filename, data: 'AAAA' });
    const frame = await client.frame('file');
    expect(frame.filename).toBe(filename);
    expect((await bytesOf(frame.url)).byteLength).toBe(3);
    const path = new URL(frame.url).pathname;
    expect((await world().as(person, path)).status).toBe(200);
    await uploaded(world(), person, { filename });
  });
});

describe('section 3: types, by the first bytes', () => {
  const html = '<!doctype html><script>alert(1)</script>';
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  const utf16 = Buffer.from(`\uFEFF${html}`, 'utf16le');
  test.each<[string, Uint8Array | string, string, string]>([
    ['image/png', PNG, 'image/png', 'inline'],
    ['IMAGE/PNG', PNG, 'IMAGE/PNG', 'inline'],
    ['application/octet-stream', PNG, 'image/png', 'inline'],
    ['image/jpeg', PNG, 'image/png', 'inline'],
    ['image/png', html, 'text/html', 'attachment'],
    ['image/png', `\uFEFF \n<!-- x --> ${html}`, 'text/html', 'attachment'],
    ['image/png', utf16, 'text/html', 'attachment'],
    ['image/png', svg, 'image/svg+xml', 'attachment'],
    ['image/gif', `<?xml version="1.0"?>${svg}`, 'image/svg+xml', 'attachment'],
    ['image/png', 'neither', 'application/octet-stream', 'attachment'],
    ['audio/mpeg', html, 'text/html', 'attachment'],
    ['audio/anything', 'not a sound', 'application/octet-stream', 'attachment'],
    ['audio/mpeg', 'ID3\u0004', 'audio/mpeg', 'inline'],
    ['video/webm', Buffer.from('1a45dfa3', 'hex'), 'video/webm', 'inline'],
    ['audio/mp4', Buffer.from('0000002066747970697300', 'hex'), 'audio/mp4', 'inline'],
    ['text/plain', html, 'text/html', 'attachment'],
    ['text/plain; charset=utf-8', 'Hello, žluťoučký', 'text/plain; charset=utf-8', 'inline'],
    ['text/plain', 'a\u0000b', 'application/octet-stream', 'attachment'],
    ['text/html', html, 'text/html', 'attachment'],
    ['text/html', PNG, 'text/html', 'attachment'],
    ['image/svg+xml', svg, 'image/svg+xml', 'attachment'],
    ['application/pdf', '%PDF-1.7', 'application/pdf', 'attachment'],
    ['text/markdown', '# Hello', 'text/markdown', 'attachment'],
  ])('%s over %j is %s, %s', async (type, body, mimetype, shown) => {
    const file = await uploaded(world(), await world().person(), { type, body });
    expect(file.mimetype).toBe(mimetype);
    const { headers } = await fetch(file.url);
    expect(headers.get('content-type')).toBe(mimetype);
    expect(headers.get('content-disposition')).toMatch(new RegExp(`^${shown};`));
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe('sandbox');
  });
});

test('section 3: no header and no body gives a fault, and what is taken comes back as it was', async () => {
  const person = await world().person();
  const printable = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((n) => String.fromCharCode(n)),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        printable,
        fc.string({ unit: 'binary', maxLength: 300 }).map((name) => encodeURIComponent(name.toWellFormed())),
      ),
      fc.oneof(printable, fc.constantFrom('image/png', 'text/plain', 'audio/ogg', 'application/x; a=b')),
      fc.uint8Array({ maxLength: 2_000 }),
      async (name, type, body) => {
        const reply = await upload<Uploaded & { error: { code: string } }>(world(), person, {
          body,
          headers: { 'x-filename': name, 'content-type': type },
        });
        if (reply.status === 201) {
          expect((await bytesOf(reply.body.url)).equals(Buffer.from(body))).toBe(true);
          expect(reply.body.filename).not.toMatch(/[\p{Cc}/\\\u202A-\u202E]|^\.{0,2}$/u);
        } else expect([400, 415, 429]).toContain(reply.status);
      },
    ),
    { numRuns: 60 },
  );
});
