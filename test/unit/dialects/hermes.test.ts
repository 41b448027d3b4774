import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cursorOf } from '../../../src/dialects/hermes/cursor.ts';
import { apperror, hermesUsage, terminalStateOf } from '../../../src/dialects/hermes/ends.ts';
import { farther, isAhead, NOWHERE, placeOf, seqOf } from '../../../src/dialects/hermes/place.ts';
import {
  framesOf,
  type RunRecord,
  replay,
  replayFrom,
  summaryOf,
} from '../../../src/dialects/hermes/replay.ts';
import { hermesDown, type RunState, runState } from '../../../src/dialects/hermes/run.ts';
import type { RunEvent } from '../../../src/dialects/hermes/run-writer.ts';
import { messagesOf } from '../../../src/dialects/hermes/session.ts';
import type { DurableFrame, ServerFrame, ToolFrame } from '../../../src/protocol/server-frames.ts';
import { chunk, edit, file, message, prompt, turn } from './frames.ts';

const RUN = { turn: 'req_1', conversation: 'default', message: 'msg_1' };
const QUEUED = turn('queued');
const RUNNING = turn('running');

const tool = (offset: number, fields: Partial<ToolFrame> = {}): ToolFrame => ({
  ...{ type: 'tool', seq: 1, turn: 'req_1', tool: 't1', name: 'search', status: 'running', offset },
  ...{ conversation: 'default', ...fields },
});

/** What a client is told of frames; each state must be data, as it may be kept as JSON (P-DI-2). */
function told(frames: readonly ServerFrame[], start: RunState = runState(RUN)): RunEvent[] {
  let state = start;
  return frames.flatMap((frame) => {
    const [next, events] = hermesDown(state, frame, 100);
    state = JSON.parse(JSON.stringify(next));
    return events;
  });
}

const shape = (events: readonly RunEvent[]) => events.map(({ event, data }) => [event, data]);
const names = (events: readonly RunEvent[]) => events.map(({ event }) => event);
const tokens = (events: readonly RunEvent[]) =>
  events.flatMap(({ event, data }) => (event === 'token' ? [String(data.text)] : [])).join('');

const record = (frames: readonly DurableFrame[], fields: Partial<RunRecord> = {}): RunRecord => ({
  ...{ ...RUN, status: 'running', text: '', reasoning: '' },
  frames: frames.map((frame) => ({ frame, at: 100 })),
  ...fields,
});

describe('events', () => {
  test('context_status first; text and reasoning as they come', () => {
    expect(shape(told([QUEUED, RUNNING, chunk('hm', 0, 'reasoning'), chunk('Hel'), chunk('lo', 3)]))).toEqual(
      [
        [
          'context_status',
          {
            session_id: 'default',
            prefill: { status: 'not_configured', source: null, label: '', message_count: 0 },
          },
        ],
        ['reasoning', { text: 'hm' }],
        ['token', { text: 'Hel' }],
        ['token', { text: 'lo' }],
      ],
    );
  });

  test('frames of other turns and conversations give nothing', () => {
    const foreign = [
      turn('queued', { turn: 'req_2' }),
      { ...chunk('x'), turn: 'req_2' },
      message('x', { turn: 'req_2', id: 'msg_2' }),
      message('question', { role: 'user', id: 'msg_0' }),
      { type: 'typing' as const, active: true, sender: 'star' },
    ];
    expect(told(foreign)).toEqual([]);
  });

  test('tools: started, completed and failed; the end repeats the arguments; names with "_" stay inside', () => {
    const common = { name: 'search', preview: null, tid: 't1' };
    expect(
      shape(
        told([
          tool(0, { args: { q: 1 } }),
          tool(0, { status: 'completed', preview: 'two' }),
          tool(0, { tool: 't2', status: 'failed', args: [1] }),
          tool(0, { tool: 't3', name: '_internal' }),
          tool(0, { tool: 't4', name: '_thinking', preview: 'well' }),
        ]),
      ),
    ).toEqual([
      ['tool', { ...common, event_type: 'tool.started', args: { q: 1 }, is_error: false }],
      [
        'tool_complete',
        { ...common, event_type: 'tool.completed', preview: 'two', args: { q: 1 }, is_error: false },
      ],
      ['tool_complete', { ...common, event_type: 'tool.completed', args: {}, is_error: true, tid: 't2' }],
      ['reasoning', { text: 'well' }],
    ]);
  });

  test('an approval with what its upstream tells of it; the second one counts both', () => {
    const schema = {
      tool: 'terminal',
      command: 'rm -rf x',
      pattern_key: 'rm',
      pattern_keys: ['rm'],
      args: { a: 1 },
    };
    const asked = prompt({ kind: 'approval', question: 'Delete?', turn: 'req_1', schema });
    const full = prompt({
      ...{ kind: 'approval', prompt: 'prompt_2', question: 'Send?', turn: 'req_1' },
      choices: ['once', 'session', 'always', 'deny'],
    });
    const { choices: _, ...bare } = asked;
    expect(shape(told([bare, full]))).toEqual([
      [
        'approval',
        {
          ...{ tool: 'terminal', command: 'rm -rf x', description: 'Delete?', pattern_key: 'rm' },
          ...{ pattern_keys: ['rm'], args: { a: 1 }, risk_level: 'high', run_id: 'req_1' },
          ...{ approval_id: 'prompt_1', choices: ['once', 'deny'], allow_permanent: false, pending_count: 1 },
        },
      ],
      [
        'approval',
        {
          ...{
            tool: '',
            command: 'Send?',
            description: 'Send?',
            pattern_key: '',
            pattern_keys: [],
            args: {},
          },
          ...{ risk_level: 'high', run_id: 'req_1', approval_id: 'prompt_2' },
          ...{ choices: ['once', 'session', 'always', 'deny'], allow_permanent: true, pending_count: 2 },
        },
      ],
    ]);
  });

  test('a question with and without an end; a snapshot of it asks nothing again', () => {
    const asked = prompt({ turn: 'req_1', expires_at: 160, choices: ['a', { value: 'b', label: 'Bee' }] });
    const open = prompt({ turn: 'req_1', prompt: 'prompt_2', kind: 'text' });
    const { choices: _, ...text } = open;
    const common = { question: 'Which?', requested_at: 100 };
    expect(shape(told([asked, { ...asked, snapshot: true }, text]))).toEqual([
      [
        'clarify',
        {
          ...{ ...common, choices_offered: ['a', 'Bee'], clarify_id: 'prompt_1' },
          ...{ timeout_seconds: 60, expires_at: 160 },
        },
      ],
      [
        'clarify',
        {
          ...{ ...common, choices_offered: [], clarify_id: 'prompt_2' },
          ...{ timeout_seconds: 0, expires_at: 0 },
        },
      ],
    ]);
  });

  test('what stands beside the reply is an interim message', () => {
    expect(shape(told([message('Look', { id: 'msg_2' }), file({ turn: 'req_1' })]))).toEqual([
      ['interim_assistant', { text: 'Look', already_streamed: false }],
      ['interim_assistant', { text: '![a.png](https://example.org/a.png)', already_streamed: false }],
    ]);
  });

  test('a reply that came whole goes on as tokens; one that was replaced follows as a message', () => {
    expect(shape(told([chunk('Hel'), message('Hello')]))).toEqual([
      ['token', { text: 'Hel' }],
      ['token', { text: 'lo' }],
    ]);
    expect(shape(told([chunk('Hello '), message('Hello')]))).toEqual([['token', { text: 'Hello ' }]]);
    expect(shape(told([message('One'), edit('Two'), chunk('!', 3)]))).toEqual([
      ['token', { text: 'One' }],
      ['interim_assistant', { text: 'Two', already_streamed: false }],
      ['token', { text: '!' }],
    ]);
  });

  test('a new title of the session', () => {
    const renamed = { type: 'conversation' as const, seq: 1, id: 'default', status: 'renamed' as const };
    expect(
      shape(
        told([
          { ...renamed, title: 'Cats' },
          { ...renamed, id: 'other', title: 'Dogs' },
        ]),
      ),
    ).toEqual([['title', { session_id: 'default', title: 'Cats' }]]);
  });
});

describe('ends', () => {
  const end = (frame: ServerFrame, before: readonly ServerFrame[] = [chunk('Hi')]) =>
    told([...before, frame]).slice(before.length);

  test('done with usage, then stream_end, and nothing after it', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 7, cache_read_tokens: 2 };
    const events = told([chunk('Hi'), message('Hi'), turn('completed', { usage }), chunk('late', 2)]);
    expect(names(events)).toEqual(['token', 'metering', 'done', 'stream_end']);
    const counted = { input_tokens: 5, output_tokens: 7, estimated_cost: 0, cache_read_tokens: 2 };
    expect(events[2]).toMatchObject({
      session: true,
      data: { usage: counted, terminal_state: 'completed' },
    });
    expect(events[3]?.data).toEqual({ session_id: 'default' });
  });

  test('cancel closes, without stream_end', () => {
    expect(shape(end(turn('cancelled')))).toEqual([
      [
        'cancel',
        { message: 'Cancelled by user', type: 'cancelled', status: 'cancelled', session_id: 'default' },
      ],
    ]);
  });

  test('a run that says nothing has failed', () => {
    expect(shape(end(turn('completed'), []))).toMatchObject([
      [
        'apperror',
        {
          ...{ type: 'gateway_empty_response', label: 'Gateway returned no response', session_id: 'default' },
          message: 'Gateway returned no assistant message for this turn.',
          hint: 'Check that Hermes Gateway API server is running and reachable.',
        },
      ],
    ]);
    expect(names(told([file({ turn: 'req_1' }), turn('completed')]))).toContain('done');
  });

  test.for([
    ['upstream_auth', 'gateway_auth_error', 'Gateway authentication failed', 'errored'],
    ['upstream_http', 'gateway_http_error', 'Gateway request failed', 'errored'],
    ['upstream_unreachable', 'gateway_error', 'Gateway request failed', 'errored'],
    ['upstream_empty', 'gateway_empty_response', 'Gateway returned no response', 'errored'],
    ['upstream_rate_limited', 'rate_limit', 'L', 'errored'],
    ['upstream_stream', 'interrupted', 'L', 'interrupted-by-crash'],
    ['tool_limit_reached', 'tool_limit_reached', 'L', 'tool_limit_reached'],
    ['of_its_own', 'error', 'L', 'errored'],
  ] as const)('failure %s is an apperror %s', ([type, known, label, state]) => {
    const [event] = end(turn('failed', { error: { label: 'L', type, message: 'M', hint: 'H' } }));
    expect(event).toMatchObject({
      event: 'apperror',
      session: true,
      data: { type: known, label, message: 'M', hint: 'H', session_id: 'default' },
    });
    expect(terminalStateOf('apperror', event?.data ?? {})).toBe(state);
  });

  test('hints where a failure has none', () => {
    const error = { label: '', message: 'M', hint: '' };
    expect(apperror({ ...error, type: 'upstream_http' }).hint).toBe(
      'Check the configured Gateway API server.',
    );
    expect(apperror({ ...error, type: 'upstream_auth' }).hint).toContain('API_SERVER_KEY');
  });

  test('terminal states of the journal', () => {
    expect(terminalStateOf('done', {})).toBe('completed');
    expect(terminalStateOf('stream_end', {})).toBe('completed');
    expect(terminalStateOf('done', { terminal_state: 'tool_limit_reached' })).toBe('tool_limit_reached');
    expect(terminalStateOf('cancel', {})).toBe('interrupted-by-user');
    expect(terminalStateOf('apperror', { type: 'canceled' })).toBe('interrupted-by-user');
    expect(terminalStateOf('error', {})).toBe('errored');
    expect(terminalStateOf('token', {})).toBeNull();
  });

  test('usage of either family', () => {
    expect(hermesUsage({ input_tokens: 1, output_tokens: 2, estimated_cost_usd: 0.5 })).toEqual({
      ...{ input_tokens: 1, output_tokens: 2, estimated_cost: 0.5 },
    });
  });
});

describe('places', () => {
  const lengths = fc.integer({ min: 0, max: 1_000_000 });
  const place = fc.record({ events: fc.integer({ min: 0, max: 8_191 }), text: lengths, reasoning: lengths });

  test('a seq is a whole number that JSON holds, says where it stands, and grows with whatever grows', () => {
    fc.assert(
      fc.property(place, place, (one, other) => {
        expect(Number.isSafeInteger(seqOf(one))).toBe(true);
        expect(placeOf(seqOf(one))).toEqual(one);
        const both = farther(one, other);
        expect(seqOf(both)).toBeGreaterThanOrEqual(seqOf(one));
        expect(seqOf(both) === seqOf(one)).toBe(!isAhead(other, one));
      }),
    );
  });

  test('cursor rules', () => {
    const at = { events: 2, text: 7, reasoning: 1 };
    const seq = String(seqOf(at));
    const id = `req_1:${seq}`;
    const from = (cursors: Parameters<typeof cursorOf>[0]) => cursorOf(cursors, 'req_1');
    expect(from({})).toEqual(NOWHERE);
    expect(from({ last_event_id: id })).toEqual(at);
    expect(from({ after_event_id: id })).toEqual(at);
    expect(from({ after_seq: seq })).toEqual(at);
    // What the address says wins by being there.
    expect(from({ after_seq: 'abc', last_event_id: id })).toEqual(NOWHERE);
    expect(from({ replay: '1', last_event_id: id })).toEqual(NOWHERE);
    expect(from({ after_event_id: 'nonsense', after_seq: seq, last_event_id: id })).toEqual(NOWHERE);
    expect(from({ after_event_id: `other:${seq}`, after_seq: seq })).toEqual(NOWHERE);
    // The web UI sends both, and the id empty where it has none.
    expect(from({ replay: '1', after_seq: seq, after_event_id: '' })).toEqual(at);
    expect(from({ after_seq: '', after_event_id: '', replay: '', last_event_id: id })).toEqual(at);
    for (const last_event_id of [
      '',
      'x',
      'req_1',
      'req_1:',
      'req_1:-1',
      'other:5',
      'req_1:99999999999999999',
    ])
      expect(from({ last_event_id })).toEqual(NOWHERE);
  });
});

describe('replay', () => {
  const FRAMES: DurableFrame[] = [
    ...[QUEUED, RUNNING],
    tool(4),
    prompt({ turn: 'req_1' }),
    tool(4, { status: 'completed' }),
    tool(9, { tool: 't2' }),
    message('One two three', { reasoning: 'thinking' }),
    turn('completed'),
  ];
  const done = record(FRAMES, { status: 'completed' });

  test('tools stand where they stood in the text', () => {
    const [, events] = replay(done);
    expect(names(events)).toEqual([
      ...['context_status', 'reasoning', 'token', 'tool', 'clarify', 'tool_complete', 'token', 'tool'],
      ...['token', 'done', 'stream_end'],
    ]);
    expect(events.filter(({ event }) => event === 'token').map(({ data }) => data.text)).toEqual([
      ...['One ', 'two t', 'hree'],
    ]);
  });

  test('of an open run: the tools that have been, in the text that has come', () => {
    const open = record(FRAMES.slice(0, 3), { text: 'One two', reasoning: 'thin' });
    expect(names(replay(open)[1])).toEqual(['context_status', 'reasoning', 'token', 'tool', 'token']);
  });

  test('however a run was heard and wherever it was left, the rest is exactly the rest', () => {
    const live: ServerFrame[] = [
      ...[QUEUED, RUNNING, chunk('thin', 0, 'reasoning'), chunk('One '), tool(4)],
      ...[prompt({ turn: 'req_1' }), chunk('king', 4, 'reasoning'), chunk('two', 4)],
      ...[tool(4, { status: 'completed' }), chunk(' t', 7), tool(9, { tool: 't2' }), chunk('hree', 9)],
      ...[message('One two three', { reasoning: 'thinking' }), turn('completed')],
    ];
    const heard = told(live);
    for (const [i, { seq }] of heard.entries()) {
      expect(seq).toBeGreaterThan(heard[i - 1]?.seq ?? 0);
      const [state, rest] = replayFrom(done, placeOf(seq ?? 0));
      const all = [...heard.slice(0, i + 1), ...rest];
      expect(all.map((one) => one.seq)).toEqual([...new Set(all.map((one) => one.seq))].sort(byNumber));
      expect(tokens(all)).toBe('One two three');
      for (const name of ['context_status', 'clarify', 'tool_complete', 'done', 'stream_end'])
        expect(names(all).filter((one) => one === name)).toHaveLength(1);
      expect(names(all).filter((one) => one === 'tool')).toHaveLength(2);
      expect(state.ended).toBe(true);
    }
    // The end of both is one and the same.
    expect(heard.at(-1)?.seq).toBe(replay(done)[0].last);
  });

  const byNumber = (a: number | undefined, b: number | undefined) => (a ?? 0) - (b ?? 0);

  test('a client that claims more than there is is told everything; one that has all of it, nothing', () => {
    const { last } = replay(done)[0];
    expect(replayFrom(done, placeOf(last))[1]).toEqual([]);
    expect(tokens(replayFrom(done, placeOf(last + 1_000))[1])).toBe('One two three');
    expect(replayFrom(done, placeOf(Number.MAX_SAFE_INTEGER))[1]).toHaveLength(11);
  });

  test('the same frames are always the same events, whatever pieces the text came in', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 })), (cuts) => {
        const text = 'One two three';
        const chunks: ServerFrame[] = [];
        for (let at = 0, i = 0; at < text.length; i += 1) {
          const end = at + (cuts[i] ?? 5);
          chunks.push(chunk(text.slice(at, end), at));
          at = end;
        }
        const events = told([QUEUED, ...chunks, message(text), turn('completed')]);
        const stored = record([QUEUED, message(text), turn('completed')], { status: 'completed' });
        expect(events.at(-1)?.seq).toBe(replay(stored)[0].last);
      }),
    );
  });

  test('text that a crash lost, and that comes again, is told once', () => {
    const [state] = replay(record([QUEUED], { text: 'One two' }));
    expect(tokens(told([chunk('One '), chunk('two three', 4)], state))).toBe(' three');
  });

  test('a run whose journal was cut is told from its row of history', () => {
    const row = { ...message('One two', { reasoning: 'hm' }), tools: [tool(4, { status: 'completed' })] };
    const cut = { ...done, frames: framesOf(done, row) };
    expect(names(replay(cut)[1])).toEqual([
      ...['context_status', 'reasoning', 'token', 'tool', 'tool_complete', 'token', 'done', 'stream_end'],
    ]);
    const failed = { ...done, status: 'failed' as const };
    expect(names(replay({ ...failed, frames: framesOf(failed, undefined) })[1])).toEqual([
      ...['context_status', 'apperror'],
    ]);
  });

  test('a summary: the newest event, and the end that is not stream_end', () => {
    expect(summaryOf(done)).toEqual({
      ...{ session_id: 'default', run_id: 'req_1', last_seq: replay(done)[0].last },
      last_event_id: `req_1:${replay(done)[0].last}`,
      ...{ last_event: 'stream_end', terminal: true, terminal_state: 'completed' },
    });
    expect(summaryOf(record([QUEUED], { text: 'Hi' }))).toMatchObject({
      ...{ last_event: 'token', terminal: false, terminal_state: null },
    });
    expect(summaryOf(record([QUEUED, turn('cancelled')]))).toMatchObject({
      ...{ last_event: 'cancel', terminal: true, terminal_state: 'interrupted-by-user' },
    });
  });
});

describe('messages of a session', () => {
  test('what was cancelled keeps its text, without thoughts, and is followed by why', () => {
    const row = { ...message('<think>a</think>So far <think>b'), status: 'cancelled' as const };
    expect(messagesOf([{ ...row, tools: [tool(0, { args: { q: 1 } })] }])).toEqual([
      {
        ...{ id: 'msg_1', role: 'assistant', content: 'So far', timestamp: 1, _partial: true },
        _partial_tool_calls: [{ tid: 't1', name: 'search', args: { q: 1 }, done: false, is_error: false }],
      },
      { id: 'msg_1.end', role: 'assistant', content: 'Task cancelled.', timestamp: 1, _error: true },
    ]);
  });

  test('attachments and files', () => {
    const attachments = [{ id: 'f', filename: 'a.png', mimetype: 'image/png', size: 1, url: 'u' }];
    expect(messagesOf([message('Hi', { role: 'user', attachments }), file()])).toEqual([
      {
        ...{ id: 'msg_1', role: 'user', content: 'Hi', timestamp: 1 },
        attachments: [{ id: 'f', name: 'a.png', path: 'u', mime: 'image/png', size: 1, is_image: true }],
      },
      expect.objectContaining({ role: 'assistant', content: '![a.png](https://example.org/a.png)' }),
    ]);
  });
});
