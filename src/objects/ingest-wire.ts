import type { IngestRequest, IngestResponse } from '../channel/ingest.ts';
import type { OutboundResult } from '../protocol/outbound.ts';
import type { Outcome } from './outcome.ts';

/** What goes over the internal socket of a long ingest: batches there, answers back. */
export interface Batch extends IngestRequest {
  /** Only what became otherwise of an event is told. */
  expect?: OutboundResult;
}

export interface BatchAnswer {
  answer: Outcome<IngestResponse>;
  stored: boolean;
  /** To a batch that named what it expected. */
  aside: boolean;
}

/** Whether a result says nothing new; what is expected is the result of a chunk. */
export function isExpected({ id, delivered, duplicate, error }: OutboundResult, expect: OutboundResult) {
  return id === expect.id && delivered === expect.delivered && !duplicate && !error;
}
