import { expect, test } from 'vitest';
import { expectWellFormed, seqOf, WebUi } from './hermes.ts';
import { useWorld } from './world.ts';

const world = useWorld({ env: { LIMITS: '{"journal_events": 10}' } });

test('a run that the journal no longer holds is told from the records, under the same ids', async () => {
  const ui = await WebUi.of(world());
  const session_id = await ui.newSession();
  const run = await ui.start(session_id);
  await ui.reply(run, { kind: 'chunk', text: 'hm', reasoning: true }, { kind: 'chunk', text: 'Hello ' });
  await ui.reply(run, { kind: 'tool', tool: 't', name: 'search', status: 'running' });
  await ui.reply(run, { kind: 'tool', tool: 't', name: 'search', status: 'completed' });
  await ui.reply(run, { kind: 'chunk', text: 'world' }, { kind: 'done', usage: { output_tokens: 2 } });
  const before = await ui.stream(run);
  await before.ended;
  const native = await world().connect(ui.person);
  const cursor = native.position();
  await native.close();

  for (let i = 0; i < 30; i += 1)
    await world().outbound({ channel: ui.person.channel, kind: 'message', text: `later ${i}` });
  // Reading the list gives the records what they lack; only then is anything cut.
  await ui.ask('/api/sessions');
  const late = await world().open({ token: ui.person.token, query: cursor });
  expect(await late.frame('reset')).toMatchObject({ reason: 'retention' });

  const after = await ui.stream(run);
  expect(await after.ended).toBe('ended');
  expectWellFormed(run, after.events);
  expect(after.names).toEqual(before.names);
  expect(after.events.map(({ id }) => id)).toEqual(before.events.map(({ id }) => id));
  expect(after.text).toBe('Hello world');
  expect((await ui.ask(`/api/chat/stream/status?stream_id=${run}`)).body).toMatchObject({
    journal: { last_seq: seqOf({ id: before.last }), terminal_state: 'completed' },
  });
  const rest = await ui.stream(run, { last: before.events[3]?.id });
  await rest.ended;
  expect(rest.events.map(({ id }) => id)).toEqual(before.events.slice(4).map(({ id }) => id));
  await late.close();
});
