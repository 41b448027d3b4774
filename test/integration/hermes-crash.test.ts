import { expect, onTestFinished, test } from 'vitest';
import { FakeUpstream } from './fake-upstream.ts';
import { expectWellFormed, Stream, seqOf, textOf, WebUi } from './hermes.ts';
import { mortal } from './mortal.ts';

test('SIGKILL in the middle of a reply: the client goes on by its cursor to the whole text, nothing twice', async () => {
  const service = await FakeUpstream.start();
  onTestFinished(() => service.stop());
  const { world, reborn } = await mortal(service.env);
  const ui = await WebUi.of(world);
  const session = await ui.newSession();
  const run = await ui.start(session, 'Hello', { model: 'some-model', workspace: 'w', profile: 'p' });
  const [delivered] = await service.of(run);
  expect(delivered?.body).toMatchObject({
    ...{ conversation: session, text: 'Hello' },
    extra: { model: 'some-model', workspace: 'w', profile: 'p' },
  });
  const before = await ui.stream(run);
  // What was answered is stored (P-UP-6).
  await ui.reply(run, { kind: 'chunk', text: 'One ', offset: 0 });
  await ui.reply(run, { kind: 'tool', tool: 't', name: 'search', status: 'running' });
  await ui.reply(run, { kind: 'chunk', text: 'two ', offset: 4 });
  await before.said('One two ');

  const next = await reborn();
  expect(await before.ended).toBe('broke off');
  const again = new WebUi(next, ui.person);
  const status = await again.ask(`/api/chat/stream/status?stream_id=${run}`);
  expect(status.body).toMatchObject({ active: true, journal: { last_seq: seqOf({ id: before.last }) } });
  const after = await again.stream(run, { last: before.last });
  await again.reply(run, { kind: 'chunk', text: 'two three', offset: 4 }, { kind: 'done' });
  expect(await after.ended).toBe('ended');
  const all = [...before.events, ...after.events];
  expectWellFormed(run, all);
  expect(textOf(all)).toBe('One two three');
  expect(after.names).toEqual(['token', 'done', 'stream_end']);
});

test('SIGKILL of a generation: the client is told that it broke off, and the session keeps what was said', async () => {
  const { world, reborn } = await mortal();
  const ui = await WebUi.of(world);
  const session = await ui.newSession();
  const run = await ui.start(session, 'slow');
  const before = await ui.stream(run);
  await before.until(() => (before.text.length > 30 ? true : undefined), 'some text');

  const again = new WebUi(await reborn(), ui.person);
  // Without a cursor: what survived is told from its beginning.
  const after = await Stream.open(again.world, ui.person, `/api/chat/stream?stream_id=${run}`);
  const end = await after.event('apperror', () => true, 40_000);
  expect(end.data).toMatchObject({
    ...{ type: 'interrupted', session_id: session, hint: expect.any(String) },
    session: { messages: [{ content: 'slow' }, { content: after.text, _partial: true }, { _error: true }] },
  });
  expect(end.data.recovery_control).toBeUndefined();
  expect(before.text.startsWith(after.text.slice(0, 20))).toBe(true);
  expectWellFormed(run, after.events);
  const { body } = await again.ask(`/api/chat/stream/status?stream_id=${run}`);
  expect(body).toMatchObject({
    active: false,
    journal: { terminal: true, terminal_state: 'interrupted-by-crash', last_event: 'apperror' },
  });
});
