import * as v from 'valibot';

/** Kinds of ids the server makes; the prefix tells which. */
export type IdKind = ProvenKind | 'msg' | 'prompt' | 'conv' | 'ses' | 'key';

/** Kinds by which something is reached that a guess must not touch: an object, a file. */
export type ProvenKind = 'turn' | 'req' | 'file';

/** Makes an unguessable id of a kind. Injected, so that tests can have theirs. */
export type NewId = (kind: IdKind) => string;

/** An id that somebody else chose or repeats: short, and safe in a path, a cursor and a log. */
export const GivenId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_.-]{1,64}$/, 'is not an id of 1 to 64 letters, digits, "_", "." or "-"'),
);

/** A reference to something by its id; what does not exist is simply not found. */
export const RefId = v.pipe(
  v.string(),
  v.minLength(1, 'is empty'),
  v.maxLength(128, 'has more than 128 characters'),
);

export const DEFAULT_CONVERSATION = 'default';

/** An id that people and other systems chose: any short text without control characters. */
export const PlainId = v.pipe(
  v.string(),
  v.minLength(1, 'is empty'),
  v.maxLength(128, 'has more than 128 characters'),
  v.check((id) => id.isWellFormed() && !/\p{Cc}/u.test(id), 'has a control character or a lone surrogate'),
);

/** A conversation's id as clients and upstreams name it. */
export const ConversationId = PlainId;

/** A channel's name, split at its first colon. */
export interface ChannelName {
  kind: 'webchat' | 'sse';
  id: string;
}

/** Returns undefined where `name` is no channel. */
export function parseChannel(name: string): ChannelName | undefined {
  const colon = name.indexOf(':');
  const kind = name.slice(0, colon);
  const id = name.slice(colon + 1);
  if ((kind !== 'webchat' && kind !== 'sse') || id === '') return undefined;
  return { kind, id };
}
