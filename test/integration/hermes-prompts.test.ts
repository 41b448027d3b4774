import { describe, expect, test } from 'vitest';
import { Stream, WebUi } from './hermes.ts';
import { useWorld } from './world.ts';

const world = useWorld();

/** A run in a session of its own, and a question of it. */
async function asked(...questions: object[]) {
  const ui = await WebUi.of(world());
  const session_id = await ui.newSession();
  const run = await ui.start(session_id);
  const stream = await ui.stream(run);
  await ui.reply(run, ...questions.map((one) => ({ kind: 'prompt', ...one })));
  return { ui, session_id, run, stream };
}

const approval = (prompt: string, fields: object = {}) => ({
  ...{ prompt, prompt_kind: 'approval', question: `Run ${prompt}?`, ...fields },
});

const STALE = {
  status: 409,
  body: { ok: false, code: 'gateway_run_unavailable', error: expect.any(String) },
};

describe('approvals', () => {
  test('asked in the stream, pending, answered once: the second answer is told that the run is gone', async () => {
    const { ui, session_id, run, stream } = await asked(approval('a1'), approval('a2'));
    const native = await world().connect(ui.person);
    const event = await stream.event('approval', ({ approval_id }) => approval_id === 'a2');
    expect(event.data).toMatchObject({ run_id: run, pending_count: 2, choices: ['once', 'deny'] });
    const pending = async () => (await ui.ask(`/api/approval/pending?session_id=${session_id}`)).body;
    expect(await pending()).toMatchObject({ pending: { approval_id: 'a1' }, pending_count: 2 });
    const respond = (fields: object) => ui.ask('/api/approval/respond', { session_id, ...fields });
    const both = await Promise.all(
      [1, 2].map(() => respond({ choice: 'once', approval_id: 'a1', run_id: run })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.find(({ status }) => status === 200)?.body).toEqual({ ok: true, choice: 'once' });
    expect(both.find(({ status }) => status === 409)).toMatchObject(STALE);
    expect(await native.frame('prompt_closed')).toMatchObject({ prompt: 'a1', value: 'approve' });
    // Without an id: the first that is open. Of another run, or unknown: nothing is answered.
    expect(await respond({ choice: 'once', run_id: 'turn_other' })).toMatchObject(STALE);
    expect(await respond({ choice: 'once', approval_id: 'a9' })).toMatchObject(STALE);
    expect(await respond({ choice: 'deny' })).toMatchObject({ status: 200 });
    expect(await native.frame('prompt_closed', ({ prompt }) => prompt === 'a2')).toMatchObject({
      value: 'deny',
    });
    expect(await pending()).toEqual({ pending: null, pending_count: 0 });
    expect(await respond({ choice: 'once' })).toMatchObject(STALE);
    expect(await respond({ choice: 'perhaps' })).toMatchObject({
      status: 400,
      body: { error: 'Invalid choice: perhaps' },
    });
    await native.close();
  });

  test('a choice goes up as it is where it was offered, and never as more than was offered', async () => {
    const { ui, session_id, stream } = await asked(
      approval('b1', { choices: ['once', 'session', 'always', 'deny'] }),
      approval('b2', { choices: ['Yes', 'No'] }),
    );
    const native = await world().connect(ui.person);
    await stream.event('approval', ({ approval_id }) => approval_id === 'b2');
    for (const approval_id of ['b1', 'b2'])
      await ui.ask('/api/approval/respond', { session_id, choice: 'always', approval_id });
    expect(await native.frame('prompt_closed', ({ prompt }) => prompt === 'b1')).toMatchObject({
      value: 'always',
    });
    expect(await native.frame('prompt_closed', ({ prompt }) => prompt === 'b2')).toMatchObject({
      value: 'Yes',
    });
    await native.close();
  });

  test('the stream of approvals: what is open at first, then each change', async () => {
    const { ui, session_id, run } = await asked(approval('c1'));
    const path = `/api/approval/stream?session_id=${session_id}`;
    const stream = await Stream.open(world(), ui.person, path);
    expect((await stream.event('initial')).data).toMatchObject({
      pending: { approval_id: 'c1' },
      pending_count: 1,
    });
    await ui.reply(run, { kind: 'prompt', ...approval('c2') });
    await stream.event('approval', ({ pending_count }) => pending_count === 2);
    await ui.ask('/api/approval/respond', { session_id, choice: 'once', approval_id: 'c1' });
    await stream.event('approval', ({ pending_count }) => pending_count === 1);
    // The end of the run takes its questions away.
    await ui.ask(`/api/chat/cancel?stream_id=${run}`);
    await stream.event('approval', ({ pending }) => pending === null);
    stream.close();
  });
});

describe('clarify', () => {
  test('answered by label or text, once: then 409, stale', async () => {
    const { ui, session_id, stream } = await asked(
      { prompt: 'q1', question: 'Which?', choices: [{ value: 'a', label: 'Apple' }, 'pear'] },
      { prompt: 'q2', question: 'Why?', expires_at: Math.floor(Date.now() / 1000) + 120 },
    );
    const native = await world().connect(ui.person);
    expect((await stream.event('clarify')).data).toMatchObject({
      ...{ question: 'Which?', choices_offered: ['Apple', 'pear'], clarify_id: 'q1' },
      ...{ timeout_seconds: 0, expires_at: 0, requested_at: expect.any(Number) },
    });
    expect((await stream.event('clarify', ({ clarify_id }) => clarify_id === 'q2')).data).toMatchObject({
      timeout_seconds: expect.toSatisfy((seconds: number) => seconds > 110 && seconds <= 120),
    });
    const pending = async () => (await ui.ask(`/api/clarify/pending?session_id=${session_id}`)).body;
    expect(await pending()).toMatchObject({ pending: { clarify_id: 'q1' } });
    const respond = (fields: object) => ui.ask('/api/clarify/respond', { session_id, ...fields });
    expect(await respond({ response: 'plum', clarify_id: 'q1' })).toMatchObject({ status: 400 });
    expect(await respond({ response: 'apple', clarify_id: 'q1' })).toMatchObject({
      status: 200,
      body: { ok: true, response: 'apple' },
    });
    expect(await native.frame('prompt_closed')).toMatchObject({ prompt: 'q1', value: 'a' });
    expect(await respond({ choice: 'pear', clarify_id: 'q1' })).toEqual({
      status: 409,
      headers: expect.anything(),
      body: {
        ...{ ok: false, stale: true, code: 'already_answered' },
        error: 'Clarification prompt expired or not found. The agent may have already proceeded.',
      },
    });
    expect(await respond({ answer: 'because' })).toMatchObject({ status: 200 });
    expect(await native.frame('prompt_closed', ({ prompt }) => prompt === 'q2')).toMatchObject({
      value: 'because',
    });
    expect(await respond({})).toMatchObject({ status: 400, body: { error: 'response is required' } });
    expect(await pending()).toMatchObject({ pending: null });
    await native.close();
  });

  test('a question that was answered in another tab is not open here; on reconnect it is asked once', async () => {
    const { ui, session_id, run, stream } = await asked({ prompt: 'q3', question: 'Name?' });
    await stream.event('clarify');
    const again = await ui.stream(run, { last: stream.last });
    const native = await world().connect(ui.person);
    native.send({ type: 'answer', client_id: 'x', prompt: 'q3', value: 'Ada' });
    await native.frame('prompt_closed');
    expect((await ui.ask(`/api/clarify/pending?session_id=${session_id}`)).body).toMatchObject({
      pending: null,
    });
    // The demo has something to say to every answer.
    await again.ended;
    expect(again.names).not.toContain('clarify');
    expect(again.names.slice(-2)).toEqual(['done', 'stream_end']);
    await native.close();
  });
});
