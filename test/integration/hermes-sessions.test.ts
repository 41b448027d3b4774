import { describe, expect, test } from 'vitest';
import { expectWellFormed, Stream, WebUi } from './hermes.ts';
import { useWorld } from './world.ts';

const world = useWorld();

interface Session {
  session_id: string;
  title: string;
  message_count: number;
  active_stream_id: string | null;
  regeneration_revision: number;
  messages: { role: string; content: string }[];
}

const sessionOf = async (ui: WebUi, id: string, more = '') =>
  (await ui.ask<{ session: Session }>(`/api/session?session_id=${id}${more}`)).body.session;

/** A session with a question and its answer. */
async function answered() {
  const ui = await WebUi.of(world());
  const session_id = await ui.newSession();
  const run = await ui.start(session_id, 'silent, please');
  await ui.reply(run, { kind: 'chunk', text: 'Yes' });
  await ui.reply(run, { kind: 'done', usage: { input_tokens: 3, output_tokens: 1 } });
  return { ui, session_id, run };
}

describe('sessions', () => {
  test('new, list, title of the first message, rename, delete: conversations under another name', async () => {
    const { ui, session_id } = await answered();
    const list = async () => (await ui.ask<{ sessions: Session[] }>('/api/sessions')).body.sessions;
    expect(await list()).toMatchObject([
      { session_id, title: 'silent, please', message_count: 2, active_stream_id: null, is_streaming: false },
    ]);
    const renamed = await ui.ask('/api/session/rename', { session_id, title: 'Cats' });
    expect(renamed).toMatchObject({ status: 200, body: { session: { session_id, title: 'Cats' } } });
    const { body } = await world().as<{ conversations: object[] }>(ui.person, '/api/conversations');
    expect(body.conversations).toMatchObject([{ id: session_id, title: 'Cats' }]);
    expect(await ui.ask('/api/session/delete', { session_id })).toMatchObject({ body: { ok: true } });
    expect(await list()).toEqual([]);
    expect((await ui.ask(`/api/session?session_id=${session_id}`)).status).toBe(404);
  });

  test('a session: its messages, some of them or none; the run that is under way; usage, status, export', async () => {
    const { ui, session_id } = await answered();
    expect(await sessionOf(ui, session_id)).toMatchObject({
      ...{ session_id, title: 'silent, please', message_count: 2 },
      messages: [
        { role: 'user', content: 'silent, please' },
        { role: 'assistant', content: 'Yes' },
      ],
    });
    expect(await sessionOf(ui, session_id, '&msg_limit=1')).toMatchObject({
      message_count: 2,
      messages: [{ content: 'Yes' }],
    });
    expect(await sessionOf(ui, session_id, '&messages=0')).toMatchObject({ message_count: 2, messages: [] });
    const usage = { input_tokens: 3, output_tokens: 1, estimated_cost: 0 };
    expect((await ui.ask(`/api/session/usage?session_id=${session_id}`)).body).toMatchObject(usage);
    const run = await ui.start(session_id);
    expect(await sessionOf(ui, session_id)).toMatchObject({ active_stream_id: run });
    expect((await ui.ask(`/api/session/status?session_id=${session_id}`)).body).toMatchObject({
      ...{ agent_running: true, active_stream_id: run, ...usage },
    });
    expect((await ui.ask(`/api/session/export?session_id=${session_id}`)).body).toMatchObject({ session_id });
  });

  test('what a deletion takes away is not there for its runs either', async () => {
    const { ui, session_id, run } = await answered();
    await ui.ask('/api/session/delete', { session_id });
    expect((await ui.ask(`/api/chat/stream?stream_id=${run}`)).status).toBe(404);
  });

  test('regenerate: the last reply again, where the client shows the newest state', async () => {
    const { ui, session_id } = await answered();
    const { regeneration_revision } = await sessionOf(ui, session_id);
    const again = (revision: number) =>
      ui.ask('/api/chat/start', {
        ...{ session_id, message: '', regenerate: true, regeneration_revision: revision },
      });
    expect(await again(regeneration_revision - 1)).toMatchObject({
      status: 409,
      body: { code: 'stale_regeneration_revision', error: expect.any(String) },
    });
    const { status, body } = await again(regeneration_revision);
    expect(status).toBe(200);
    const run = String(body.stream_id);
    await ui.reply(run, { kind: 'done', text: 'No' });
    const stream = await ui.stream(run);
    await stream.ended;
    expect(stream.text).toBe('No');
  });

  test('attachments that are files of ours go along with the message', async () => {
    const ui = await WebUi.of(world());
    const native = await world().connect(ui.person);
    const sent = await world().outbound({
      ...{ channel: ui.person.channel, kind: 'file', filename: 'a.png', mimetype: 'image/png', data: 'AQI=' },
    });
    const [file] = sent.body.results;
    const attachments = [{ name: 'a.png', path: file?.url, mime: 'image/png' }, 'elsewhere.txt'];
    await ui.start(await ui.newSession(), 'silent', { attachments });
    const said = await native.frame('message');
    expect(said).toMatchObject({ attachments: [{ id: file?.id, filename: 'a.png' }] });
    await native.close();
  });
});

describe('streams of sessions', () => {
  test('a page that looks on is told of runs that begin and of messages', async () => {
    const { ui, session_id } = await answered();
    const path = `/api/session/stream?session_id=${session_id}&known_count=0`;
    const stream = await Stream.open(world(), ui.person, path);
    expect((await stream.event('initial')).data).toEqual({ session_id });
    expect((await stream.event('session-updated')).data).toEqual({
      ...{ session_id, message_count: 2, known_count: 0, source: 'subscribe' },
    });
    const run = await ui.start(session_id);
    expect((await stream.event('server_turn_started')).data).toMatchObject({
      ...{ session_id, stream_id: run, recovered: false },
    });
    await stream.event('session-updated', ({ message_count }) => message_count === 3);
    const later = await Stream.open(world(), ui.person, path);
    expect((await later.event('server_turn_started')).data).toMatchObject({
      ...{ stream_id: run, source: 'subscribe_recovery', recovered: true },
    });
    stream.close();
    later.close();
  });

  test('the list of sessions has changed', async () => {
    const ui = await WebUi.of(world());
    const stream = await Stream.open(world(), ui.person, '/api/sessions/events');
    await ui.newSession();
    await stream.event('sessions_changed');
    stream.close();
  });

  test('all runs of a session in one stream; it goes on in the middle of one, over the next', async () => {
    const { ui, session_id, run } = await answered();
    const whole = await ui.stream(run);
    await whole.ended;
    const path = `/api/sessions/${session_id}/events`;
    const [first] = whole.events;
    const stream = await Stream.open(world(), ui.person, path, { last: first?.id });
    await stream.event('stream_end');
    expect([first, ...stream.events].map((one) => one?.id)).toEqual(whole.events.map(({ id }) => id));
    const next = await ui.start(session_id);
    await ui.reply(next, { kind: 'chunk', text: 'Two' });
    await stream.said('YesTwo');
    // Another one that comes now gets what is open from its beginning, and a snapshot where it cannot go on.
    const late = await Stream.open(world(), ui.person, path, { last: `${run}:99999999999999` });
    expect((await late.event('session_snapshot')).data).toMatchObject({
      session: { session_id, active_stream_id: next },
    });
    await late.said('Two');
    await ui.reply(next, { kind: 'done' });
    for (const one of [stream, late]) {
      const own = await one.until(() => {
        const found = one.events.filter(({ id }) => id?.startsWith(`${next}:`));
        return found.at(-1)?.event === 'stream_end' ? found : undefined;
      }, 'the end of the second run');
      expectWellFormed(next, own);
      expect(own.map(({ event }) => event)).toEqual(['context_status', 'token', 'done', 'stream_end']);
      one.close();
    }
  });
});
