/** The service's side of Starwire: small, typed, without dependencies, for any runtime that has `fetch` and WebCrypto. */

export { type ErrorDetails, StarwireError } from './errors.ts';
export type {
  Button,
  Failure,
  OutboundEvent,
  Prompt,
  ReplyEvent,
  Result,
  Tool,
  Usage,
  View,
} from './events.ts';
export type { Execution, Handler, HandlerOptions, OnMessage } from './inbox.ts';
export {
  type Asked,
  type Cancellation,
  type CompletionRequest,
  type IncomingMessage,
  verifyWebhook,
} from './incoming.ts';
export type { NodeListener } from './node.ts';
export { type PlatformOptions, WebChatPlatform } from './platform.ts';
export type { Verification } from './signature.ts';
export type {
  BotIdentity,
  HistoricalMessage,
  SendOptions,
  Session,
  TurnState,
  Users,
} from './state.ts';
export type { TurnAddress, TurnStream } from './turn-stream.ts';
