import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { StargazerPage } from './stargazer.ts';
import { complete, requestIdOf } from './v1.ts';
import { type Person, useWorld } from './world.ts';

/** The first two seeds: their page on the native socket as it is, and what their platform promises its callers. */

const world = useWorld();

const open = ({ token }: Person) => StargazerPage.open(world().origin, token);

/** What the platform's methods send: one event to a user's channel, and its result. */
async function push({ channel, tenant }: Person, event: object) {
  const { body } = await world().outbound({ channel, tenant, ...event });
  const [result] = body.results;
  if (!result) throw new Error('no result');
  return { id: '', ...result };
}

const now = () => Date.now() / 1000;

describe('the page', () => {
  test('send: a message of star, with the id that its caller was given', async () => {
    const person = await world().person();
    const page = await open(person);
    const { id, delivered } = await push(person, { kind: 'message', text: 'Hello 😀' });
    expect(delivered).toBe(true);
    const shown = await page.message(id);
    expect(shown).toEqual({ text: 'Hello 😀', sender: 'star', timestamp: expect.any(Number), buttons: [] });
    expect(Math.abs(shown.timestamp - now())).toBeLessThan(60);
    await page.close();
  });

  test('send_with_buttons: a list as it is, or a view whose children with a label become buttons', async () => {
    const person = await world().person();
    const page = await open(person);
    const buttons = [{ label: 'Run', custom_id: 'run', emoji: '🏃', style: 'primary' }];
    const listed = await push(person, { kind: 'message', text: 'Well?', buttons });
    expect((await page.message(listed.id)).buttons).toEqual(buttons);
    const view = {
      children: [
        { label: 'Yes', custom_id: 'y', emoji: { name: '✅' }, style: { name: 'success' } },
        { label: null, custom_id: 'h', emoji: '❤️' },
        { custom_id: 'a menu', options: [] },
        { label: 'No', custom_id: 'n' },
      ],
    };
    const viewed = await push(person, { kind: 'message', text: 'Well?', view });
    expect((await page.message(viewed.id)).buttons).toEqual([
      { label: 'Yes', custom_id: 'y', emoji: '✅', style: 'success' },
      { label: '', custom_id: 'h', emoji: '❤️' },
      { label: 'No', custom_id: 'n' },
    ]);
    await page.close();
  });

  test('edit_message: the text of what was sent is replaced', async () => {
    const person = await world().person();
    const page = await open(person);
    const { id } = await push(person, { kind: 'message', text: '…' });
    expect(await push(person, { kind: 'edit', id, text: 'Done.' })).toMatchObject({ delivered: true });
    await page.until(() => page.messages.get(id)?.text === 'Done.' || undefined, 'the edit');
    await page.close();
  });

  test('send_file: base64 and its size, and the pseudo-url that tools keep', async () => {
    const person = await world().person();
    const page = await open(person);
    const bytes = Buffer.from([0, 1, 2, 253, 254, 255]);
    const event = { kind: 'file', filename: 'päper 1.bin', data: bytes.toString('base64') };
    const { id, url } = await push(person, event);
    expect(url).toMatch(/^webchat:\/\/file\//);
    expect(url).toContain(id);
    expect(await page.file(id)).toMatchObject({
      ...{ filename: 'päper 1.bin', mimetype: 'application/octet-stream', bytes },
    });
    await page.close();
  });

  test('start_typing and stop_typing', async () => {
    const person = await world().person();
    const page = await open(person);
    await push(person, { kind: 'typing', active: true });
    await page.until(() => page.typing || undefined, 'typing');
    await push(person, { kind: 'typing', active: false });
    await page.until(() => !page.typing || undefined, 'no typing');
    await page.close();
  });

  test('lives beside everything it does not know: a streamed reply is a message in the end', async () => {
    const person = await world().person();
    const page = await open(person);
    const native = await world().connect(person);
    const turn = await world().turn(native);
    for (const event of [
      { kind: 'chunk', turn, text: 'thinking', reasoning: true },
      { kind: 'chunk', turn, text: 'Hel' },
      { kind: 'tool', turn, tool: 't1', name: 'look', status: 'running' },
      { kind: 'prompt', turn, question: 'Which?', choices: ['a'] },
      { kind: 'chunk', turn, text: 'lo' },
      { kind: 'done', turn },
    ])
      await push(person, event);
    await native.frame('turn', ({ status }) => status === 'completed');
    await page.until(() => [...page.messages.values()].find(({ text }) => text === 'Hello'), 'the reply');
    // The user's own message bears the user's id as its sender.
    expect([...page.messages.values()].map(({ sender }) => sender)).toEqual([person.id, 'star']);
    expect(page.ignored).toBeGreaterThan(5);
    await page.close();
    await native.close();
  });
});

describe('P-WS-9 send, whoever is there', () => {
  test('an id is given though nobody was reachable, and what was sent arrives with the next page', async () => {
    const person = await world().person();
    const { id, delivered } = await push(person, { kind: 'message', text: 'Are you there?' });
    expect([id, delivered]).toEqual([expect.stringMatching(/./), false]);
    // The id serves for an edit before anybody has seen it, as the seed's callers use it.
    expect((await push(person, { kind: 'edit', id, text: 'Come back!' })).error).toBeUndefined();
    const page = await open(person);
    await page.until(() => page.messages.get(id)?.text === 'Come back!' || undefined, 'the edited message');
    await page.close();
  });

  test('one dead page never blocks the rest', async () => {
    const person = await world().person();
    const pages = await Promise.all([open(person), open(person), open(person)]);
    pages[1]?.drop();
    const { id, delivered } = await push(person, { kind: 'message', text: 'still' });
    expect(delivered).toBe(true);
    for (const page of [pages[0], pages[2]]) {
      expect((await page?.message(id))?.text).toBe('still');
      await page?.close();
    }
  });
});

describe('section 5.3 the connection manager', () => {
  interface Registry {
    active_users: string[];
    total_connections: number;
  }

  test('sessions, active users and connections; a user is gone with the last tab', async () => {
    const tenant = `t-${randomUUID()}`;
    const [ada, bob] = [await world().person({ tenant, name: 'Ada' }), await world().person({ tenant })];
    const registry = async () => (await world().internal<Registry>(`/users?tenant=${tenant}`)).body;
    const sessions = async ({ id }: Person) =>
      (await world().internal<{ sessions: object[] }>(`/users/${id}?tenant=${tenant}`)).body.sessions;
    expect(await registry()).toMatchObject({ active_users: [], total_connections: 0 });
    const [one, two, other] = [await open(ada), await open(ada), await open(bob)];
    const { active_users, total_connections } = await registry();
    expect([active_users.sort(), total_connections]).toEqual([[ada.id, bob.id].sort(), 3]);
    const snapshot = await sessions(ada);
    expect(snapshot).toHaveLength(2);
    expect(snapshot[0]).toMatchObject({ user_id: ada.id, user_name: 'Ada', avatar: '', dialect: 'native' });
    const leaves = async (page: StargazerPage, left: number) => {
      await page.close();
      while ((await sessions(ada)).length > left);
    };
    await leaves(one, 1);
    expect((await registry()).active_users).toContain(ada.id);
    await leaves(two, 0);
    expect(await registry()).toMatchObject({ active_users: [bob.id], total_connections: 1 });
    // A snapshot is one: what happened since is not in it.
    expect(snapshot).toHaveLength(2);
    await other.close();
  });

  test('the platform and its bot; stopping it leaves the pages alone', async () => {
    const person = await world().person();
    const page = await open(person);
    const identity = { platform: 'webchat', user_id: 'star', display_name: 'Star', mention: '@Star' };
    const stopped = await world().internal('/platform/stop', { method: 'POST' });
    expect(stopped.body).toEqual({ name: 'webchat', is_running: false, bot_identity: identity });
    const { id } = await push(person, { kind: 'message', text: 'still here' });
    expect((await page.message(id)).text).toBe('still here');
    const started = await world().internal('/platform/start', { method: 'POST' });
    expect(started.body).toMatchObject({ is_running: true });
    await page.close();
  });
});

describe('the queue sse:{request_id}', () => {
  test('what is sent to it comes in order, and the end of the stream ends it', async () => {
    const person = await world().person();
    const stream = await complete(world(), person.token, { stream: true, messages: silent });
    const channel = `sse:${requestIdOf(stream)}`;
    const events = [{ kind: 'message', text: 'Hello ' }, { kind: 'chunk', text: 'there' }, { kind: 'done' }];
    for (const event of events) {
      const { body } = await world().outbound({ channel, ...event });
      expect(body.results).toMatchObject([{ delivered: true }]);
    }
    const text = await stream.text();
    expect(contentsOf(text)).toBe('Hello there');
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
    // Nobody reads it any more, and nothing can be added.
    const late = await world().outbound({ channel, kind: 'message', text: 'late' });
    expect(late.body.results[0]?.delivered).toBe(false);
  });

  test('a queue that nobody opened takes nothing', async () => {
    const { body } = await world().outbound({ channel: `sse:${randomUUID()}`, kind: 'message', text: 'hi' });
    expect(body.results).toMatchObject([{ delivered: false, error: { code: 'not_found' } }]);
  });
});

const silent = [{ role: 'user', content: 'silent' }];

function contentsOf(stream: string): string {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)).choices[0]?.delta.content ?? '')
    .join('');
}
