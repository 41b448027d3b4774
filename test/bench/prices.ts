import type { Usage } from './usage.ts';

/**
 * US dollars for a million of each unit, Workers Paid, beyond what the plan includes (the vendor's price pages, as DESIGN.md
 * quotes them). Change them here, run `npm run bench bill`, and docs/costs.md follows.
 */
const PER_MILLION = {
  worker_request: 0.3,
  object_request: 0.15,
  gigabyte_second: 12.5,
  row_read: 0.001,
  row_written: 1,
  d1_row_read: 0.001,
  d1_row_written: 1,
  r2_write: 4.5,
  r2_read: 0.36,
};

/** What the platform reserves for an active object. */
const OBJECT_GB = 0.128;

/** So many incoming messages on a socket are billed as one request. */
const MESSAGES_PER_REQUEST = 20;

/** The parts of a bill, in dollars for a million of what was measured. */
export interface Bill {
  requests: number;
  duration: number;
  rows: number;
  records: number;
  files: number;
  total: number;
}

export function billOf(usage: Usage): Bill {
  const requests =
    usage.worker_requests * PER_MILLION.worker_request +
    (usage.object_requests + usage.socket_messages / MESSAGES_PER_REQUEST) * PER_MILLION.object_request;
  const duration = (usage.active_ms / 1000) * OBJECT_GB * PER_MILLION.gigabyte_second;
  const rows = usage.rows_read * PER_MILLION.row_read + usage.rows_written * PER_MILLION.row_written;
  const records =
    usage.d1_rows_read * PER_MILLION.d1_row_read + usage.d1_rows_written * PER_MILLION.d1_row_written;
  const files = usage.r2_writes * PER_MILLION.r2_write + usage.r2_reads * PER_MILLION.r2_read;
  return { requests, duration, rows, records, files, total: requests + duration + rows + records + files };
}
