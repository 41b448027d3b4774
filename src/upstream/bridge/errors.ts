import { readAtMost } from '../../protocol/bounded-text.ts';
import { redact } from '../../protocol/redact.ts';
import { retryAfterMs } from '../retry-after.ts';
import { UpstreamError } from '../upstream.ts';

/** Failures of an OpenAI-compatible upstream, as the user is told (P-BR-4). */
export type BridgeErrorType =
  | 'upstream_auth'
  | 'upstream_http'
  | 'upstream_rate_limited'
  | 'upstream_empty'
  | 'upstream_stream'
  | 'upstream_unreachable';

const WORDS: Record<BridgeErrorType, { label: string; hint: string }> = {
  upstream_auth: {
    label: 'Model access refused',
    hint: 'The operator should check the key of the model service.',
  },
  upstream_http: {
    label: 'Model error',
    hint: 'Try again; if it stays, the operator should look at the model service.',
  },
  upstream_rate_limited: { label: 'Model busy', hint: 'Wait a moment and try again.' },
  upstream_empty: { label: 'Empty answer', hint: 'Try again, or ask in other words.' },
  upstream_stream: { label: 'Reply interrupted', hint: 'Send the message again.' },
  upstream_unreachable: {
    label: 'Model unreachable',
    hint: 'Try again later; the operator should look at the model service.',
  },
};

const MESSAGE_CHARS = 500;
const BODY_BYTES = 2_048;

/** Nobody is told to wait for longer than a day. */
const LONGEST_WAIT_S = 86_400;

export function bridgeError(type: BridgeErrorType, message: string, wait_ms?: number): UpstreamError {
  const { label, hint } = WORDS[type];
  const wait =
    wait_ms === undefined ? {} : { retry_after: Math.min(LONGEST_WAIT_S, Math.ceil(wait_ms / 1000)) };
  return new UpstreamError({ label, type, message: clipped(redact(message)), hint, ...wait });
}

function clipped(text: string): string {
  return text.length > MESSAGE_CHARS ? `${text.slice(0, MESSAGE_CHARS - 1).toWellFormed()}…` : text;
}

/** What a response that is no success says; at most 2 KiB of its body are read. */
export async function responseError(response: Response): Promise<UpstreamError> {
  const { status } = response;
  // A body that breaks off, or is cut off by the clock, has said what came of it.
  const said = messageOf((await readAtMost(response.body, BODY_BYTES, { forgiving: true })).text);
  const message = `The model service answered ${status}${said === '' ? '.' : `: ${said}`}`;
  if (status === 401 || status === 403) return bridgeError('upstream_auth', message);
  if (status === 429) {
    const wait = response.headers.get('retry-after');
    return bridgeError(
      'upstream_rate_limited',
      wait === null ? message : `${message} (retry after ${wait})`,
      retryAfterMs(response),
    );
  }
  return bridgeError('upstream_http', message);
}

/** A message in the text of JSON, up to where it breaks off. */
const SAID = /"(?:message|detail|msg|error)"\s*:\s*"((?:[^"\\\p{Cc}]|\\["\\/bfnrt]|\\u[\dA-Fa-f]{4})+)/u;

/** The message inside an error body: `{error: {message}}` and its relatives; nothing of a page of HTML. */
export function messageOf(body: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    const text = body.trim();
    if (text.startsWith('<')) return '';
    // JSON that was cut off.
    const said = text.startsWith('{') ? SAID.exec(text)?.[1] : undefined;
    return said === undefined ? text : String(JSON.parse(`"${said}"`));
  }
  return errorText(parsed) ?? '';
}

/** The text of an error object, wherever the many servers of this API put it. */
export function errorText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const name of ['error', 'message', 'detail', 'msg'] as const) {
    if (name in value) {
      const found = errorText(Reflect.get(value, name));
      if (found) return found;
    }
  }
  return undefined;
}
