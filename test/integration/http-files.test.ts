import { describe, expect, test } from 'vitest';
import { type Person, refused, useWorld } from './world.ts';

const world = useWorld();
/** Whose urls soon expire. */
const brief = useWorld({ env: { LIMITS: JSON.stringify({ signed_url_ms: 3_000 }) } });

const bytes = Uint8Array.from({ length: 1_000 }, (_, n) => n % 251);

interface Given {
  id: string;
  /** As frames give it. */
  url: URL;
  /** Without `exp` and `sig`. */
  path: string;
}

/** A file of the upstream, and how its receiver is told to get it. */
async function given(
  person: Person,
  { filename = 'data.bin', mimetype = 'application/octet-stream', data = bytes, at = world() } = {},
): Promise<Given> {
  const client = await at.connect(person);
  const { body } = await at.outbound({
    channel: person.channel,
    kind: 'file',
    filename,
    mimetype,
    data: Buffer.from(data).toString('base64'),
  });
  const [{ id = '', url: told = '' } = {}] = body.results;
  expect(told).toBe(`webchat://file/${id}/${filename}`);
  const frame = await client.frame('file', (one) => one.id === id);
  expect(frame).toMatchObject({ filename, mimetype, size: data.byteLength, sender: 'star' });
  await client.close();
  const url = new URL(frame.url);
  return { id, url, path: url.pathname };
}

const get = (url: URL | string, headers: Record<string, string> = {}) =>
  fetch(new URL(url, world().origin), { headers });
const as = ({ token }: Person) => ({ authorization: `Bearer ${token}` });

describe('a signed url', () => {
  test('gives the bytes to whoever has it, with the headers that keep them harmless', async () => {
    const { url } = await given(await world().person());
    expect(url.origin).toBe(world().origin);
    const response = await get(url);
    expect(response.status).toBe(200);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '1000',
      'content-disposition': "attachment; filename*=UTF-8''data.bin",
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
      'accept-ranges': 'bytes',
    });
  });

  /** Resolves when a url has expired. */
  const expiry = (url: URL) =>
    new Promise((resolve) =>
      setTimeout(resolve, Number(url.searchParams.get('exp')) * 1000 - Date.now() + 5),
    );

  test('expires', async () => {
    const { url } = await given(await brief().person(), { at: brief() });
    await expiry(url);
    const reply = await brief().http(`${url.pathname}${url.search}`);
    expect(reply).toMatchObject(refused(403, 'forbidden'));
  });

  test('is made anew whenever the frame is sent', async () => {
    const person = await brief().person();
    const { id, url } = await given(person, { at: brief() });
    await expiry(url);
    const { body } = await brief().as<{ messages: { id: string; url: string }[] }>(
      person,
      '/api/conversations/default/messages',
    );
    expect(body.messages[0]?.id).toBe(id);
    expect((await get(body.messages[0]?.url ?? '')).status).toBe(200);
  });

  test.each([
    ['another signature', (url: URL) => url.searchParams.set('sig', 'AAAAAAAAAAAAAAAAAAAAAA')],
    ['an empty signature', (url: URL) => url.searchParams.set('sig', '')],
    ['a later end', (url: URL) => url.searchParams.set('exp', '99999999999')],
    ['an end that is no number', (url: URL) => url.searchParams.set('exp', 'never')],
  ])('with %s is forbidden', async (_, forge) => {
    const { url } = await given(await world().person());
    forge(url);
    expect(await world().http(`${url.pathname}${url.search}`)).toMatchObject(refused(403, 'forbidden'));
  });

  test('is for one file only', async () => {
    const person = await world().person();
    const [one, other] = [await given(person), await given(person)];
    expect(await world().http(`${other.path}${one.url.search}`)).toMatchObject(refused(403, 'forbidden'));
  });
});

describe('without a signature', () => {
  test('the owner’s token opens it, nobody else’s, and nobody without one', async () => {
    const [owner, other] = [await world().person(), await world().person()];
    const { path } = await given(owner);
    expect((await get(path, as(owner))).status).toBe(200);
    const gone = refused(404, 'not_found');
    expect(await world().as(other, path)).toMatchObject(gone);
    expect(await world().as(await world().person({ sub: owner.id, tenant: 'acme' }), path)).toMatchObject(
      gone,
    );
    expect(await world().http(path)).toMatchObject(refused(401, 'unauthorized'));
    expect(await world().as({ token: 'x' }, path)).toMatchObject(refused(401, 'unauthorized'));
  });

  test('the owner’s token opens it by a link that counts no more as well', async () => {
    const [owner, other] = [await world().person(), await world().person()];
    const { url } = await given(owner);
    url.searchParams.set('exp', '1');
    const stale = `${url.pathname}${url.search}`;
    expect((await get(stale, as(owner))).status).toBe(200);
    expect(await world().as(other, stale)).toMatchObject(refused(404, 'not_found'));
    expect(await world().as({ token: 'x' }, stale)).toMatchObject(refused(401, 'unauthorized'));
  });

  test('an API key of the owner opens it', async () => {
    const owner = await world().person();
    const { path } = await given(owner);
    const { body } = await world().internal<{ api_key: string }>('/api-keys', { body: { user: owner.id } });
    expect((await get(path, { authorization: `Bearer ${body.api_key}` })).status).toBe(200);
  });

  const strange = [
    'file_a%3Ab',
    'file_a%2Fb',
    '%2e%2e%2Fx',
    'ﬁle_x',
    'ｆile_x',
    '%00',
    `file_${'A'.repeat(123)}`,
  ];
  test.each(['file_x', 'file_AAAAAAAAAAAAAAAAAAAAAAAA', '..%2Ffile', 'msg_x', ...strange])(
    'an id that is not ours (%s) is not_found, with or without a token',
    async (id) => {
      const path = `/files/${id}/a.txt`;
      expect(await world().http(path)).toMatchObject(refused(404, 'not_found'));
      expect(await world().as(await world().person(), path)).toMatchObject(refused(404, 'not_found'));
    },
  );
});

describe('what a browser may show', () => {
  test.each([
    'image/png',
    'image/jpeg',
    'image/gif',
    'image/webp',
    'image/avif',
    'audio/ogg',
    'video/mp4',
    'text/plain',
    'text/plain; charset=utf-8',
    'IMAGE/PNG',
  ])('%s is shown', async (mimetype) => {
    const { url } = await given(await world().person(), { mimetype });
    const { headers } = await get(url);
    expect(headers.get('content-disposition')).toMatch(/^inline;/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe('sandbox');
  });

  test.each([
    'text/html',
    'image/svg+xml',
    'application/pdf',
    'text/javascript',
    'application/xhtml+xml',
    'text/xml',
    'text/html; charset=utf-8',
    'audiox/ogg',
  ])('%s is for saving', async (mimetype) => {
    const { url } = await given(await world().person(), { mimetype });
    expect((await get(url)).headers.get('content-disposition')).toMatch(/^attachment;/);
  });

  test('a name of any script comes back as it was', async () => {
    for (const filename of ['žluťoučký kůň.txt', '絵文字🌟.png', `it's (a) "te*st"; x=1.txt`, '100%.txt']) {
      const { url } = await given(await world().person(), { filename });
      const [, name = ''] =
        /^attachment; filename\*=UTF-8''([\w!#$&+.^`|~%-]+)$/.exec(
          (await get(url)).headers.get('content-disposition') ?? '',
        ) ?? [];
      expect(decodeURIComponent(name)).toBe(filename);
    }
  });
});

describe('ranges', () => {
  test.each([
    ['bytes=0-99', 0, 100],
    ['bytes=100-', 100, 900],
    ['bytes=-50', 950, 50],
    ['bytes=900-5000', 900, 100],
    ['bytes=-5000', 0, 1000],
    ['bytes=999-999', 999, 1],
  ])('%s', async (range, offset, length) => {
    const { url } = await given(await world().person());
    const response = await get(url, { range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${offset}-${offset + length - 1}/1000`);
    expect(response.headers.get('content-length')).toBe(String(length));
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes.slice(offset, offset + length));
  });

  test.each(['bytes=1000-', 'bytes=5000-6000', 'bytes=-0'])('%s cannot be satisfied: 416', async (range) => {
    const { url } = await given(await world().person());
    const response = await get(url, { range });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */1000');
  });

  test.each(['lines=1-2', 'bytes=9-3', 'bytes=x', 'bytes=0-1,5-6'])(
    '%s is passed over: all of it',
    async (range) => {
      const { url } = await given(await world().person());
      const response = await get(url, { range });
      expect(response.status).toBe(200);
      expect((await response.arrayBuffer()).byteLength).toBe(1000);
    },
  );

  test('HEAD gives the headers alone', async () => {
    const { url } = await given(await world().person());
    const response = await fetch(url, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('1000');
    expect(await response.text()).toBe('');
  });

  test('an empty file is one', async () => {
    const { url } = await given(await world().person(), { data: new Uint8Array() });
    const response = await get(url);
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

test('a file over 256 KiB travels by its url alone, a smaller one inside its frame as well', async () => {
  const person = await world().person();
  const client = await world().connect(person);
  const { channel } = person;
  for (const size of [262_144, 262_145]) {
    const data = Buffer.alloc(size, 7).toString('base64');
    const { body } = await world().outbound({ channel, kind: 'file', filename: 'f', data });
    const frame = await client.frame('file', ({ id }) => id === body.results[0]?.id);
    expect(frame.data).toBe(size > 262_144 ? undefined : data);
    expect((await (await get(frame.url)).arrayBuffer()).byteLength).toBe(size);
  }
});

test('a file that is elsewhere keeps its url, and is never fetched', async () => {
  const person = await world().person();
  const client = await world().connect(person);
  const url = 'https://files.example.com/a.pdf?x=1';
  const file = { channel: person.channel, kind: 'file', filename: 'a.pdf', url, size: 77 };
  await world().outbound(file);
  expect(await client.frame('file')).toMatchObject({ url, size: 77 });
  for (const bad of ['http://files.example.com/a', 'file:///etc/passwd', 'javascript:alert(1)', 'a.pdf'])
    expect(await world().outbound({ ...file, url: bad })).toMatchObject(refused(400, 'bad_request', 'url'));
});
