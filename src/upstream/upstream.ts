import type { Delivery } from '../protocol/delivery.ts';
import type { HistoryRow } from '../protocol/history.ts';
import type { Addressed, OutboundEvent } from '../protocol/outbound.ts';
import type { AttachmentView, TurnError } from '../protocol/server-frames.ts';
import type { Attachment } from './bridge/parts.ts';

export type Address = Pick<Addressed, 'tenant' | 'channel'>;

/** An event of an upstream's own answer. `to` is set where it names another channel than the delivery's. */
export type ReplyEvent = OutboundEvent & { to?: Address };

/** What an upstream gives for a delivery. `accepted` is called as soon as it has taken it. */
export type Call = (delivery: Delivery, options: CallOptions) => AsyncIterable<ReplyEvent>;

export interface CallOptions {
  /** The same on every retry of a delivery (P-UP-1). */
  id: string;
  signal: AbortSignal;
  accepted: () => void;
  /** The newest rows of the delivery's conversation, newest first. */
  history: (limit: number) => Promise<readonly HistoryRow[]>;
  attachments: readonly DeliveredFile[];
}

/** A file of a delivery; its `url` is signed for this call and needs no token (P-UP-2). `data` throws where it is gone. */
export interface DeliveredFile extends AttachmentView, Attachment {}

/** Why a call failed, as the user is told, and whether another try may help. */
export class UpstreamError extends Error {
  readonly turnError: TurnError;
  readonly retry: boolean;
  /** Set where the upstream said when to come back. */
  readonly retry_after_ms: number | undefined;

  constructor(
    turnError: TurnError,
    { retry = false, retry_after_ms }: { retry?: boolean; retry_after_ms?: number | undefined } = {},
  ) {
    super(turnError.message);
    this.name = 'UpstreamError';
    this.turnError = turnError;
    this.retry = retry;
    this.retry_after_ms = retry_after_ms;
  }
}

/** P-UP-3. */
export const RETRY_DELAYS_MS = [1_000, 5_000, 15_000, 60_000] as const;
