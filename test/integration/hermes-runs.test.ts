import { describe, expect, test } from 'vitest';
import { type Cursor, expectWellFormed, Stream, seqOf, WebUi } from './hermes.ts';
import { useWorld } from './world.ts';

const world = useWorld({ env: { LIMITS: '{"sse_heartbeat_ms": 300}' } });
const webUi = () => WebUi.of(world());

/** A run that has ended, with its text. */
async function ended(ui: WebUi, text = 'Hello world') {
  const session = await ui.newSession();
  const run = await ui.start(session);
  await ui.reply(run, { kind: 'chunk', text }, { kind: 'done' });
  return { session, run };
}

describe('cursor rules', () => {
  test('a finished run is replayed and closed, to everybody who asks, without a cursor as well', async () => {
    const ui = await webUi();
    const { run } = await ended(ui);
    const stream = await ui.stream(run);
    expect(await stream.ended).toBe('ended');
    expectWellFormed(run, stream.events);
    expect(stream.names).toEqual(['context_status', 'token', 'done', 'stream_end']);
  });

  test('what makes no sense, is of another run, or is ahead replays from the start; the newest id gives nothing', async () => {
    const ui = await webUi();
    const { run } = await ended(ui);
    const whole = await ui.stream(run);
    await whole.ended;
    const last = whole.last ?? '';
    const from = async (cursor: Cursor) => {
      const stream = await ui.stream(run, cursor);
      expect(await stream.ended).toBe('ended');
      return stream.events.map(({ id }) => id);
    };
    const ids = whole.events.map(({ id }) => id);
    const useless: Cursor[] = [
      { last: 'nonsense' },
      { last: `other:${seqOf({ id: last })}` },
      { last: `${run}:${seqOf({ id: last }) + 7}` },
      { query: { after_seq: 'abc' }, last },
      { query: { replay: '1' }, last },
      { query: { after_event_id: 'other:3', after_seq: String(seqOf({ id: last })) } },
      { query: { after_seq: '0' } },
    ];
    for (const cursor of useless) expect(await from(cursor)).toEqual(ids);
    for (const cursor of [{ last }, { query: { after_seq: String(seqOf({ id: last })) } }])
      expect(await from(cursor)).toEqual([]);
  });

  test('status: active, then how it ended; its newest id is the one that was given last', async () => {
    const ui = await webUi();
    const session = await ui.newSession();
    const run = await ui.start(session);
    const stream = await ui.stream(run);
    await ui.reply(run, { kind: 'chunk', text: 'Hi' });
    await stream.said('Hi');
    const status = () => ui.ask(`/api/chat/stream/status?stream_id=${run}`);
    const journal = { session_id: session, run_id: run };
    expect((await status()).body).toEqual({
      ...{ active: true, stream_id: run, replay_available: true },
      journal: {
        ...{ ...journal, last_seq: seqOf({ id: stream.last }), last_event_id: stream.last },
        ...{ last_event: 'token', terminal: false, terminal_state: null },
      },
    });
    await ui.reply(run, { kind: 'done' });
    await stream.ended;
    expect((await status()).body).toEqual({
      ...{ active: false, stream_id: run, replay_available: true },
      journal: {
        ...{ ...journal, last_seq: seqOf({ id: stream.last }), last_event_id: stream.last },
        ...{ last_event: 'stream_end', terminal: true, terminal_state: 'completed' },
      },
    });
    const unknown = await ui.ask('/api/chat/stream/status?stream_id=nobody');
    expect(unknown.body).toEqual({ active: false, stream_id: 'nobody', replay_available: false });
  });

  test('heartbeats come in silence', async () => {
    const ui = await webUi();
    const stream = await ui.stream(await ui.start(await ui.newSession()));
    await stream.until(() => (stream.comments.includes('heartbeat') ? true : undefined), 'a heartbeat');
    stream.close();
  });
});

describe('cancel and steer', () => {
  test('cancel keeps the partial text, closes every stream, and comes once; a late answer is refused', async () => {
    const ui = await webUi();
    const session_id = await ui.newSession();
    const run = await ui.start(session_id);
    const [one, two] = [await ui.stream(run), await ui.stream(run)];
    await ui.reply(run, { kind: 'chunk', text: 'So far' });
    await Promise.all([one.said('So far'), two.said('So far')]);
    const cancel = () => ui.ask(`/api/chat/cancel?stream_id=${run}`);
    expect(await cancel()).toMatchObject({
      status: 200,
      body: { ok: true, cancelled: true, stream_id: run },
    });
    for (const stream of [one, two]) {
      expect(await stream.ended).toBe('ended');
      expectWellFormed(run, stream.events);
      expect(stream.events.at(-1)).toMatchObject({
        event: 'cancel',
        data: {
          ...{ message: 'Cancelled by user', type: 'cancelled', status: 'cancelled', session_id },
          session: {
            active_stream_id: null,
            messages: [
              { role: 'user' },
              { role: 'assistant', content: 'So far', _partial: true },
              { role: 'assistant', content: 'Task cancelled.', _error: true },
            ],
          },
        },
      });
    }
    expect((await cancel()).body).toEqual({ ok: true, cancelled: false, stream_id: run });
    // A write-back of a run that is no longer current changes nothing.
    const { channel } = ui.person;
    const late = await world().outbound({ channel, kind: 'done', turn: run, text: 'late' });
    expect(late.body.results).toMatchObject([{ error: { code: 'turn_finished' } }]);
    const { body } = await ui.ask<{ session: object }>(`/api/session?session_id=${session_id}`);
    expect(body.session).toMatchObject({ message_count: 3 });
    expect((await ui.ask('/api/chat/cancel')).body).toMatchObject({ error: 'stream_id is required' });
  });

  test('steer never cancels: what cannot be taken in is left to the client to queue', async () => {
    const ui = await webUi();
    const session_id = await ui.newSession();
    const steer = async (body: object) => {
      const { status, body: said } = await ui.ask('/api/chat/steer', body);
      return [status, said];
    };
    expect(await steer({ session_id, text: 'left' })).toEqual([
      200,
      { accepted: false, fallback: 'not_running', stream_id: null },
    ]);
    const run = await ui.start(session_id);
    expect(await steer({ session_id, text: 'left' })).toEqual([
      200,
      { accepted: false, fallback: 'gateway_steer_queued', stream_id: run },
    ]);
    for (const body of [{ session_id }, { text: 'x' }, { session_id, text: ' ' }])
      expect((await steer(body))[0]).toBe(400);
    expect((await ui.ask(`/api/chat/stream/status?stream_id=${run}`)).body).toMatchObject({ active: true });
  });

  test('the registry of active runs, with their phases', async () => {
    const ui = await webUi();
    const session_id = await ui.newSession();
    const run = await ui.start(session_id);
    const runs = async () => (await ui.ask('/api/chat/runs')).body.active_runs;
    await ui.reply(run, { kind: 'chunk', text: 'x' });
    expect(await runs()).toMatchObject([
      { stream_id: run, session_id, phase: 'gateway-request', backend: 'gateway' },
    ]);
    await ui.reply(run, { kind: 'tool', tool: 't', name: 'search', status: 'running' });
    expect(await runs()).toMatchObject([{ phase: 'gateway-tool', latest_tool: 'search' }]);
    await ui.reply(run, { kind: 'done' });
    expect(await runs()).toEqual([]);
  });
});

describe('failures', () => {
  test('an error of the service is an apperror with its words, and the session behind it', async () => {
    const ui = await webUi();
    const session_id = await ui.newSession();
    const run = await ui.start(session_id);
    const stream = await ui.stream(run);
    const error = { label: 'Busy', type: 'upstream_rate_limited', message: 'Too much.', hint: 'Wait.' };
    await ui.reply(run, { kind: 'chunk', text: 'Some' }, { kind: 'error', ...error });
    expect(await stream.ended).toBe('ended');
    expect(stream.events.at(-1)).toMatchObject({
      event: 'apperror',
      data: {
        ...{ label: 'Busy', type: 'rate_limit', message: 'Too much.', hint: 'Wait.', session_id },
        session: { messages: [{}, { content: 'Some', _partial: true }, { _error: true }] },
      },
    });
    expect((await ui.ask(`/api/chat/stream/status?stream_id=${run}`)).body).toMatchObject({
      journal: { last_event: 'apperror', terminal: true, terminal_state: 'errored' },
    });
  });

  test('a run that says nothing: gateway_empty_response', async () => {
    const ui = await webUi();
    const run = await ui.start(await ui.newSession());
    await ui.reply(run, { kind: 'done' });
    const stream = await ui.stream(run);
    await stream.ended;
    expect(stream.events.at(-1)).toMatchObject({
      event: 'apperror',
      data: { type: 'gateway_empty_response' },
    });
  });
});

test('P-DI-3: native and Hermes sessions of one user see the same truth in one conversation', async () => {
  const ui = await webUi();
  const native = await world().connect(ui.person);
  const session = await ui.newSession();
  await native.frame('conversation', ({ id }) => id === session);
  const events = await Stream.open(world(), ui.person, `/api/sessions/${session}/events`);
  // Begun there, seen here.
  const first = await ui.start(session, 'silent');
  const asked = await native.frame('message', ({ turn }) => turn === first);
  expect(asked).toMatchObject({ text: 'silent', conversation: session, role: 'user' });
  await ui.reply(first, { kind: 'chunk', text: 'Answer one' }, { kind: 'done' });
  await native.frame('turn', ({ turn, status }) => turn === first && status === 'completed');
  expect(native.texts.get(first)?.text).toBe('Answer one');
  // Begun here, seen there; and cancelled there, seen here.
  const second = await world().turn(native, { conversation: session });
  const stream = await ui.stream(second);
  await ui.reply(second, { kind: 'chunk', text: 'Answer' });
  await stream.said('Answer');
  await ui.ask(`/api/chat/cancel?stream_id=${second}`);
  await native.frame('turn', ({ turn, status }) => turn === second && status === 'cancelled');
  await events.event('cancel');
  expect(events.text).toBe('Answer oneAnswer');
  const { body } = await ui.ask<{ session: { messages: { content: string }[] } }>(
    `/api/session?session_id=${session}`,
  );
  expect(body.session.messages.map(({ content }) => content)).toEqual([
    ...['silent', 'Answer one', 'silent', 'Answer', 'Task cancelled.'],
  ]);
  const { body: sessions } = await world().internal<{ sessions: { dialect: string }[] }>(
    `/users/${ui.person.id}`,
  );
  expect(sessions.sessions.map(({ dialect }) => dialect)).toContain('hermes');
  await native.close();
  events.close();
});
