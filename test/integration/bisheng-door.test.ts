import { describe, expect, test } from 'vitest';
import { type ChatFrame, FLOW, Page } from './bisheng-page.ts';
import { newChat, useBisheng, words } from './bisheng-world.ts';
import { JsonSocket } from './json-socket.ts';

/** Who may open the sockets of Bisheng's pages, and what ends them. */

const here = useBisheng();

const SOCKETS = ['/api/v1/chat', '/api/v1/assistant/chat', '/api/v1/workflow/chat'];
const open = (path: string, headers: Record<string, string> = {}) =>
  JsonSocket.open(here().world.origin, path, headers);
const cookie = (token: string) => ({ cookie: `theme=dark; access_token_cookie=${token}` });

describe('P-DI-1 who it is', () => {
  test.each(SOCKETS)('%s/{id}: without a token an error, then 1008 "Unauthorized"', async (path) => {
    const socket = await open(`${path}/${FLOW}?chat_id=${newChat()}`);
    expect(await socket.closed).toEqual({ code: 1008, reason: 'Unauthorized' });
    expect(socket.frames.at(-1)).toMatchObject({
      ...{ category: 'error', type: 'end' },
      message: { status_code: 10499, data: { type: 'unauthorized' } },
    });
  });

  test.each([
    ['is not valid', async () => 'x.y.z', 'unauthorized'],
    [
      'has expired',
      () => here().world.token({ sub: 'ada', exp: Math.floor(Date.now() / 1000) - 60 }),
      'token_expired',
    ],
    ['is of another key', () => here().world.token({ sub: 'ada' }, 'x'.repeat(32)), 'unauthorized'],
  ])('a token that %s: 1008', async (_, token, type) => {
    const socket = await open(`/api/v1/assistant/chat/${FLOW}`, cookie(await token()));
    expect(await socket.closed).toEqual({ code: 1008, reason: 'Unauthorized' });
    expect(socket.frames.at(-1)).toMatchObject({ message: { data: { type } } });
  });

  test.each([
    ['Authorization', (token: string) => ({ authorization: `Bearer ${token}` })],
    ['the original’s cookie', cookie],
    ['a cookie named as the dialect', (token: string) => ({ cookie: `bisheng=${token}` })],
  ])('the token may come in %s', async (_, headers) => {
    const person = await here().world.person();
    for (const path of SOCKETS) {
      const socket = await open(`${path}/${FLOW}?chat_id=${newChat()}`, headers(person.token));
      socket.send({ action: 'ping' });
      expect(await socket.frame({ message: 'pong' })).toMatchObject({ user_id: person.id, type: 'human' });
      await socket.close();
    }
  });

  test('a page of another origin opens nothing; a token in the address is refused; "t" is not one', async () => {
    const person = await here().world.person();
    const path = `/api/v1/assistant/chat/${FLOW}`;
    const foreign = { ...cookie(person.token), origin: 'https://elsewhere.example' };
    await expect(open(path, foreign)).rejects.toThrow('403');
    await expect(open(`${path}?token=${person.token}`)).rejects.toThrow('400');
    const socket = await open(`${path}?t=${person.token}`);
    expect(await socket.closed).toMatchObject({ code: 1008 });
  });

  test('a user id that a frame claims must be the token’s', async () => {
    const page = await Page.open(here().world, await here().world.person(), newChat());
    page.send({ inputs: { input: 'hi' }, user_id: 1 });
    expect((await page.came('error/end')).message).toMatchObject({ data: { type: 'forbidden' } });
    expect(await page.history()).toEqual([]);
    await page.socket.close();
  });

  test('somebody else’s chat is an empty one of one’s own', async () => {
    const [ada, bob] = [await here().world.person(), await here().world.person()];
    const mine = await Page.open(here().world, ada, newChat());
    const theirs = await Page.open(here().world, bob, mine.chat);
    const text = words();
    mine.say(text);
    await here().says(await here().asked(text), { kind: 'done', text: 'For you alone.' });
    await mine.came('processing/close');
    expect(await theirs.history()).toEqual([]);
    const said = words();
    theirs.say(said);
    await here().says(await here().asked(said), { kind: 'done', text: 'Hello.' });
    await theirs.came('processing/close');
    expect(theirs.shown).toEqual([`user: ${said}`, 'answer: Hello.']);
    expect(mine.shown).toEqual([`user: ${text}`, 'answer: For you alone.']);
    for (const page of [mine, theirs]) await page.socket.close();
  });
});

describe('what ends a socket', () => {
  test('P-WS-12 an expired token, with the next push', async () => {
    const person = await here().world.person({ exp: Math.floor(Date.now() / 1000) + 2 });
    const socket = await open(`/api/v1/assistant/chat/${FLOW}?chat_id=${newChat()}`, cookie(person.token));
    const { tenant, channel } = person;
    let over = false;
    void socket.closed.then(() => {
      over = true;
    });
    while (!over) await here().world.outbound({ tenant, channel, kind: 'typing', active: true });
    expect(await socket.closed).toMatchObject({ code: 4010 });
    const error = socket.frames.find(({ category }) => category === 'error') as unknown as ChatFrame;
    expect(error.message).toMatchObject({ data: { type: 'token_expired' } });
  });

  test('P-WS-13 bad frames are told and counted, binary and huge ones end it', async () => {
    const { token } = await here().world.person();
    const path = `/api/v1/assistant/chat/${FLOW}?chat_id=${newChat()}`;
    const socket = await open(path, cookie(token));
    socket.send('no JSON');
    expect(await socket.frame({ category: 'error' })).toMatchObject({
      message: { status_message: 'the frame is not JSON' },
    });
    for (let i = 1; i < 10; i += 1) socket.send({ action: 'dance' });
    expect(await socket.closed).toMatchObject({ code: 1008 });
    const large = await open(path, cookie(token));
    large.send({ inputs: { input: 'x'.repeat(300_000) } });
    expect(await large.closed).toMatchObject({ code: 1009 });
    const binary = await open(path, cookie(token));
    binary.sendBinary(new Uint8Array(3));
    expect(await binary.closed).toMatchObject({ code: 1003 });
  });

  test('one that closes normally is told so', async () => {
    const { token } = await here().world.person();
    const socket = await open(`/api/v1/assistant/chat/${FLOW}`, cookie(token));
    expect(await socket.close(1000)).toMatchObject({ code: 1000 });
  });
});
