import type { TurnError, TurnFrame, Usage } from '../../protocol/server-frames.ts';

/** How a run ended, in the words of its journal. */
export type TerminalState =
  | 'completed'
  | 'interrupted-by-user'
  | 'interrupted-by-crash'
  | 'tool_limit_reached'
  | 'errored';

/** The types of `apperror` that its clients know. */
const TYPES = new Set([
  ...['gateway_auth_error', 'gateway_http_error', 'gateway_error', 'gateway_empty_response', 'rate_limit'],
  ...[
    'quota_exhausted',
    'credential_pool_empty',
    'auth_mismatch',
    'model_not_found',
    'compression_exhausted',
  ],
  ...['compression_snapshot_stale', 'no_response', 'tool_limit_reached', 'cancelled', 'interrupted', 'error'],
]);

/** Our types of failures in its words. */
const OURS: Record<string, string> = {
  upstream_auth: 'gateway_auth_error',
  upstream_http: 'gateway_http_error',
  upstream_rejected: 'gateway_http_error',
  upstream_rate_limited: 'rate_limit',
  upstream_empty: 'gateway_empty_response',
  upstream_stream: 'interrupted',
  upstream_unreachable: 'gateway_error',
  upstream_not_configured: 'gateway_error',
  upstream_silent: 'no_response',
};

/** What its clients show of these types; `hint` where the failure has none of its own. */
const WORDS: Record<string, Partial<TurnError>> = {
  gateway_auth_error: {
    label: 'Gateway authentication failed',
    hint: 'Check that UPSTREAM_API_KEY matches the key of the gateway (API_SERVER_KEY).',
  },
  gateway_http_error: { label: 'Gateway request failed', hint: 'Check the configured Gateway API server.' },
  gateway_error: {
    label: 'Gateway request failed',
    hint: 'Check UPSTREAM_URL and the health of the gateway.',
  },
  gateway_empty_response: {
    label: 'Gateway returned no response',
    hint: 'Check that Hermes Gateway API server is running and reachable.',
  },
};

export const EMPTY_RESPONSE: TurnError = {
  label: 'Gateway returned no response',
  type: 'gateway_empty_response',
  message: 'Gateway returned no assistant message for this turn.',
  hint: 'Check that Hermes Gateway API server is running and reachable.',
};

/** The body of an `apperror`. */
export function apperror({
  label,
  type,
  message,
  hint,
}: TurnError): Record<string, unknown> & { type: string } {
  const known = TYPES.has(type) ? type : (OURS[type] ?? 'error');
  const words = WORDS[known] ?? {};
  return { label: words.label ?? label, type: known, message, hint: hint || (words.hint ?? '') };
}

/** Why a turn ended that did not complete. */
export function errorOf({ status, error }: TurnFrame): TurnError {
  return error ?? { label: 'Error', type: 'error', message: `The run was ${status}.`, hint: '' };
}

export function terminalStateOf(event: string, data: Record<string, unknown>): TerminalState | null {
  const limited = data.terminal_state === 'tool_limit_reached' || data.type === 'tool_limit_reached';
  switch (event) {
    case 'done':
    case 'stream_end':
      return limited ? 'tool_limit_reached' : 'completed';
    case 'cancel':
      return 'interrupted-by-user';
    case 'apperror':
      if (data.type === 'cancelled' || data.type === 'canceled') return 'interrupted-by-user';
      if (data.type === 'interrupted') return 'interrupted-by-crash';
      return limited ? 'tool_limit_reached' : 'errored';
    case 'error':
      return 'errored';
    default:
      return null;
  }
}

/** Usage as its clients count it, from either family of names. */
export function hermesUsage(usage: Usage = {}): Record<string, number> {
  const number = (...names: string[]): number => {
    for (const name of names) if (typeof usage[name] === 'number') return usage[name];
    return 0;
  };
  const given = (name: string): Record<string, number> =>
    typeof usage[name] === 'number' ? { [name]: usage[name] } : {};
  return {
    input_tokens: number('prompt_tokens', 'input_tokens'),
    output_tokens: number('completion_tokens', 'output_tokens'),
    estimated_cost: number('estimated_cost', 'estimated_cost_usd'),
    ...given('cache_read_tokens'),
    ...given('cache_write_tokens'),
    ...given('context_length'),
    ...given('threshold_tokens'),
    ...given('last_prompt_tokens'),
  };
}
