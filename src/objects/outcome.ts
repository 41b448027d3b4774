import { ProducerError } from '../channel/producers.ts';
import { ERRORS, type ErrorBody, StarwireError } from '../protocol/errors.ts';

/** What a call between objects gives: errors lose their class on the way, so that refusals travel as values. */
export type Outcome<T> = { value: T } | { error: ErrorBody; headers?: Record<string, string> };

export function outcome<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() };
  } catch (error) {
    if (!(error instanceof StarwireError)) throw error;
    return { error: error.body, ...(error instanceof ProducerError ? { headers: error.headers } : {}) };
  }
}

/** A refusal that came from another object. */
export class RemoteError extends StarwireError {
  readonly headers: Record<string, string>;

  constructor({ code, message, retryable: _, ...details }: ErrorBody, headers: Record<string, string>) {
    super(code in ERRORS ? code : 'internal', message, details);
    this.headers = headers;
  }
}

/** The value, or the refusal thrown again on this side. */
export function unwrap<T>(result: Outcome<T>): T {
  if ('value' in result) return result.value;
  throw new RemoteError(result.error, result.headers ?? {});
}
