import * as v from 'valibot';
import { parse, parseJson } from '../protocol/parse.ts';

/** What the Worker's SSE relay tells its object: how many bytes its client has read. */
const Credit = v.object({ credit: v.pipe(v.number(), v.integer(), v.minValue(0)) });

export function creditFrame(bytes: number): string {
  return JSON.stringify({ credit: bytes } satisfies v.InferOutput<typeof Credit>);
}

export function relayUp(text: string): number {
  return parse(Credit, parseJson(text, 'frame'), 'frame').credit;
}
