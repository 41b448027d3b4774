import { redact, redactValue } from './redact.ts';
import { clip } from './text.ts';

export type LogLevel = 'info' | 'warn' | 'error';

/** Ids tell what it was about; texts of messages, tokens and keys have no place in a log. */
export interface LogFields {
  request?: string | undefined;
  tenant?: string | undefined;
  user?: string | null | undefined;
  turn?: string | undefined;
  /** What was caught: of an Error its stack. */
  error?: unknown;
  [name: string]: unknown;
}

/** A fault of ours may carry more than is of use. */
const TEXT_CHARS = 4_000;

/** Writes one line of JSON: `{level, event, …fields}`. Secrets are masked in whatever is given (P-BR-5). */
export function log(level: LogLevel, event: string, { error, ...fields }: LogFields = {}): void {
  const said = error === undefined ? {} : { error: clip(redact(textOf(error)), TEXT_CHARS) };
  console[level](JSON.stringify({ level, event, ...(redactValue(fields) as object), ...said }));
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
