import { StarwireError } from '../../protocol/errors.ts';
import type { PromptFrame } from '../../protocol/server-frames.ts';
import { answerOf } from '../written-answers.ts';

/** What a person may say to an approval. */
export const APPROVAL_CHOICES = ['once', 'session', 'always', 'deny'] as const;
export type ApprovalChoice = (typeof APPROVAL_CHOICES)[number];

export function isApprovalChoice(choice: unknown): choice is ApprovalChoice {
  return APPROVAL_CHOICES.some((one) => one === choice);
}

export function isApproval({ kind }: PromptFrame): boolean {
  return kind === 'approval';
}

const REFUSALS = new Set(['deny', 'denied', 'no', 'reject', 'refuse', 'cancel', 'false']);

const valuesOf = ({ choices = [] }: PromptFrame): string[] =>
  choices.map((choice) => (typeof choice === 'string' ? choice : choice.value));

/** The answer that a choice is: itself where the prompt offers it; otherwise yes or no, and never more than was offered. */
export function approvalValue(frame: PromptFrame, choice: ApprovalChoice): string {
  const offered = valuesOf(frame);
  if (offered.length === 0) return choice === 'deny' ? 'deny' : 'approve';
  if (offered.includes(choice)) return choice;
  const isRefusal = (value: string): boolean => REFUSALS.has(value.toLowerCase());
  const found = offered.find((value) => isRefusal(value) === (choice === 'deny'));
  if (found === undefined)
    throw new StarwireError('bad_request', `Invalid choice: ${choice}`, { field: 'choice' });
  return found;
}

/** What of an approval an upstream tells in the prompt's `schema`. */
function detailsOf({ schema = {} }: PromptFrame) {
  const text = (name: string): string => (typeof schema[name] === 'string' ? schema[name] : '');
  const keys = Array.isArray(schema.pattern_keys) ? schema.pattern_keys : [];
  const { args } = schema;
  return {
    tool: text('tool'),
    command: text('command'),
    pattern_key: text('pattern_key'),
    pattern_keys: keys.filter((key) => typeof key === 'string'),
    args: typeof args === 'object' && args !== null && !Array.isArray(args) ? args : {},
    risk_level: text('risk_level') || 'high',
  };
}

/** An `approval` event; `run` is '' for one that belongs to no run. */
export function approval(frame: PromptFrame, pending_count: number): Record<string, unknown> {
  const offered = valuesOf(frame);
  const choices = APPROVAL_CHOICES.filter((choice) =>
    offered.length === 0 ? choice === 'once' || choice === 'deny' : offered.includes(choice),
  );
  const details = detailsOf(frame);
  return {
    ...details,
    command: details.command || frame.question,
    description: frame.question,
    run_id: frame.turn ?? '',
    approval_id: frame.prompt,
    choices: choices.length > 0 ? choices : ['once', 'deny'],
    allow_permanent: offered.includes('always'),
    pending_count,
  };
}

/** A `clarify` event. `at`: Unix seconds of the question; without an end it waits for ever. */
export function clarify(frame: PromptFrame, at: number): Record<string, unknown> {
  const { prompt, question, choices = [], schema, expires_at = 0 } = frame;
  return {
    question,
    choices_offered: choices.map((choice) =>
      typeof choice === 'string' ? choice : (choice.label ?? choice.value),
    ),
    clarify_id: prompt,
    requested_at: at,
    timeout_seconds: expires_at === 0 ? 0 : Math.max(0, Math.round(expires_at - at)),
    expires_at,
    ...(schema ? { schema } : {}),
  };
}

/** The answer that a response is: a choice by its value, label or number, a form as JSON, otherwise its text. Throws `bad_request`. */
export function clarifyValue(frame: PromptFrame, response: string): unknown {
  if (frame.kind === 'form') return formValue(frame, response);
  const answer = answerOf(frame, response);
  if (answer) return answer.value;
  throw new StarwireError('bad_request', 'response is not one of the choices', { field: 'response' });
}

function formValue({ schema = {} }: PromptFrame, response: string): unknown {
  try {
    const value: unknown = JSON.parse(response);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Plain text: it is the one field, where there is one.
  }
  const { properties = {} } = schema;
  const names = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
  const [name, ...more] = names;
  if (name !== undefined && more.length === 0) return { [name]: response };
  throw new StarwireError('bad_request', 'response must be the form as JSON', { field: 'response' });
}
