/** What Starwire says beside a refusal, where it applies. */
export interface ErrorDetails {
  /** The field at fault. */
  field?: string;
  /** Seconds to wait before another try. */
  retry_after?: number;
  /** The offset at which the next chunk must begin. */
  expected?: number;
  /** 1-based line of a stream. */
  line?: number;
  /** Names the request in Starwire's logs. */
  request_id?: string;
  /** The epoch that fenced this producer off. */
  producer_epoch?: number;
}

/**
 * A refusal of Starwire, by its own code (`not_found`, `turn_finished`, `rate_limited`, …), or one of this side:
 * `unreachable` (no answer came), `unauthorized` (a webhook that is not Starwire's), `cancelled` (the turn was).
 */
export class StarwireError extends Error {
  readonly code: string;
  /** The HTTP status; 0 where there was none. */
  readonly status: number;
  /** Whether the same call may succeed later. Calls have been retried by then. */
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(
    code: string,
    message: string,
    {
      status = 0,
      retryable = false,
      details = {},
      cause,
    }: { status?: number; retryable?: boolean; details?: ErrorDetails; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = 'StarwireError';
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.details = details;
  }
}

/** An error as Starwire writes it: in a body, or in one result of many. */
export interface ErrorBody extends ErrorDetails {
  code: string;
  message: string;
  retryable: boolean;
}

export function errorFrom(
  { code, message, retryable, ...details }: ErrorBody,
  status: number,
): StarwireError {
  return new StarwireError(code, message, { status, retryable, details });
}

/** What a response that is not 2xx says; something between may have answered in Starwire's place. */
export async function errorOf(response: Response): Promise<StarwireError> {
  const { status, headers } = response;
  const body = bodyIn(await response.text().catch(() => ''));
  const number = (name: string, otherwise?: number) => {
    const value = headers.get(name);
    const given = value === null ? otherwise : Number(value);
    return Number.isFinite(given) ? given : undefined;
  };
  const retry_after = number('retry-after', body?.retry_after);
  const producer_epoch = number('producer-epoch');
  const passing = status === 408 || status === 425 || status === 429 || status >= 500;
  return errorFrom(
    {
      ...(body ?? { code: `http_${status}`, message: `Starwire answered ${status}` }),
      retryable: body?.retryable ?? passing,
      ...(retry_after === undefined ? {} : { retry_after }),
      ...(producer_epoch === undefined ? {} : { producer_epoch }),
    },
    status,
  );
}

function bodyIn(text: string): ErrorBody | undefined {
  try {
    const { error } = JSON.parse(text);
    return typeof error?.code === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}
