import * as v from 'valibot';
import { type Position, parseCursor, parseLengths } from '../protocol/cursor.ts';
import { IDENTITY_FIELDS } from '../protocol/identity.ts';
import { parse } from '../protocol/parse.ts';

/** How the Worker hands a verified connection to an object: in a header of its own, never in the client's URL. */
export const ATTACH_HEADER = 'x-starwire-attach';

const Attach = v.object({
  session: v.string(),
  ...IDENTITY_FIELDS,
  dialect: v.string(),
  origin: v.string(),
  protocol: v.optional(v.string()),
  batch: v.boolean(),
  credit: v.optional(v.number()),
  /** Everything from the first entry on: the reader of an `sse:` channel. */
  from_start: v.optional(v.boolean()),
  cursor: v.optional(v.string()),
  turns: v.optional(v.string()),
});

export type AttachRequest = v.InferOutput<typeof Attach>;

/** Headers are bytes: names may be in any script. */
export function attachHeaders(attach: AttachRequest): Headers {
  return new Headers({ upgrade: 'websocket', [ATTACH_HEADER]: encodeURIComponent(JSON.stringify(attach)) });
}

export function readAttach(request: Request): AttachRequest {
  return parse(
    Attach,
    JSON.parse(decodeURIComponent(request.headers.get(ATTACH_HEADER) ?? '')),
    'attach header',
  );
}

/** A cursor that is not even one belongs to no epoch of ours, so that it ends in `reset`. */
const NOWHERE = { epoch: '', seq: 0 };

export function positionOf(
  { from_start, cursor, turns }: Pick<AttachRequest, 'from_start' | 'cursor' | 'turns'>,
  epoch: string,
): Position {
  const start = from_start ? { cursor: { epoch, seq: 0 } } : {};
  return {
    ...(cursor === undefined ? start : { cursor: parseCursor(cursor) ?? NOWHERE }),
    turns: parseLengths(turns ?? '') ?? new Map(),
  };
}
