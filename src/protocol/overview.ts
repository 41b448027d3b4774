import type { TurnOutcome } from './turn-outcome.ts';

/** What an operator sees of a tenant. */
export interface TenantView {
  tenant: string;
  users_online: number;
  connections: number;
  turns_running: number;
  turns_last_hour: Record<TurnOutcome, number>;
  api_keys: number;
  /** `failing`: the last minute in which its turns ended had some that it failed, and none after that which it answered. */
  upstream: {
    /** As `UPSTREAM_MODE`. */
    mode: string;
    state: 'ok' | 'failing' | 'unknown';
    answered_at: number | null;
    failed_at: number | null;
  };
  /** There are more users than are asked one by one. */
  approximate: boolean;
}

/** `GET /admin`. */
export interface Overview {
  tenants: TenantView[];
  /** The `after` of the next page. */
  next: string | null;
}
