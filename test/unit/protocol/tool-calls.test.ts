import { expect, test } from 'vitest';
import { isUnwieldy, type ToolCall, toolCallPieces, withParts } from '../../../src/protocol/tool-calls.ts';

const whole = (parts: readonly ToolCall[]) => [...withParts(new Map(), parts)];

const call = (index: number, args: string, more: ToolCall = {}): ToolCall => ({
  index,
  id: `call_${index}`,
  type: 'function',
  function: { name: 'write', arguments: args },
  ...more,
});

const LARGE: [string, ToolCall[]][] = [
  ['plain arguments', [call(0, 'x'.repeat(100_000))]],
  ['arguments that escape to six bytes each', [call(0, '\u0001'.repeat(50_000))]],
  ['pairs of surrogates', [call(0, `a${'😀'.repeat(30_000)}`)]],
  ['line ends that are written as escapes', [call(0, '\u0085'.repeat(50_000))]],
  ['many calls', Array.from({ length: 500 }, (_, i) => call(i, `{"n":${i}}`))],
  ['a signature beside it', [call(0, 'y'.repeat(20_000), { extra: { signature: 's'.repeat(20_000) } })]],
  [
    'a custom tool',
    [{ index: 0, id: 'c', type: 'custom', custom: { name: 'sh', input: 'z'.repeat(40_000) } }],
  ],
];

test.each(LARGE)('P-OA-3 %s: pieces that fit an event each, and together the same', (_, parts) => {
  const groups = toolCallPieces(parts);
  expect(groups.length).toBeGreaterThan(1);
  for (const group of groups) {
    const wire = JSON.stringify(group).replaceAll(/[\u0085\u2028\u2029]/g, '\\u0000');
    expect(new TextEncoder().encode(wire).byteLength).toBeLessThan(63_000);
    expect(wire.isWellFormed()).toBe(true);
  }
  expect(whole(groups.flat())).toEqual(whole(parts));
});

test('P-OA-3 the id and the name come first, in a piece of their own', () => {
  const [[head] = [], [next] = []] = toolCallPieces([call(3, 'x'.repeat(10_000))]);
  expect(head).toEqual(call(3, ''));
  expect(next).toEqual({ index: 3, function: { arguments: 'x'.repeat(8_192) } });
});

test('what is small passes as it is, in one piece', () => {
  const parts = [call(0, '{}', { extra: [1, null] }), { index: 0, function: { arguments: '' } }];
  expect(toolCallPieces(parts)).toEqual([parts]);
});

test('a call that cannot be cut is told apart', () => {
  expect(isUnwieldy(call(0, 'x'.repeat(1_000_000)))).toBe(false);
  expect(isUnwieldy(call(0, '', { id: 'x'.repeat(60_000) }))).toBe(true);
  expect(isUnwieldy({ index: 0, other: 'x'.repeat(60_000) })).toBe(true);
});
