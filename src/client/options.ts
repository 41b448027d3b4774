import type { AttachmentView, ServerFrame } from '../protocol/server-frames.ts';
import type { Status } from './connection.ts';
import type { Clock, OpenTransport, Surroundings } from './environment.ts';
import type { OutboxStorage } from './outbox.ts';
import type { ChatState, SendError } from './state.ts';
import type { TokenSource } from './token.ts';

export interface ClientOptions {
  /** The socket's address, `wss://host/ws`. */
  url: string;
  /** Asked for a JWT at the start, before it expires, and when the server refused it. Nothing ends the client. */
  token: TokenSource;
  /** Where unsent messages outlive a reload. */
  outbox?: OutboxStorage;
  /** The rest is replaced by tests, and by Node before 22 (`open: webSockets(WebSocket)` of `ws`). */
  open?: OpenTransport;
  clock?: Clock;
  random?: () => number;
  newId?: () => string;
  surroundings?: Surroundings;
}

export interface ClientEvents {
  /** What is shown has changed; once for all frames that arrived together. */
  state: ChatState;
  status: Status;
  /** Every frame that counts, once, in order. */
  frame: ServerFrame;
  /** The journal could not be resumed: read history over HTTP and hand it to `history()`. */
  stale: { reason: 'start' | 'reset' };
  /** A message of this session was written; it is in the state already. */
  sending: { client_id: string; conversation: string; text: string };
  /** A send was refused for good. */
  refused: { client_id: string; error: SendError };
  /** Something was missing on the wire; the client has repaired it by reconnecting. For logs. */
  loss: { what: string };
}

export interface OutgoingMessage {
  text: string;
  conversation?: string;
  /** Files that were uploaded before; shown at once, sent by their ids. */
  attachments?: readonly AttachmentView[];
  reply_to?: string;
}
