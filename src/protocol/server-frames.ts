import type { SendResult } from './client-frames.ts';
import type { ErrorBody } from './errors.ts';
import type { UserView } from './identity.ts';
import type { PublicLimits } from './limits.ts';

/** What the native socket and `GET /api/events` send (PROTOCOL.md, section 2). Frames with `seq` are durable. */

export interface Button {
  label: string;
  custom_id: string;
  emoji?: string;
  style?: string;
}

export interface AttachmentView {
  id: string;
  filename: string;
  mimetype: string;
  size: number;
  /** Signed; given anew whenever the frame is sent. */
  url: string;
}

export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  [name: string]: unknown;
}

export interface TurnError {
  label: string;
  type: string;
  message: string;
  hint: string;
  /** Seconds after which another try may do better, where the upstream said so. */
  retry_after?: number;
}

export type TurnStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'expired';

export interface WelcomeFrame {
  type: 'welcome';
  protocol: 1;
  session: string;
  epoch: string;
  seq: number;
  user: UserView;
  bot: { platform: string; user_id: string; display_name: string; mention: string };
  resumed: boolean;
  heartbeat_s: number;
  limits: PublicLimits;
}

export interface ReadyFrame {
  type: 'ready';
  seq: number;
}

export interface AckFrame extends SendResult {
  type: 'ack';
  client_id: string;
}

export interface MessageFrame {
  type: 'message';
  seq: number;
  id: string;
  conversation: string;
  role: 'user' | 'assistant';
  sender: string;
  text: string;
  timestamp: number;
  buttons?: Button[];
  attachments?: AttachmentView[];
  turn?: string;
  client_id?: string;
  partial?: boolean;
  reply_to?: string;
  replaces?: string;
  reasoning?: string;
  /** What else the client said with a message of its user. */
  extra?: Record<string, unknown>;
  /** On the message that a pressed button made: which button of which message (`reply_to`). */
  custom_id?: string;
}

export interface EditFrame {
  type: 'edit';
  seq: number;
  id: string;
  conversation: string;
  text: string;
  timestamp: number;
  buttons?: Button[];
}

export interface FileFrame {
  type: 'file';
  seq: number;
  id: string;
  conversation: string;
  sender: string;
  filename: string;
  mimetype: string;
  size: number;
  timestamp: number;
  url: string;
  data?: string;
  turn?: string;
  /** Where the turn's text stood when it came. */
  offset?: number;
}

export interface TypingFrame {
  type: 'typing';
  active: boolean;
  sender: string;
  conversation?: string;
}

export interface TurnFrame {
  type: 'turn';
  seq: number;
  turn: string;
  conversation: string;
  message: string;
  status: TurnStatus;
  usage?: Usage;
  finish_reason?: string;
  error?: TurnError;
  /** The reply that this turn's reply is instead of. */
  replaces?: string;
  snapshot?: true;
}

export interface ChunkFrame {
  type: 'chunk';
  turn: string;
  message: string;
  conversation: string;
  kind: 'text' | 'reasoning';
  offset: number;
  text: string;
}

export interface ToolFrame {
  type: 'tool';
  seq: number;
  turn: string;
  tool: string;
  name: string;
  status: 'running' | 'completed' | 'failed';
  preview?: string;
  args?: unknown;
  result?: unknown;
  offset: number;
  conversation: string;
}

/** Parts of tool calls in an `sse:` channel, for the client that executes them. */
export interface DeltaFrame {
  type: 'delta';
  seq: number;
  turn: string;
  tool_calls: readonly Record<string, unknown>[];
}

export type PromptKind = 'choice' | 'text' | 'form' | 'approval';
export type Choice = string | { value: string; label?: string };

export interface PromptFrame {
  type: 'prompt';
  seq: number;
  prompt: string;
  turn?: string;
  conversation: string;
  kind: PromptKind;
  question: string;
  choices?: Choice[];
  schema?: Record<string, unknown>;
  expires_at?: number;
  snapshot?: true;
}

export interface PromptClosedFrame {
  type: 'prompt_closed';
  seq: number;
  prompt: string;
  reason: 'answered' | 'expired' | 'cancelled';
  value?: unknown;
}

export interface ConversationFrame {
  type: 'conversation';
  seq: number;
  id: string;
  status: 'created' | 'renamed' | 'deleted';
  title?: string;
}

export interface ResetFrame {
  type: 'reset';
  reason: 'unknown' | 'ahead' | 'retention';
  epoch: string;
  seq: number;
}

export interface BatchFrame {
  type: 'batch';
  frames: ServerFrame[];
}

export interface ErrorFrame extends ErrorBody {
  type: 'error';
  client_id?: string;
}

/** Frames that are entries of the journal. */
export type DurableFrame =
  | MessageFrame
  | EditFrame
  | FileFrame
  | TurnFrame
  | ToolFrame
  | DeltaFrame
  | PromptFrame
  | PromptClosedFrame
  | ConversationFrame;

export type ServerFrame =
  | DurableFrame
  | WelcomeFrame
  | ReadyFrame
  | AckFrame
  | TypingFrame
  | ChunkFrame
  | ResetFrame
  | BatchFrame
  | ErrorFrame;

const TERMINAL: ReadonlySet<TurnStatus> = new Set(['completed', 'failed', 'cancelled', 'expired']);

export function isTerminal(status: TurnStatus): boolean {
  return TERMINAL.has(status);
}
