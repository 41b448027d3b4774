import * as v from 'valibot';
import { parseJson } from '../protocol/parse.ts';

/** What a relay in the Worker tells its object besides commands: how many bytes its client has read. */
const Credit = v.object({ credit: v.pipe(v.number(), v.integer(), v.minValue(0)) });

export function creditFrame(bytes: number): string {
  return JSON.stringify({ credit: bytes } satisfies v.InferOutput<typeof Credit>);
}

/** The bytes that a relay's frame tells of; undefined where it is a command. */
export function creditOf(text: string): number | undefined {
  const frame = v.safeParse(Credit, parseJson(text, 'frame'));
  return frame.success ? frame.output.credit : undefined;
}
