import { describe, expect, test } from 'vitest';
import { WebUi } from './hermes.ts';
import { useWorld } from './world.ts';

const world = useWorld();
const webUi = () => WebUi.of(world());

describe('refusals', () => {
  test('start: each with the status and words of the original', async () => {
    const ui = await webUi();
    const session_id = await ui.newSession();
    const start = (body: object) => ui.ask('/api/chat/start', body);
    expect(await start({ message: 'x' })).toMatchObject({
      status: 400,
      body: { error: 'session_id is required' },
    });
    expect(await start({ session_id, message: '  ' })).toMatchObject({
      status: 400,
      body: { error: 'message is required' },
    });
    expect(await start({ session_id, message: 'x', profile: '../x' })).toMatchObject({
      status: 400,
      body: { error: 'invalid profile' },
    });
    expect(await start({ session_id, message: 'x', attachments: Array(21).fill('a') })).toMatchObject({
      status: 400,
      body: { field: 'attachments' },
    });
    expect(await start({ session_id: 'nowhere', message: 'x' })).toMatchObject({
      status: 404,
      body: { error: 'Session not found' },
    });
    expect(await start({ session_id, message: ' [SILENT] ' })).toMatchObject({
      status: 200,
      body: { status: 'suppressed', reason: 'silent_control_message' },
    });
  });

  test('one run at a time in a session: of two starts at once, one is told which run there is', async () => {
    const ui = await webUi();
    const session_id = await ui.newSession();
    const both = await Promise.all(
      [1, 2].map(() => ui.ask('/api/chat/start', { session_id, message: 'silent' })),
    );
    const [run] = both.flatMap(({ status, body }) => (status === 200 ? [body.stream_id] : []));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.find(({ status }) => status === 409)?.body).toEqual({
      error: 'session already has an active stream',
      code: 'conflict',
      active_stream_id: run,
    });
  });

  test('nobody signed in: 401; a page of another origin: 403', async () => {
    const ui = await webUi();
    expect(await world().http('/api/chat/stream?stream_id=x')).toMatchObject({
      status: 401,
      body: { error: expect.any(String) },
    });
    const cookie = `hermes=${ui.person.token}`;
    const foreign = { cookie, origin: 'https://evil.example' };
    const run = await ui.start(await ui.newSession());
    for (const [path, fields] of [
      ['/api/session/new', { body: {}, headers: foreign }],
      [`/api/chat/cancel?stream_id=${run}`, { headers: { cookie, 'sec-fetch-site': 'cross-site' } }],
    ] as const)
      expect(await world().http(path, fields)).toMatchObject({
        status: 403,
        body: { error: expect.any(String) },
      });
    expect((await ui.ask('/api/sessions')).status).toBe(200);
  });

  test('isolation: what is somebody else’s is not there', async () => {
    const [ada, eve] = [await webUi(), await webUi()];
    const session_id = await ada.newSession();
    const run = await ada.start(session_id);
    await ada.reply(run, {
      kind: 'prompt',
      prompt: 'p-of-ada',
      question: 'Delete?',
      prompt_kind: 'approval',
    });
    for (const [path, body] of [
      [`/api/chat/stream?stream_id=${run}`],
      [`/api/chat/cancel?stream_id=${run}`],
      ['/api/chat/start', { session_id, message: 'x' }],
      [`/api/session?session_id=${session_id}`],
      [`/api/session/stream?session_id=${session_id}`],
      [`/api/sessions/${session_id}/events`],
      ['/api/session/rename', { session_id, title: 'x' }],
      ['/api/session/delete', { session_id }],
      [`/api/approval/pending?session_id=${session_id}`],
      ['/api/approval/respond', { session_id, choice: 'once', approval_id: 'p-of-ada' }],
      ['/api/clarify/respond', { session_id, response: 'x' }],
    ] as const)
      expect({ path, ...(await eve.ask(path, body)) }).toMatchObject({
        status: 404,
        body: { error: expect.stringMatching(/not found/) },
      });
    expect((await eve.ask(`/api/chat/stream/status?stream_id=${run}`)).body).toMatchObject({
      replay_available: false,
    });
    expect((await eve.ask('/api/chat/steer', { session_id, text: 'x' })).body).toMatchObject({
      fallback: 'session_not_found',
    });
    expect((await ada.ask('/api/chat/runs')).body).toMatchObject({ active_runs: [{ stream_id: run }] });
    expect((await eve.ask('/api/chat/runs')).body).toEqual({ active_runs: [] });
  });
});
