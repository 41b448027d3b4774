import { StarwireError } from './errors.ts';
import { reads } from './reads.ts';

type Body = ReadableStream<Uint8Array> | null;

/** The beginning of a body, and whether it is all of it. A body that breaks off throws what broke it, unless `forgiving`. */
export async function readAtMost(
  body: Body,
  bytes: number,
  { forgiving = false } = {},
): Promise<{ text: string; whole: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  let room = bytes;
  try {
    for await (const part of body ? reads(body) : []) {
      text += decoder.decode(part.subarray(0, room), { stream: true });
      if (part.byteLength > room) return { text, whole: false };
      room -= part.byteLength;
    }
  } catch (error) {
    if (!forgiving) throw error;
    return { text, whole: false };
  }
  return { text: text + decoder.decode(), whole: true };
}

/** The text of a body, whose size is checked as it arrives. Throws `too_large` before it reads on. */
export async function boundedText(body: Body, bytes: number, what = 'body'): Promise<string> {
  const { text, whole } = await readAtMost(body, bytes);
  if (!whole) throw new StarwireError('too_large', `the ${what} has more than ${bytes} bytes`);
  return text;
}
