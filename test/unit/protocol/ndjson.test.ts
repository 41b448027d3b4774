import { describe, expect, test } from 'vitest';
import { type Line, ndjsonLines } from '../../../src/protocol/ndjson.ts';

const encoder = new TextEncoder();

function streamOf(...parts: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      for (const part of parts) if (part.length > 0) controller.enqueue(part.slice());
      controller.close();
    },
  });
}

async function readAll(body: ReadableStream<Uint8Array>, limit: number): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const some of ndjsonLines(body, limit)) lines.push(...some);
  return lines;
}

async function linesOf(parts: Uint8Array[], limit = 1_000): Promise<Line[]> {
  return readAll(streamOf(...parts), limit);
}

const TEXT = '{"a":1}\r\n\n  \r\n{"b":"é漢😀\\n"}\n{"c":3}';
const LINES = [
  { number: 1, text: '{"a":1}' },
  { number: 4, text: '{"b":"é漢😀\\n"}' },
  { number: 5, text: '{"c":3}' },
];

describe('P-UP-4 NDJSON', () => {
  test('P-UP-4 is split the same way wherever the bytes are cut', async () => {
    const bytes = encoder.encode(TEXT);
    for (let at = 0; at <= bytes.length; at += 1)
      expect(await linesOf([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(LINES);
  });

  test('P-UP-4 is split the same way byte by byte, and in three parts at any two places', async () => {
    const bytes = encoder.encode(TEXT);
    expect(await linesOf(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(LINES);
    for (let one = 0; one <= bytes.length; one += 3)
      for (let two = one; two <= bytes.length; two += 3)
        expect(
          await linesOf([bytes.subarray(0, one), bytes.subarray(one, two), bytes.subarray(two)]),
        ).toEqual(LINES);
  });

  test('P-UP-4 a last line needs no newline, and nothing at all is no line', async () => {
    expect(await linesOf([encoder.encode('{}')])).toEqual([{ number: 1, text: '{}' }]);
    expect(await linesOf([])).toEqual([]);
    expect(await linesOf([encoder.encode('\n\r\n')])).toEqual([]);
  });

  test('P-UP-4 a line is given as soon as it is complete', async () => {
    let source: ReadableStreamController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      type: 'bytes',
      start(controller) {
        source = controller;
      },
    });
    const lines = ndjsonLines(body, 100);
    source?.enqueue(encoder.encode('{"a":1}\n{"b"'));
    expect(await lines.next()).toEqual({ done: false, value: [{ number: 1, text: '{"a":1}' }] });
    source?.enqueue(encoder.encode(':2}\n{}\n'));
    expect(await lines.next()).toEqual({
      done: false,
      value: [
        { number: 2, text: '{"b":2}' },
        { number: 3, text: '{}' },
      ],
    });
    await lines.return(undefined);
    expect(() => source?.enqueue(encoder.encode('{}\n')), 'the body is cancelled').toThrow();
  });

  test('P-UP-8 a line over the limit is an error with its number, however it is cut; the others are read', async () => {
    const bytes = encoder.encode(
      `{"a":1}\n${'x'.repeat(101)}\n${'y'.repeat(100)}\n${'z'.repeat(5_000)}\n{"b":2}`,
    );
    for (const size of [1, 7, 64, 101, 10_000]) {
      const parts = [];
      for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
      const lines = await linesOf(parts, 100);
      expect(
        lines.map((line) =>
          'error' in line ? [line.number, line.error.body.code, line.error.body.line] : line.number,
        ),
      ).toEqual([1, [2, 'too_large', 2], 3, [4, 'too_large', 4], 5]);
    }
  });

  test('a source that breaks off is told to the reader', async () => {
    const broken = new ReadableStream<Uint8Array>({
      type: 'bytes',
      pull(controller) {
        controller.error(new Error('reset'));
      },
    });
    await expect(readAll(broken, 10)).rejects.toThrow('reset');
  });
});
