/** The browser SDK: a connection that keeps itself, and the state of the chat as a pure function of its frames. */
export { StarwireClient } from './client.ts';
export type { Status } from './connection.ts';
export { type Clock, type OpenTransport, type Surroundings, systemClock, webSockets } from './environment.ts';
export { fetchHistory, HttpError } from './http.ts';
export type { ClientEvents, ClientOptions, OutgoingMessage } from './options.ts';
export { type OutboxStorage, webOutbox } from './outbox.ts';
export { reduce } from './reduce.ts';
export * from './state.ts';
export { claimsOf, expiryMs, type TokenReason, type TokenSource } from './token.ts';
