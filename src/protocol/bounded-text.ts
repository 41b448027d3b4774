import { StarwireError } from './errors.ts';

/** The text of a body, whose size is checked as it arrives. Throws `too_large` before it reads on. */
export async function boundedText(
  body: ReadableStream<Uint8Array>,
  limit: number,
  what = 'body',
): Promise<string> {
  const decoder = new TextDecoder();
  let size = 0;
  let text = '';
  for await (const bytes of body) {
    size += bytes.byteLength;
    if (size > limit) throw new StarwireError('too_large', `the ${what} has more than ${limit} bytes`);
    text += decoder.decode(bytes, { stream: true });
  }
  return text + decoder.decode();
}
