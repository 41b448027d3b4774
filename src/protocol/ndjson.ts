import { StarwireError } from './errors.ts';
import { reads } from './reads.ts';

/** A line of NDJSON: its text, or why it cannot be taken; `number` is 1-based. */
export type Line = { number: number; text: string } | { number: number; error: StarwireError };

/**
 * Splits a byte stream into lines, whatever way the bytes are cut; those that came together are given together. Empty lines are
 * passed over. A line over `limit` bytes is an error of its own, and reading goes on behind it.
 */
export async function* ndjsonLines(
  body: ReadableStream<Uint8Array>,
  limit: number,
): AsyncGenerator<readonly Line[]> {
  const decoder = new TextDecoder();
  let number = 0;
  /** What came of the line that is not over, and how much of it there was. */
  let begun = '';
  let size = 0;
  const line = (part: string): Line | undefined => {
    number += 1;
    const text = (begun + part).trim();
    const tooLong = size + part.length > limit;
    begun = '';
    size = 0;
    if (tooLong) {
      const error = new StarwireError('too_large', `the line has more than ${limit} bytes`, { line: number });
      return { number, error };
    }
    return text === '' ? undefined : { number, text };
  };
  const linesOf = (text: string): Line[] => {
    const parts = text.split('\n');
    const rest = parts.pop() ?? '';
    const lines = parts.flatMap((part) => line(part) ?? []);
    size += rest.length;
    begun = size > limit ? '' : begun + rest;
    return lines;
  };
  for await (const bytes of reads(body)) {
    const lines = linesOf(decoder.decode(bytes, { stream: true }));
    if (lines.length > 0) yield lines;
  }
  const last = line(decoder.decode());
  if (last) yield [last];
}
