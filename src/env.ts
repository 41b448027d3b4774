import { Buckets } from './auth/buckets.ts';
import { Seal } from './auth/seal.ts';
import { Tokens } from './auth/tokens.ts';
import { Vault } from './auth/vault.ts';
import { type Config, readConfig } from './config.ts';
import type { Admissions } from './objects/admissions.ts';
import { OpenFiles } from './objects/open-files.ts';
import type { RequestStream } from './objects/request-stream.ts';
import type { UserHub } from './objects/user-hub.ts';
import { StarwireError } from './protocol/errors.ts';
import { ApiKeys } from './records/api-keys.ts';
import { Files } from './records/files.ts';
import { Tenants } from './records/tenants.ts';
import { Offers } from './upstream/models.ts';

/** The bindings of wrangler.toml; variables are read through `readConfig`. */
export interface Env {
  USER_HUB: DurableObjectNamespace<UserHub>;
  REQUEST_STREAM: DurableObjectNamespace<RequestStream>;
  DIRECTORY: DurableObjectNamespace;
  ADMISSIONS: DurableObjectNamespace<Admissions>;
  DB: D1Database;
  FILES: R2Bucket;
  ASSETS: Fetcher;
}

/** What is made of the environment once per isolate. */
export interface Context {
  config: Config;
  seal: Seal;
  tokens: Tokens;
  apiKeys: ApiKeys;
  tenants: Tenants;
  offers: Offers;
  /** Refused credentials, by address. */
  attempts: Buckets;
  /** Requests, by tenant. */
  tenantRequests: Buckets;
  files: Files;
  /** Of this machine. */
  openFiles: OpenFiles;
}

/** A wrong variable is told by name at every request, until it is right (P-ID-5). */
function configOf(env: Env): Config {
  try {
    return readConfig(env);
  } catch (error) {
    throw new StarwireError('internal', error instanceof Error ? error.message : 'a variable is wrong');
  }
}

const contexts = new WeakMap<Env, Context>();

/** Throws where a variable is missing or wrong (P-ID-5); the message names it. */
export function contextOf(env: Env): Context {
  const known = contexts.get(env);
  if (known) return known;
  const config = configOf(env);
  const { limits } = config;
  const seal = new Seal(config.signing_secret);
  const context: Context = {
    config,
    seal,
    tokens: new Tokens(config.auth, limits),
    apiKeys: new ApiKeys(env.DB),
    tenants: new Tenants(env.DB, new Vault(config.encryption_keys)),
    offers: new Offers(),
    attempts: new Buckets(
      limits.refused_burst,
      limits.refused_per_minute,
      'too many attempts with bad credentials from this address; wait',
    ),
    tenantRequests: new Buckets(
      limits.tenant_requests_burst,
      limits.tenant_requests_per_minute,
      'too many requests of this tenant; slow down',
    ),
    files: new Files(env.FILES, env.DB, seal, config),
    openFiles: new OpenFiles(config.open_files),
  };
  contexts.set(env, context);
  return context;
}
