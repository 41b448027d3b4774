import type * as v from 'valibot';
import { CLIENT_FRAMES, type Command } from '../protocol/client-frames.ts';
import { StarwireError } from '../protocol/errors.ts';
import { parse, parseJson } from '../protocol/parse.ts';

/** A frame that was read: a command, or why it is none (and the `client_id` it named, to answer it). */
export type Up = { command: Command } | { error: StarwireError; client_id?: string };

function isType(type: unknown): type is keyof typeof CLIENT_FRAMES {
  return typeof type === 'string' && Object.hasOwn(CLIENT_FRAMES, type);
}

/** Reads a frame of the native socket (P-WS-13). Downwards the native dialect is the vocabulary itself. */
export function nativeUp(text: string): Up {
  let client_id: string | undefined;
  try {
    const frame = parseJson(text, 'frame');
    if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) {
      throw new StarwireError('bad_request', 'the frame is not a JSON object');
    }
    const { type, client_id: named }: { type?: unknown; client_id?: unknown } = frame;
    if (typeof named === 'string') client_id = named.slice(0, 64);
    if (!isType(type)) {
      const known = Object.keys(CLIENT_FRAMES).join(', ');
      throw new StarwireError('bad_request', `"type" must be one of ${known}`, { field: 'type' });
    }
    return { command: parse<v.GenericSchema<unknown, Command>>(CLIENT_FRAMES[type], frame, 'frame') };
  } catch (error) {
    if (!(error instanceof StarwireError)) throw error;
    return { error, ...(client_id === undefined ? {} : { client_id }) };
  }
}
