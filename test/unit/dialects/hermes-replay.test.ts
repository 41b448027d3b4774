import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cursorOf } from '../../../src/dialects/hermes/cursor.ts';
import { farther, isAhead, NOWHERE, placeOf, seqOf } from '../../../src/dialects/hermes/place.ts';
import {
  framesOf,
  type RunRecord,
  replay,
  replayFrom,
  summaryOf,
} from '../../../src/dialects/hermes/replay.ts';
import type { DurableFrame, ServerFrame } from '../../../src/protocol/server-frames.ts';
import { chunk, message, prompt, turn } from './frames.ts';
import { names, QUEUED, RUN, RUNNING, tokens, told, tool } from './hermes-frames.ts';

const record = (frames: readonly DurableFrame[], fields: Partial<RunRecord> = {}): RunRecord => ({
  ...{ ...RUN, status: 'running', text: '', reasoning: '' },
  frames: frames.map((frame) => ({ frame, at: 100 })),
  ...fields,
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
