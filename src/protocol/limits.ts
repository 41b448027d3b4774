import * as v from 'valibot';

/** Every limit of the system in one place: PROTOCOL.md, section 2. `LIMITS` (a JSON object) overrides any of them. */
export const DEFAULT_LIMITS = {
  /** UTF-16 code units of one message. */
  message_text: 32_768,
  /** UTF-16 code units of a turn's reply; beyond it the turn fails and keeps its text. */
  reply_text: 1_000_000,
  /** Bytes of a reply as JSON: an SQLite row holds 2 MB, and the reply ends as one row. */
  reply_bytes: 1_700_000,
  /** Bytes of a client frame (P-WS-13, close 1009). */
  frame_bytes: 262_144,
  attachments_per_message: 10,
  attachment_bytes: 26_214_400,
  /** A file up to this size also travels inside its frame as base64. */
  inline_file_bytes: 262_144,
  /** How long a socket whose first frame says who it is may be silent. */
  first_frame_ms: 10_000,
  /** Uploads of a user that no message has named yet: what fits into some messages. */
  unused_files: 100,
  unused_file_bytes: 524_288_000,
  /** What a user may upload in one day (UTC). */
  upload_bytes_per_day: 2_147_483_648,
  /** How long an upload may say nothing before it counts as broken off. */
  upload_silence_ms: 30_000,
  /** How long a file is kept that no message uses. */
  upload_keep_ms: 86_400_000,
  /** How long a file that a message named waits for that message to be recorded: the records may be down for days. */
  attached_keep_ms: 604_800_000,
  sessions_per_user: 50,
  messages_per_minute: 60,
  messages_burst: 20,
  /** Requests of `/v1` that generate, of one user: programs ask faster than people, and several things at once. */
  completions_per_minute: 600,
  completions_burst: 100,
  open_completions: 100,
  /** Refusals within a minute that end in close 4008. */
  refusals_per_minute: 10,
  /** Bad frames within a minute that end in close 1008 (P-WS-13). */
  bad_frames_per_minute: 10,
  open_turns: 8,
  /** Requests of one tenant by one isolate: that one customer does not take the whole service from the others. */
  tenant_requests_per_minute: 60_000,
  tenant_requests_burst: 6_000,
  /** Refused credentials of one address by one isolate; a person with a wrong token tries a few times. */
  refused_per_minute: 60,
  refused_burst: 60,
  /** Keys that a user may have made for themselves. */
  keys_per_user: 50,
  open_prompts: 50,
  webhook_attempt_ms: 15_000,
  /** How long an OpenAI-compatible API may think before it answers, and be silent in the middle. */
  bridge_headers_ms: 60_000,
  bridge_silence_ms: 170_000,
  /** Of a conversation, what a model is given as context: every model of today takes it. A token is some four bytes. */
  bridge_context_tokens: 10_000,
  /** Silence after the upstream accepted, then `expired`. */
  turn_silence_ms: 180_000,
  /** The longest a turn waits for the upstream to accept: all retries of P-UP-3 and some slack. */
  turn_accept_ms: 300_000,
  /** A prompt without `expires_at` closes after this, so that nothing stays open for ever. */
  prompt_ms: 86_400_000,
  journal_events: 2_000,
  journal_bytes: 8_388_608,
  journal_age_ms: 604_800_000,
  /** How long entries wait to be recorded in D1 together with their neighbours. */
  record_after_ms: 30_000,
  /** How long `client_id`, `Idempotency-Key` and producers are remembered (P-WS-5, P-UP-7). */
  idempotency_ms: 604_800_000,
  /** P-WS-14: bytes sent and not `seen` before close 4013. */
  unseen_bytes: 1_048_576,
  /** Bytes an SSE relay may have in flight from its object. */
  sse_credit_bytes: 262_144,
  /** P-OA-6: how long an SSE client may be away before its turn is cancelled. */
  sse_grace_ms: 5_000,
  sse_heartbeat_ms: 15_000,
  /** P-OA-8: how long a finished stream can be read again. */
  stream_retention_ms: 3_600_000,
  heartbeat_s: 25,
  /** Bytes of a JSON body of `POST /internal/outbound` (NDJSON has no limit but that of a line). */
  outbound_bytes: 41_943_040,
  /** Bytes of one NDJSON line: a base64 file of the largest size fits. */
  line_bytes: 36_700_160,
  /** Results of one NDJSON request are kept in memory until its end. */
  outbound_results: 100_000,
  /** Bytes of a `/v1` request body. An isolate has 128 MB, and holds a body some three times while it is sent on. */
  completion_bytes: 20_971_520,
  signed_url_ms: 3_600_000,
  /** Keys of an identity provider: how long they count without being read again, and how long beyond it while it is down. */
  jwks_fresh_ms: 300_000,
  jwks_kept_ms: 3_600_000,
  /** An unknown `kid` has them read anew, this often at most: made-up ones must not make us hammer the provider. */
  jwks_cooldown_ms: 10_000,
  jwks_timeout_ms: 5_000,
  jwks_bytes: 262_144,
} as const;

/** An SSE relay tells what it has read in quarters of its window; both sides count on it. */
export const CREDIT_STEPS = 4;

export type Limits = { readonly [K in keyof typeof DEFAULT_LIMITS]: number };

const Overrides = v.pipe(
  v.string(),
  v.parseJson(),
  v.record(v.string(), v.pipe(v.number(), v.integer(), v.minValue(1))),
);

/** Reads the `LIMITS` variable. Throws an Error that names the unknown or malformed entry. */
export function readLimits(json: string | undefined): Limits {
  if (!json) return DEFAULT_LIMITS;
  const parsed = v.safeParse(Overrides, json);
  if (!parsed.success) throw new Error('LIMITS must be a JSON object of positive whole numbers');
  for (const name of Object.keys(parsed.output)) {
    if (!(name in DEFAULT_LIMITS)) throw new Error(`LIMITS names "${name}", which is not a limit`);
  }
  return { ...DEFAULT_LIMITS, ...parsed.output };
}

/** The part that clients are told in `welcome` and `GET /api/me`. */
export function publicLimits(limits: Limits) {
  const { message_text, frame_bytes, attachments_per_message, attachment_bytes, sessions_per_user } = limits;
  const { messages_per_minute, messages_burst, open_turns } = limits;
  return {
    message_text,
    frame_bytes,
    attachments_per_message,
    attachment_bytes,
    sessions_per_user,
    messages_per_minute,
    messages_burst,
    open_turns,
  };
}

export type PublicLimits = ReturnType<typeof publicLimits>;
