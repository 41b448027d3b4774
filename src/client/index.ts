/** The browser SDK: a connection that keeps itself, and the state of the chat as a pure function of its frames. */
export {
  Api,
  type ApiOptions,
  type ConversationSummary,
  HttpError,
  type ListCursor,
  type ListPage,
  type SearchResult,
} from './api.ts';
export { StarwireClient } from './client.ts';
export type { Status } from './connection.ts';
export { type Clock, type OpenTransport, type Surroundings, systemClock, webSockets } from './environment.ts';
export type { ClientEvents, ClientOptions, OutgoingMessage } from './options.ts';
export { type OutboxStorage, webOutbox } from './outbox.ts';
export { reduce } from './reduce.ts';
export * from './state.ts';
export { CurrentToken, claimsOf, expiryMs, type TokenReason, type TokenSource } from './token.ts';
