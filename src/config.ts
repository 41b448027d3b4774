import { hermesVariables } from './hermes-variables.ts';
import { type Limits, readLimits } from './protocol/limits.ts';
import { MIN_WEBHOOK_SECRET_BYTES } from './protocol/tenants.ts';

/** The variables of the environment, read and checked once (P-ID-5, P-BR-1). */

export const UPSTREAM_MODES = ['demo', 'webhook', 'openai'] as const;
export type UpstreamMode = (typeof UPSTREAM_MODES)[number];

/** A model as `/v1` offers it. `upstream`: what the upstream calls it, where that is something else. */
export interface OfferedModel {
  id: string;
  upstream?: string | undefined;
}

export const UPSTREAM_BODIES = ['starwire', 'konstruct'] as const;
export type UpstreamBody = (typeof UPSTREAM_BODIES)[number];

export interface Upstream {
  mode: UpstreamMode;
  /** How deliveries by webhook are written; where nothing says so, as the contract has them. */
  body?: UpstreamBody;
  url?: string;
  api_key?: string;
  /** The model to ask for: with `models`, where none is named; without, whatever is named. */
  model?: string;
  /** What `/v1` offers, and nothing else; empty: what the upstream itself offers, and any name is passed on. */
  models: readonly OfferedModel[];
  /** Standard Webhooks secrets; the first signs. */
  webhook_secrets: readonly string[];
}

export interface Config {
  auth: { secret?: string; jwks_url?: string; issuer?: string; audience?: string };
  internal_tokens: readonly string[];
  dev_auth: boolean;
  upstream: Upstream;
  allowed_origins: readonly string[];
  /** What the urls of files begin with, without a slash at its end; undefined: the address by which the client came. */
  public_url: string | undefined;
  /** Seal the secrets of tenants in D1: the first key seals, each opens. */
  encryption_keys: readonly Uint8Array<ArrayBuffer>[];
  /** Signs links, ids and epochs, with a key of its own for each. */
  signing_secret: string;
  limits: Limits;
  /** Files that the process may have open which everything runs in; undefined: that is nobody's concern. */
  open_files: number | undefined;
}

const MIN_SECRET_BYTES = 32;
const ENCRYPTION_KEY_BYTES = 32;

/**
 * Reads the variables. Throws an Error whose message names the variable that is missing, too short or unknown.
 * Pure: the Worker calls it at its first request, `npm start` before it boots anything.
 */
export function readConfig(env: object): Config {
  const read = (name: string): string | undefined => {
    const value: unknown = Reflect.get(env, name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const list = (name: string): string[] =>
    (read(name) ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');

  const secret = read('AUTH_SECRET');
  const jwks_url = read('AUTH_JWKS_URL');
  if (!secret && !jwks_url)
    throw new Error('AUTH_SECRET is missing (or set AUTH_JWKS_URL): nobody could sign in');
  if (secret) requireSecret('AUTH_SECRET', secret);
  if (jwks_url) requireUrl('AUTH_JWKS_URL', jwks_url);

  const internal_tokens = list('INTERNAL_TOKEN');
  if (internal_tokens.length === 0) throw new Error('INTERNAL_TOKEN is missing: no upstream could answer');
  if (internal_tokens.some((token) => byteLength(token) < 16)) {
    throw new Error('INTERNAL_TOKEN is too short: each token needs 16 bytes or more');
  }

  return {
    auth: { secret, jwks_url, issuer: read('AUTH_ISSUER'), audience: read('AUTH_AUDIENCE') },
    internal_tokens,
    dev_auth: read('DEV_AUTH') === 'true',
    upstream: readUpstream(read, list),
    encryption_keys: list('ENCRYPTION_KEY').map(encryptionKey),
    allowed_origins: list('ALLOWED_ORIGINS'),
    public_url: publicUrl(read('PUBLIC_URL')),
    signing_secret: readSigningSecret(read('SIGNING_SECRET'), secret),
    limits: readLimits(read('LIMITS')),
    open_files: openFiles(read('OPEN_FILES')),
  };
}

/** A secret of its own, so that links and ids outlive a new AUTH_SECRET; where there is none, AUTH_SECRET serves. */
function readSigningSecret(own: string | undefined, auth: string | undefined): string {
  const secret = own ?? auth;
  if (!secret)
    throw new Error('SIGNING_SECRET is missing: without AUTH_SECRET, nothing else signs links and ids');
  if (own) requireSecret('SIGNING_SECRET', own);
  return secret;
}

function requireSecret(name: string, secret: string): void {
  if (byteLength(secret) < MIN_SECRET_BYTES)
    throw new Error(`${name} is too short: it needs ${MIN_SECRET_BYTES} bytes or more`);
}

function readUpstream(
  variable: (name: string) => string | undefined,
  list: (name: string) => string[],
): Upstream {
  // What the web UI's own variables say counts where ours name no service.
  const hermes = (variable('UPSTREAM_MODE') ?? 'demo') === 'demo' ? hermesVariables(variable) : {};
  const read = (name: string): string | undefined => hermes[name] ?? variable(name);
  const mode = read('UPSTREAM_MODE') ?? 'demo';
  if (!isOneOf(UPSTREAM_MODES, mode)) {
    throw new Error(`UPSTREAM_MODE is "${mode}"; it must be one of ${UPSTREAM_MODES.join(', ')}`);
  }
  const body = read('UPSTREAM_BODY') ?? 'starwire';
  if (!isOneOf(UPSTREAM_BODIES, body)) {
    throw new Error(`UPSTREAM_BODY is "${body}"; it must be one of ${UPSTREAM_BODIES.join(', ')}`);
  }
  const url = read('UPSTREAM_URL');
  if (mode !== 'demo') {
    if (!url) throw new Error(`UPSTREAM_URL is missing: UPSTREAM_MODE is ${mode}`);
    requireUrl('UPSTREAM_URL', url);
  }
  const webhook_secrets = list('UPSTREAM_WEBHOOK_SECRET');
  if (mode === 'webhook') {
    if (webhook_secrets.length === 0)
      throw new Error('UPSTREAM_WEBHOOK_SECRET is missing: UPSTREAM_MODE is webhook');
    if (webhook_secrets.some((one) => byteLength(one) < MIN_WEBHOOK_SECRET_BYTES)) {
      throw new Error(
        `UPSTREAM_WEBHOOK_SECRET is too short: each secret needs ${MIN_WEBHOOK_SECRET_BYTES} bytes or more`,
      );
    }
  }
  return {
    mode,
    ...(body === 'starwire' ? {} : { body }),
    url,
    api_key: read('UPSTREAM_API_KEY'),
    model: read('UPSTREAM_MODEL'),
    models: list('UPSTREAM_MODELS').map(offeredModel),
    webhook_secrets,
  };
}

/** An entry of UPSTREAM_MODELS: a name, or `name=the upstream's name for it`. */
function offeredModel(entry: string): OfferedModel {
  const [id = '', ...rest] = entry.split('=').map((part) => part.trim());
  if (id === '') throw new Error('UPSTREAM_MODELS has an entry without a name');
  return rest.length === 0 ? { id } : { id, upstream: rest.join('=') };
}

function encryptionKey(text: string): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(Buffer.from(text, 'base64'));
  if (!/^[\w+/-]+=?$/.test(text) || key.byteLength !== ENCRYPTION_KEY_BYTES) {
    throw new Error(
      `ENCRYPTION_KEY must be ${ENCRYPTION_KEY_BYTES} bytes in base64, or several, comma-separated`,
    );
  }
  return key;
}

function openFiles(text: string | undefined): number | undefined {
  if (text !== undefined && !/^[1-9]\d*$/.test(text)) throw new Error('OPEN_FILES is not a number of files');
  return text === undefined ? undefined : Number(text);
}

/** An origin, and a path where the gateway is not at the root of it. */
function publicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  requireUrl('PUBLIC_URL', text);
  const { origin, pathname, username, password, search, hash } = new URL(text);
  if (username + password + search + hash !== '')
    throw new Error('PUBLIC_URL is more than an address and a path');
  return `${origin}${pathname}`.replace(/\/+$/, '');
}

function isOneOf<T extends string>(known: readonly T[], text: string): text is T {
  return known.some((one) => one === text);
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

function requireUrl(name: string, value: string): void {
  const { protocol } = URL.parse(value) ?? {};
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`${name} is not an http(s) URL`);
}
