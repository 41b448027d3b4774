import { StarwireError } from './errors.ts';

/** A line of NDJSON: its text, or why it cannot be taken; `number` is 1-based. */
export type Line = { number: number; text: string } | { number: number; error: StarwireError };

/**
 * Splits a byte stream into lines, whatever way the bytes are cut; empty lines are passed over. A line over `limit` bytes
 * is an error of its own, and reading goes on behind it.
 */
export async function* ndjsonLines(body: ReadableStream<Uint8Array>, limit: number): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let number = 1;
  let pending: string[] = [];
  let size = 0;
  const take = (): Line | undefined => {
    const text = pending.join('').trim();
    const tooLong = size > limit;
    pending = [];
    size = 0;
    const at = number++;
    if (tooLong)
      return {
        number: at,
        error: new StarwireError('too_large', `the line has more than ${limit} bytes`, { line: at }),
      };
    return text === '' ? undefined : { number: at, text };
  };
  const add = (part: string): void => {
    size += part.length;
    if (size <= limit) pending.push(part);
    else pending = [];
  };
  for await (const bytes of body) {
    const parts = decoder.decode(bytes, { stream: true }).split('\n');
    for (const [i, part] of parts.entries()) {
      add(part);
      if (i === parts.length - 1) break;
      const line = take();
      if (line) yield line;
    }
  }
  add(decoder.decode());
  const last = take();
  if (last) yield last;
}
