import { describe, expect, test } from 'vitest';
import { expectWellFormed, seqOf, textOf, WebUi } from './hermes.ts';
import { useWorld } from './world.ts';

const world = useWorld();
const webUi = () => WebUi.of(world());

describe('a run', () => {
  test('start, stream, done: events in the order of the original, each with an id of the run', async () => {
    const ui = await webUi();
    const session = await ui.newSession();
    const started = await ui.ask('/api/chat/start', { session_id: session, message: 'silent' });
    expect(started).toMatchObject({
      status: 200,
      body: {
        session_id: session,
        stream_id: expect.stringMatching(/^[A-Za-z0-9_.-]+$/),
        pending_started_at: expect.any(Number),
        title: 'silent',
      },
    });
    const run = String(started.body.stream_id);
    expect(started.body.turn_id).toBe(run);
    const stream = await ui.stream(run);
    await ui.reply(run, { kind: 'chunk', text: 'hm', reasoning: true }, { kind: 'chunk', text: 'Hello ' });
    await ui.reply(run, { kind: 'tool', tool: 't1', name: 'search', status: 'running', args: { q: 'x' } });
    await ui.reply(run, { kind: 'tool', tool: 't1', name: 'search', status: 'completed', preview: 'found' });
    await ui.reply(run, { kind: 'chunk', text: 'world' });
    await ui.reply(run, { kind: 'done', usage: { prompt_tokens: 3, completion_tokens: 2 } });
    expect(await stream.ended).toBe('ended');
    expectWellFormed(run, stream.events);
    expect(stream.events.map(({ event, data }) => ({ event, data }))).toMatchObject([
      {
        event: 'context_status',
        data: { session_id: session, prefill: { status: 'not_configured', message_count: 0 } },
      },
      { event: 'reasoning', data: { text: 'hm' } },
      { event: 'token', data: { text: 'Hello ' } },
      {
        event: 'tool',
        data: { event_type: 'tool.started', name: 'search', args: { q: 'x' }, is_error: false, tid: 't1' },
      },
      {
        event: 'tool_complete',
        data: { event_type: 'tool.completed', name: 'search', preview: 'found', is_error: false, tid: 't1' },
      },
      { event: 'token', data: { text: 'world' } },
      { event: 'metering', data: { session_id: session, usage: { input_tokens: 3, output_tokens: 2 } } },
      {
        event: 'done',
        data: {
          session: {
            session_id: session,
            active_stream_id: null,
            messages: [
              { role: 'user', content: 'silent' },
              { role: 'assistant', content: 'Hello world', reasoning: 'hm' },
            ],
          },
          usage: { input_tokens: 3, output_tokens: 2, estimated_cost: 0 },
          terminal_state: 'completed',
        },
      },
      { event: 'stream_end', data: { session_id: session } },
    ]);
  });
});

describe('reconnect', () => {
  /** A run whose reply has everything in it, broken off by the client in the middle. */
  async function halfway(ui: WebUi) {
    const session = await ui.newSession();
    const run = await ui.start(session);
    const first = await ui.stream(run);
    await ui.reply(
      run,
      { kind: 'chunk', text: 'think', reasoning: true },
      { kind: 'chunk', text: 'One 😀 ' },
    );
    await ui.reply(run, { kind: 'tool', tool: 't1', name: 'search', status: 'running' });
    await ui.reply(run, { kind: 'chunk', text: 'two ' });
    await first.said('One 😀 two ');
    first.close();
    await ui.reply(run, { kind: 'chunk', text: 'and', reasoning: true }, { kind: 'chunk', text: 'three' });
    await ui.reply(run, { kind: 'tool', tool: 't1', name: 'search', status: 'completed' });
    return { run, session, seen: first.events };
  }

  const finish = async (ui: WebUi, run: string) =>
    ui.reply(run, { kind: 'chunk', text: ' four' }, { kind: 'done' });

  const whole = 'One 😀 two three four';

  test.for([
    ['Last-Event-ID', (id: string) => ({ last: id })],
    ['after_event_id', (id: string) => ({ query: { after_event_id: id } })],
    ['after_seq', (id: string) => ({ query: { after_seq: String(seqOf({ id })) } })],
    [
      'all that the web UI sends',
      (id: string) => ({
        query: { replay: '1', after_seq: String(seqOf({ id })), after_event_id: id },
        last: 'x',
      }),
    ],
  ] as const)('by %s loses nothing and repeats nothing, from every event', async ([, cursor]) => {
    const ui = await webUi();
    const { run, seen } = await halfway(ui);
    const later = await Promise.all(
      seen.map(async ({ id }) => ui.stream(run, cursor(id ?? expect.fail('an event has no id')))),
    );
    await finish(ui, run);
    for (const [i, stream] of later.entries()) {
      expect(await stream.ended).toBe('ended');
      const all = [...seen.slice(0, i + 1), ...stream.events];
      expectWellFormed(run, all);
      expect(textOf(all)).toBe(whole);
      expect(
        all
          .filter(({ event }) => event === 'reasoning')
          .map(({ data }) => data.text)
          .join(''),
      ).toBe('thinkand');
      for (const name of ['context_status', 'tool', 'tool_complete', 'done', 'stream_end'])
        expect(all.filter(({ event }) => event === name)).toHaveLength(1);
    }
  });
});
