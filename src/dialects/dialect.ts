import type { Command } from '../protocol/client-frames.ts';
import type { ErrorBody } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import type { ServerFrame } from '../protocol/server-frames.ts';

/** The address by which a socket came in: the parameters of its path and of its query. */
export interface Door {
  path: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
}

/** How a socket ends. */
export interface Ending {
  code: number;
  reason: string;
}

/** A frame in the client's own words: an object goes as JSON, a text as it is. */
export type Down = object | string;

/** What follows from one frame: the next state, commands up, frames down, and perhaps the end. */
export interface Step<S> {
  state: S;
  commands?: readonly Command[];
  frames?: readonly Down[];
  close?: Ending;
}

/** What a client says in its first frame of who it is. What it claims must equal what its token says (P-DI-1). */
export interface Hello {
  /** Without one, that of the handshake counts. */
  token?: string | undefined;
  claims: Partial<Record<'user' | 'tenant', string>>;
}

/** How a dialect is called. */
export interface Named {
  /** Names its sessions (section 5.3), and a cookie that may hold the token (P-DI-1). */
  readonly name: string;
  /** Further cookies that may hold the token. */
  readonly cookies?: readonly string[];
}

/**
 * The words of another system's socket (P-DI-2). Pure: no clock, no randomness, no input but its arguments. Everything that
 * is thrown as a `StarwireError` is told to the client: by `denied` before it is let in, as an `error` frame given to `down`
 * after that. The state is plain data; a connection that is lost loses it, and the next one builds it from the open state
 * that every connection begins with (P-WS-8).
 */
export interface Dialect<S> extends Named {
  /** Paths of its sockets, as the router writes them. */
  readonly sockets: readonly string[];
  /** Reads the first frame, where that is how clients say who they are. Throws what is wrong with it. */
  hello?(text: string): Hello;
  /** The last words to a client that is not let in. */
  denied(error: ErrorBody): { frames: readonly Down[]; close: Ending };
  /** The state of a new connection. Throws where its address is wrong. */
  open(door: Door, who: Identity): S;
  /** A frame of the client. `id` is an unused `client_id`, for a client that names none. Throws what is wrong with the frame. */
  up(state: S, text: string, id: string): Step<S>;
  /** A native frame, in the order of the channel. */
  down(state: S, frame: ServerFrame): Step<S>;
  /** The client has closed its socket: what is to be done about it. */
  left?(state: S, how: Ending): readonly Command[];
}
