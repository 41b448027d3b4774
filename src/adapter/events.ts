import type { ErrorBody } from './errors.ts';

/** What a service sends: the events of `POST /internal/outbound` that have more than a text (P-UP-4), and their results. */

export interface Button {
  label: string;
  /** Comes back in `action` when it is pressed. */
  custom_id: string;
  emoji?: string;
  style?: string;
}

/** A Discord-style view: every child with a `label` becomes a button (P-UP-5). */
export interface View {
  children: readonly object[];
}

export interface Tool {
  /** Names this call in all its events. */
  tool: string;
  name: string;
  status: 'running' | 'completed' | 'failed';
  preview?: string;
  args?: unknown;
  result?: unknown;
}

export interface Prompt {
  question: string;
  /** Read off `schema` and `choices` where it is left out. */
  prompt_kind?: 'choice' | 'text' | 'form' | 'approval';
  /** Its id, with which the answer comes back; made where it is left out. */
  prompt?: string;
  choices?: readonly (string | { value: string; label?: string })[];
  /** JSON Schema of a form. */
  schema?: Record<string, unknown>;
  /** Unix seconds. */
  expires_at?: number;
}

export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  [name: string]: unknown;
}

export interface Failure {
  label?: string;
  type?: string;
  message?: string;
  hint?: string;
}

/** What a reply is made of; its channel and turn are known. */
export type ReplyEvent =
  | { kind: 'chunk'; text: string; reasoning?: boolean; offset?: number }
  | ({ kind: 'tool' } & Tool)
  | ({ kind: 'prompt' } & Prompt)
  | { kind: 'message'; text: string; buttons?: readonly Button[]; view?: View; reply_to?: string }
  | { kind: 'file'; filename: string; mimetype?: string; data: string }
  | { kind: 'done'; text?: string; usage?: Usage; finish_reason?: string }
  | ({ kind: 'error' } & Failure);

/** Any event with its address; fields and kinds as in `docs/protocol.md`. */
export interface OutboundEvent {
  channel: string;
  kind: string;
  tenant?: string;
  [field: string]: unknown;
}

/** What became of an event (P-UP-6). Without `error` it is durable. */
export interface Result {
  id?: string;
  seq?: number;
  /** It was written to at least one open session; else it waits for the next one. */
  delivered: boolean;
  duplicate?: boolean;
  url?: string;
  /** Consecutive chunks that share this result. */
  count?: number;
  error?: ErrorBody;
}

/** Bytes as base64; in pieces, since a call takes only so many arguments. */
export function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8_192)
    binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(binary);
}
