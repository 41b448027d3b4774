import * as v from 'valibot';
import { StarwireError } from './errors.ts';
import { redact } from './redact.ts';

/** The dotted path of an issue, as `buttons.0.label`. */
function fieldOf(issue: v.BaseIssue<unknown>): string {
  return v.getDotPath(issue) ?? '';
}

/** Parses `unknown` once, at the edge. Throws `bad_request` that names the field and what is wrong with it. */
export function parse<S extends v.GenericSchema>(schema: S, input: unknown, what = 'body'): v.InferOutput<S> {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = fieldOf(issue);
  const name = field ? `"${field}"` : `the ${what}`;
  // Valibot's own sentences begin with "Invalid"; ours continue the field's name.
  const said = issue.message.startsWith('Invalid')
    ? `is wrong: expected ${issue.expected}, received ${issue.received}`
    : issue.message;
  throw new StarwireError('bad_request', clipped(redact(`${name} ${said}`)), field ? { field } : {});
}

function clipped(message: string): string {
  return message.length > 300 ? `${message.slice(0, 297)}…` : message;
}

/** Parses JSON. Throws `bad_request` where it is not JSON. */
export function parseJson(text: string, what = 'body'): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StarwireError('bad_request', `the ${what} is not JSON`);
  }
}
