import { describe, expect, test } from 'vitest';
import { withParts } from '../../../src/protocol/tool-calls.ts';
import { Reply } from '../../../src/upstream/bridge/reply.ts';
import { Watch } from '../../../src/upstream/bridge/watch.ts';
import type { ReplyEvent } from '../../../src/upstream/upstream.ts';

/** What one answer becomes; of a failure its type, as the last event. */
async function eventsOf(
  body: string,
  { executed = true, type = 'text/event-stream', room = 1_000_000 } = {},
) {
  const events: (ReplyEvent | { failed: unknown })[] = [];
  const response = new Response(body, { headers: { 'content-type': type } });
  try {
    const watch = new Watch(new AbortController().signal);
    for await (const event of new Reply(executed, room).read(response, watch, 1_000)) events.push(event);
  } catch (error) {
    events.push({ failed: (error as { turnError: { type: string } }).turnError.type });
  }
  return events;
}

const sse = (...deltas: object[]) =>
  [
    ...deltas.map((delta) => `data: ${JSON.stringify({ choices: [{ delta }] })}`),
    `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: 'stop' }] })}`,
    'data: [DONE]',
    '',
  ].join('\n\n');

const done = { kind: 'done', finish_reason: 'stop' };
const said = { kind: 'chunk', text: 'x' };
const chunk = (delta: object) => `data: ${JSON.stringify({ choices: [{ delta }] })}`;

/** The tool calls that a client puts together. */
const callsIn = (events: Awaited<ReturnType<typeof eventsOf>>) => [
  ...withParts(
    new Map(),
    events.flatMap((one) => ('tool_calls' in one ? one.tool_calls : [])),
  ),
];

const named = (name: string, args: string) => ({ function: { name, arguments: args } });
const more = (args: string) => ({ function: { arguments: args } });
const whole = (id: unknown, name: string, args: string) => ({ id, type: 'function', ...named(name, args) });

describe('P-BR-3 tool calls for a client', () => {
  test('P-BR-3 what is complete passes intact', async () => {
    const parts = [
      { index: 0, id: 'a', type: 'function', ...named('f', '') },
      { index: 0, ...more('{"x"'), extra: { signature: 's' } },
      { index: 1, id: 'b', type: 'custom', custom: { name: 'sh', input: 'ls' } },
      { index: 0, ...more(':1}') },
    ];
    const events = await eventsOf(sse(...parts.map((part) => ({ tool_calls: [part] }))));
    expect(events).toEqual([...parts.map((part) => ({ kind: 'delta', tool_calls: [part] })), done]);
  });

  test('P-BR-3 without an index they are told apart by their ids, over the whole stream', async () => {
    const events = await eventsOf(
      sse(
        { tool_calls: [{ id: 'a', ...named('f', '{') }] },
        { tool_calls: [{ id: 'b', ...named('g', '[') }] },
        { tool_calls: [{ ...more(']') }, { id: 'a', ...more('}') }] },
      ),
    );
    expect(callsIn(events)).toEqual([
      [0, whole('a', 'f', '{}')],
      [1, whole('b', 'g', '[]')],
    ]);
  });

  test('P-BR-3 calls that are all numbered 0 become calls of their own', async () => {
    const events = await eventsOf(
      sse(
        { tool_calls: [{ index: 0, id: 'a', ...named('f', '{}') }] },
        { tool_calls: [{ index: 0, id: 'b', ...named('f', '[') }] },
        { tool_calls: [{ index: 0, ...more(']') }] },
      ),
    );
    expect(callsIn(events)).toEqual([
      [0, whole('a', 'f', '{}')],
      [1, whole('b', 'f', '[]')],
    ]);
  });

  test('P-BR-3 an id that changes from part to part makes no further call', async () => {
    const events = await eventsOf(
      sse(
        { tool_calls: [{ index: 0, id: 'a', ...named('f', '{') }] },
        { tool_calls: [{ index: 0, id: 'b', ...more('}') }] },
      ),
    );
    expect(callsIn(events)).toMatchObject([[0, named('f', '{}')]]);
  });

  test('P-BR-3 a call without an id gets one, and arguments that are an object become text', async () => {
    const events = await eventsOf(
      JSON.stringify({
        choices: [
          {
            message: { tool_calls: [{ function: { name: 'f', arguments: { x: 1 } } }, named('g', '{}')] },
            finish_reason: 'tool_calls',
          },
        ],
      }),
      { type: 'application/json' },
    );
    expect(callsIn(events)).toEqual([
      [0, whole(expect.stringMatching(/^call_/), 'f', '{"x":1}')],
      [1, whole(expect.stringMatching(/^call_/), 'g', '{}')],
    ]);
    expect(events.at(-1)).toEqual({ kind: 'done', finish_reason: 'tool_calls' });
  });

  test('P-OA-3 many parts and long arguments come in pieces that the channel takes', async () => {
    const long = 'x'.repeat(300_000);
    const many = Array.from({ length: 300 }, (_, index) => ({
      index,
      id: `call_${index}`,
      ...named('f', index === 7 ? long : '{}'),
    }));
    const events = await eventsOf(sse({ tool_calls: many }));
    for (const event of events.slice(0, -1))
      expect(JSON.stringify('tool_calls' in event && event.tool_calls).length).toBeLessThan(60_000);
    expect(callsIn(events).map(([, call]) => call)).toEqual(
      many.map(({ index, ...call }) => ({ ...call, type: 'function' })),
    );
  });

  test('P-BR-4 arguments without an end fail', async () => {
    const events = await eventsOf(sse({ tool_calls: [{ index: 0, ...named('f', 'x'.repeat(2_000)) }] }), {
      room: 1_000,
    });
    expect(events).toEqual([{ failed: 'upstream_stream' }]);
  });
});

describe('P-BR-3 tools that a person is shown', () => {
  test('P-BR-3 calls of the model are shown whole, once, at the end', async () => {
    const events = await eventsOf(
      sse(
        { tool_calls: [{ index: 0, id: 'a', ...named('f', '{"x"') }] },
        { tool_calls: [{ index: 0, ...more(':1}') }] },
      ),
      { executed: false },
    );
    expect(events).toEqual([
      { kind: 'tool', tool: 'a', name: 'f', status: 'completed', args: { x: 1 } },
      done,
    ]);
  });

  test('P-BR-3 hermes.tool.progress: running, then completed under the same id; other names are private', async () => {
    const progress = (fields: object) => `event: hermes.tool.progress\ndata: ${JSON.stringify(fields)}`;
    const events = await eventsOf(
      [
        progress({ tool: 'grep', label: 'looking', status: 'running', args: { q: 'x' } }),
        progress({ tool: 'grep', status: 'completed', result: 'found' }),
        progress({ tool: '_thinking', label: 'Hm.' }),
        progress({ tool: '_private' }),
        progress({
          toolCallId: 't'.repeat(300),
          tool: 'n'.repeat(300),
          status: 'failed',
          preview: 'p'.repeat(3_000),
        }),
        sse({ content: 'x' }),
      ].join('\n\n'),
      { executed: false },
    );
    expect(events).toEqual([
      { kind: 'tool', tool: 'tool_1', name: 'grep', status: 'running', preview: 'looking', args: { q: 'x' } },
      { kind: 'tool', tool: 'tool_1', name: 'grep', status: 'completed', result: 'found' },
      { kind: 'chunk', text: 'Hm.', reasoning: true },
      {
        kind: 'tool',
        tool: 't'.repeat(128),
        name: 'n'.repeat(200),
        status: 'failed',
        preview: 'p'.repeat(500),
      },
      said,
      done,
    ]);
  });

  test('P-BR-5 results that no frame can hold are masked and then cut, and do not end the turn', async () => {
    const result = { log: `${'x'.repeat(9_960)} sk-proj-0123456789abcdefghij ${'y'.repeat(200_000)}` };
    const [event] = await eventsOf(
      [
        `event: hermes.tool.progress\ndata: ${JSON.stringify({ tool: 'cat', result })}`,
        sse({ content: 'x' }),
      ].join('\n\n'),
      { executed: false },
    );
    expect(JSON.stringify(event).length).toBeLessThan(11_000);
    expect(JSON.stringify(event)).not.toMatch(/sk-proj-01/);
  });
});

describe('P-BR-3 the answer', () => {
  test.each<[string, object[], object[]]>([
    ['text', [{ content: 'x' }], [said]],
    ['text in parts', [{ content: [{ type: 'text', text: 'x' }] }], [said]],
    ['reasoning_content', [{ reasoning_content: 'x' }], [{ ...said, reasoning: true }]],
    ['reasoning', [{ reasoning: 'x' }], [{ ...said, reasoning: true }]],
    ['a refusal', [{ refusal: 'x' }], [said]],
    ['nulls', [{ role: 'assistant', content: null, tool_calls: null }, { content: 'x' }], [said]],
  ])('P-BR-3 %s', async (_, deltas, events) => {
    expect(await eventsOf(sse(...deltas))).toEqual([...events, done]);
  });

  test.each([
    [{ prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }],
    [{ input_tokens: 3, output_tokens: 4 }],
  ])('P-BR-3 usage %j', async (usage) => {
    const body = [chunk({ content: 'x' }), `data: ${JSON.stringify({ choices: [], usage })}`, 'data: [DONE]'];
    expect(await eventsOf(body.join('\n\n'))).toEqual([
      said,
      { ...done, usage: { input_tokens: 3, output_tokens: 4 } },
    ]);
  });

  test("P-BR-2 events under other names are the server's own, whatever they hold", async () => {
    const body = [
      'event: ping\ndata: {not json',
      'event: stats\ndata: {"error":"none"}',
      sse({ content: 'x' }),
    ];
    expect(await eventsOf(body.join('\n\n'))).toEqual([said, done]);
  });

  test.each([
    ['an event that is named error', 'event: error\ndata: {"message":"no"}'],
    ['an event that is named error and is no JSON', 'event: error\ndata: overloaded'],
    ['bad JSON', 'data: {"choi'],
    ['bad JSON under the usual name', 'event: message\ndata: {"choi'],
    ['what is no chunk', 'data: [1]'],
    ['an error', 'data: {"error":{"message":"no"}}'],
    ['an error of an older server', 'data: {"object":"error","message":"no"}'],
    [
      'a finish reason of a router that lost its model',
      'data: {"choices":[{"delta":{},"finish_reason":"error"}]}',
    ],
  ])('P-BR-2 %s in the middle is a failure', async (_, event) => {
    expect(await eventsOf([chunk({ content: 'x' }), event, 'data: [DONE]', ''].join('\n\n'))).toEqual([
      said,
      { failed: 'upstream_stream' },
    ]);
  });

  test('P-BR-4 a finish reason of any length ends the turn', async () => {
    const end = JSON.stringify({ choices: [{ delta: {}, finish_reason: 'f'.repeat(1_000) }] });
    const events = await eventsOf([chunk({ content: 'x' }), `data: ${end}`, ''].join('\n\n'));
    expect(events.at(-1)).toEqual({ kind: 'done', finish_reason: 'f'.repeat(64) });
  });

  test('P-BR-4 a whole answer has a limit', async () => {
    const message = { content: 'x'.repeat(9_000_000) };
    const body = JSON.stringify({ choices: [{ message, finish_reason: 'stop' }] });
    expect(await eventsOf(body, { type: 'application/json' })).toEqual([{ failed: 'upstream_stream' }]);
  });
});
