/** What a deployment is billed for, counted (the price table is in prices.ts). */
export interface Usage {
  /** Requests to the Worker. */
  worker_requests: number;
  /** Calls, fetches and alarms of objects. */
  object_requests: number;
  /** Messages that came in on sockets of objects; twenty are billed as one request. */
  socket_messages: number;
  /** Time in which an object could not have hibernated, in ms. */
  active_ms: number;
  /** How often an object began to be active. */
  wakes: number;
  rows_read: number;
  /** Of objects; `setAlarm` is one. */
  rows_written: number;
  d1_rows_read: number;
  d1_rows_written: number;
  /** R2: writes and lists. */
  r2_writes: number;
  r2_reads: number;
}

export const NOTHING: Usage = {
  worker_requests: 0,
  object_requests: 0,
  socket_messages: 0,
  active_ms: 0,
  wakes: 0,
  rows_read: 0,
  rows_written: 0,
  d1_rows_read: 0,
  d1_rows_written: 0,
  r2_writes: 0,
  r2_reads: 0,
};

/** A reading of the meter: what was used, and which statements wrote the rows of the objects. */
export interface Metering {
  usage: Usage;
  writers: Record<string, number>;
}
