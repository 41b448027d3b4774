import { describe, expect, test } from 'vitest';
import { apperror, hermesUsage, terminalStateOf } from '../../../src/dialects/hermes/ends.ts';
import { messagesOf } from '../../../src/dialects/hermes/session.ts';
import type { ServerFrame } from '../../../src/protocol/server-frames.ts';
import { chunk, edit, file, message, prompt, turn } from './frames.ts';
import { names, QUEUED, RUNNING, shape, told, tool } from './hermes-frames.ts';

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
