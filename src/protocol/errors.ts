/**
 * The one closed list of error codes (PROTOCOL.md, section 2). It serves `error` frames, HTTP bodies and the
 * results of `POST /internal/outbound`.
 */
export const ERRORS = {
  unauthorized: { status: 401, retryable: false },
  token_expired: { status: 401, retryable: true },
  forbidden: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  method_not_allowed: { status: 405, retryable: false },
  bad_request: { status: 400, retryable: false },
  too_large: { status: 413, retryable: false },
  unsupported: { status: 415, retryable: false },
  rate_limited: { status: 429, retryable: true },
  conflict: { status: 409, retryable: false },
  already_answered: { status: 409, retryable: false },
  turn_finished: { status: 410, retryable: false },
  idempotency_mismatch: { status: 422, retryable: false },
  upstream_not_configured: { status: 503, retryable: true },
  upstream_unreachable: { status: 502, retryable: true },
  internal: { status: 500, retryable: true },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** What a client or an upstream is told about a failure. `message` names what is wrong; never a stack. */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  /** The input field at fault, where there is one. */
  field?: string;
  /** Seconds to wait before another try (`rate_limited`). */
  retry_after?: number;
  /** The offset at which the next chunk must begin (P-UP-7, `conflict`). */
  expected?: number;
  /** 1-based line of an NDJSON body (P-UP-8). */
  line?: number;
  /** Names the request in the logs (`internal`). */
  request_id?: string;
}

export type ErrorDetails = Omit<ErrorBody, 'code' | 'message' | 'retryable'>;

/** A refusal that its receiver can act on. Anything else that is thrown is a fault of ours: `internal`. */
export class StarwireError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = 'StarwireError';
    this.code = code;
    this.details = details;
  }

  get body(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      retryable: ERRORS[this.code].retryable,
      ...this.details,
    };
  }
}

/** WebSocket close codes (PROTOCOL.md, section 2). */
export const CLOSE = {
  normal: 1000,
  unsupported: 1003,
  policy: 1008,
  too_large: 1009,
  restart: 1012,
  unauthorized: 4001,
  forbidden: 4003,
  rate_limited: 4008,
  token_expired: 4010,
  slow_consumer: 4013,
  too_many_sessions: 4014,
} as const;
