import type { ErrorBody } from '../../protocol/errors.ts';
import type { TurnError, TurnFrame } from '../../protocol/server-frames.ts';

/** What runs behind a socket, and the number by which lists name it. */
export const FLOW_TYPES = { flow: 1, assistant: 5, workflow: 10 } as const;

export type WorkType = keyof typeof FLOW_TYPES;

/** An error inside a frame; the page shows the words that it has for the code, or these. */
export interface Fault {
  status_code: number;
  status_message: string;
  data: { exception: string; [name: string]: unknown };
}

interface Codes {
  /** Nothing is there to answer. */
  offline: number;
  /** Nobody took the message. */
  busy: number;
  other: number;
}

const ASSISTANT: Codes = { offline: 10421, busy: 10499, other: 10499 };
const WORKFLOW: Codes = { offline: 13010, busy: 10540, other: 10541 };

/** A question that waited too long. */
export const INPUT_TIMEOUT = 10527;

const codesOf = (work: WorkType): Codes => (work === 'workflow' ? WORKFLOW : ASSISTANT);

/** A reply that failed, or of which nothing was heard any more. */
export function turnFault(work: WorkType, { status, error }: TurnFrame): Fault {
  const { type, message, label, hint }: TurnError = error ?? NO_WORD;
  const { offline, busy, other } = codesOf(work);
  const code = type === 'upstream_not_configured' ? offline : type === 'upstream_unreachable' ? busy : other;
  return fault(code, message || label, { type, hint, status });
}

const NO_WORD: TurnError = { label: 'No answer', type: 'error', message: '', hint: '' };

/** What the user asked for was refused. */
export function refusalFault(work: WorkType, { code, message, retryable }: ErrorBody): Fault {
  const { offline, busy, other } = codesOf(work);
  const status =
    code === 'upstream_not_configured' ? offline : code === 'upstream_unreachable' ? busy : other;
  return fault(status, message, { type: code, retryable });
}

export function fault(status_code: number, status_message: string, data: object = {}): Fault {
  return { status_code, status_message, data: { ...data, exception: status_message } };
}
