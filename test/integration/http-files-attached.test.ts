import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { SendResult } from '../../src/protocol/client-frames.ts';
import type { HistoryPage } from '../../src/protocol/history.ts';
import type { Client } from './client.ts';
import { useUpstream } from './fake-upstream.ts';
import { PNG, upload, uploaded } from './upload.ts';
import { apiKey, complete, requestIdOf, send } from './v1.ts';
import { type Person, refused } from './world.ts';

/** Files with messages, and how they reach an upstream by webhook. */

const { world, upstream } = useUpstream({ DEV_AUTH: 'true' });

const attach = (...files: { id: string }[]) => files.map(({ id }) => ({ id }));

/** Sends a message; resolves with its turn and its own frame. */
async function say(client: Client, fields: object) {
  const client_id = randomUUID();
  client.send({ type: 'message', client_id, text: 'Look', ...fields });
  const { turn = '' } = await client.frame('ack', (ack) => ack.client_id === client_id);
  return { turn, message: await client.frame('message', (one) => one.client_id === client_id) };
}

const history = async (person: Person) =>
  (await world().as<HistoryPage>(person, '/api/conversations/default/messages')).body.messages;

describe('section 2: a message with attachments', () => {
  test('shows them with urls that open, to every session, in history and after a return', async () => {
    const person = await world().person();
    const [first, second] = [await world().connect(person), await world().connect(person)];
    const files = [
      await uploaded(world(), person, { body: PNG, filename: 'dot.png', type: 'image/png' }),
      await uploaded(world(), person),
    ];
    const { message } = await say(first, { attachments: attach(...files) });
    const seen = await second.frame('message', ({ id }) => id === message.id);
    const [row] = await history(person);
    const back = await (
      await world().open({
        token: person.token,
        query: { cursor: `${(await first.frame('welcome')).epoch}.0` },
      })
    ).frame('message');
    for (const one of [message, seen, row, back]) {
      const attachments = one?.type === 'message' ? (one.attachments ?? []) : [];
      expect(attachments).toEqual(files.map((file) => ({ ...file, url: expect.any(String) })));
      for (const { url, size } of attachments)
        expect((await (await fetch(url)).arrayBuffer()).byteLength).toBe(size);
    }
  });

  test('needs no text, and counts once', async () => {
    const person = await world().person();
    const file = await uploaded(world(), person);
    const body = { client_id: 'c', text: '', attachments: attach(file) };
    const first = await world().as<SendResult>(person, '/api/messages', { body });
    expect(first).toMatchObject({ status: 202, body: { duplicate: false } });
    const again = await world().as<SendResult>(person, '/api/messages', { body });
    expect(again.body).toEqual({ ...first.body, duplicate: true });
    expect(await history(person)).toHaveLength(1);
  });

  test('one file may go with several messages and conversations', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const file = await uploaded(world(), person);
    for (const conversation of ['one', 'one', 'other']) {
      const { message } = await say(client, { conversation, attachments: attach(file) });
      expect(message.attachments).toMatchObject([{ id: file.id }]);
    }
  });

  test('a file of somebody else, or none, is not_found, and nothing is said', async () => {
    const [person, other] = [await world().person(), await world().person()];
    const namesake = await world().person({ sub: person.id, tenant: 'acme' });
    const client = await world().connect(person);
    const own = await uploaded(world(), person);
    const strange = [
      (await uploaded(world(), other)).id,
      (await uploaded(world(), namesake)).id,
      ...['file_x', `file_${'A'.repeat(24)}`, 'a:b', 'a/b', 'a%2Fb', '..', 'ﬁle_x', 'x'.repeat(128)],
    ];
    for (const id of strange) {
      const attachments = attach(own, { id });
      client.send({ type: 'message', client_id: id.slice(0, 64), text: 'x', attachments });
      expect(await client.frame('error', ({ client_id }) => client_id === id.slice(0, 64))).toMatchObject({
        code: 'not_found',
        field: 'attachments',
      });
      const body = { client_id: 'h', text: 'x', attachments };
      expect(await world().as(person, '/api/messages', { body })).toMatchObject(
        refused(404, 'not_found', 'attachments'),
      );
    }
    expect(await history(person)).toEqual([]);
  });

  test('ten are taken, eleven are too_large', async () => {
    const person = await world().person();
    const files = await Promise.all(Array.from({ length: 11 }, () => uploaded(world(), person)));
    const say = (count: number) =>
      world().as(person, '/api/messages', {
        body: { client_id: `c${count}`, text: '', attachments: attach(...files.slice(0, count)) },
      });
    expect(await say(11)).toMatchObject(refused(413, 'too_large', 'attachments'));
    expect((await say(10)).status).toBe(202);
  });

  test('is not overtaken by what the same socket sends after it', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const file = await uploaded(world(), person);
    const rounds = Array.from({ length: 7 }, (_, n) => n);
    for (const n of rounds) {
      client.send({
        type: 'message',
        client_id: `${n}`,
        text: `${n}`,
        ...(n % 2 === 0 ? { attachments: attach(file) } : {}),
      });
      if (n === 3) client.send({ type: 'refresh', token: person.token });
    }
    await client.frame('message', ({ client_id }) => client_id === '6');
    expect(client.all('ack').map(({ client_id }) => client_id)).toEqual(rounds.map(String));
  });
});

describe('P-UP-2 attachments of a delivery', () => {
  test('have urls that their receiver opens without a token', async () => {
    const person = await world().person();
    const client = await world().connect(person);
    const file = await uploaded(world(), person, { body: PNG, filename: 'ž 絵.png', type: 'image/png' });
    const { turn } = await say(client, { attachments: attach(file) });
    const [delivered] = await upstream().of(turn);
    expect(delivered?.body.attachments).toEqual([
      {
        id: file.id,
        filename: 'ž 絵.png',
        mimetype: 'image/png',
        size: PNG.byteLength,
        url: expect.any(String),
      },
    ]);
    const url = delivered?.body.attachments[0]?.url ?? '';
    expect(url).toContain(`${world().origin}/files/${file.id}/`);
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(PNG);
  });

  test('have them as well for a user who is not connected', async () => {
    const person = await world().person();
    const file = await uploaded(world(), person);
    const turn = await world().turnByHttp(person, { attachments: attach(file) });
    const [delivered] = await upstream().of(turn);
    expect(await (await fetch(delivered?.body.attachments[0]?.url ?? '')).text()).toBe('Hello');
  });

  test('P-UP-1 are signed anew on a retry of the same delivery', async () => {
    const person = await world().person();
    const file = await uploaded(world(), person);
    upstream().answer = ({ body, response }) => {
      response.statusCode = body.text === 'again' && tries++ === 0 ? 503 : 200;
      response.end();
    };
    let tries = 0;
    const turn = await world().turnByHttp(person, { text: 'again', attachments: attach(file) });
    const [first, second] = await upstream().of(turn, 2);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    const exp = (one: typeof first) =>
      Number(new URL(one?.body.attachments[0]?.url ?? '').searchParams.get('exp'));
    expect(exp(second)).toBeGreaterThan(exp(first));
  });

  test('P-ID-3 the upstream opens files with its own token as well, nobody with another', async () => {
    const person = await world().person();
    const path = new URL((await uploaded(world(), person)).url).pathname;
    const [token = ''] = world().server.secrets.INTERNAL_TOKEN.split(',');
    expect(await world().as({ token }, path)).toMatchObject({ status: 200, body: 'Hello' });
    expect(await world().as({ token: `${token}x` }, path)).toMatchObject(refused(401, 'unauthorized'));
  });
});

test('P-UP-4 P-OA-5 a file for an sse: channel belongs to the user whose request it is', async () => {
  const person = await world().person();
  const response = await complete(world(), await apiKey(world(), person.id), {
    model: 'any',
    messages: [{ role: 'user', content: 'a file, please' }],
    stream: true,
  });
  const id = requestIdOf(response);
  const channel = `sse:${id}`;
  const data = Buffer.from('for ever').toString('base64');
  const [file] = await send(
    world(),
    { channel, kind: 'file', filename: 'a.txt', mimetype: 'text/plain', data },
    { channel, kind: 'done' },
  );
  const text = await response.text();
  const path = `/files/${file?.id}/a.txt`;
  expect(text).toContain(path);
  expect(await world().as(person, path)).toMatchObject({ status: 200, body: 'for ever' });
  for (const claims of [{ sub: id }, { sub: person.id, tenant: 'acme' }, {}])
    expect(await world().as(await world().person(claims), path)).toMatchObject(refused(404, 'not_found'));
});

test('P-UP-4 a file for an sse: channel that was never opened is not_found', async () => {
  const person = await world().person();
  const client = await world().connect(person);
  const { turn } = await say(client, {});
  const file = { kind: 'file', filename: 'a.txt', data: 'AAAA' };
  for (const channel of [`sse:${turn}`, 'sse:req_x'])
    expect(await world().outbound({ ...file, channel })).toMatchObject(refused(404, 'not_found', 'channel'));
});

test('P-WS-7 a file between the texts of a turn tells where it stands', async () => {
  const person = await world().person();
  const client = await world().connect(person);
  const { turn } = await say(client, {});
  const { channel } = person;
  await send(
    world(),
    { channel, kind: 'chunk', turn, text: 'Before. ' },
    { channel, kind: 'file', turn, filename: 'a.txt', data: 'AAAA' },
    { channel, kind: 'chunk', turn, text: 'After.' },
    { channel, kind: 'done', turn },
  );
  expect(await client.frame('file')).toMatchObject({ turn, offset: 8 });
  expect((await history(person)).find(({ type }) => type === 'file')).toMatchObject({ offset: 8 });
});

describe('section 3: GET /files', () => {
  test('gives 304 to who has it already, and HEAD its headers', async () => {
    const { url } = await uploaded(world(), await world().person(), { body: PNG, type: 'image/png' });
    const first = await fetch(url);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^".+"$/);
    for (const tags of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const response = await fetch(url, { headers: { 'if-none-match': tags, range: 'bytes=0-3' } });
      expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, etag, '']);
    }
    expect((await fetch(url, { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
    const head = await fetch(url, { method: 'HEAD', headers: { range: 'bytes=0-3' } });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([206, '4', '']);
  });

  test('gives a part only of the version that If-Range names', async () => {
    const { url } = await uploaded(world(), await world().person());
    const etag = (await fetch(url)).headers.get('etag') ?? '';
    const part = (tag: string) => fetch(url, { headers: { range: 'bytes=0-1', 'if-range': tag } });
    expect((await part(etag)).status).toBe(206);
    expect((await part('"other"')).status).toBe(200);
  });
});

test('an upload of another user is not opened by its id, whatever is said of it', async () => {
  const [person, other] = [await world().person(), await world().person()];
  const path = new URL((await uploaded(world(), person)).url).pathname;
  const gone = refused(404, 'not_found');
  expect(await world().as(other, path)).toMatchObject(gone);
  for (const bad of [
    path.replace('/files/', '/files/x'),
    path.replace(/file_./, 'file_'),
    path.toUpperCase(),
  ])
    expect(await world().as(person, bad)).toMatchObject(gone);
  expect((await upload(world(), person)).status).toBe(201);
});
