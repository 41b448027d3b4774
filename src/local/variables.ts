import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/** Every variable that reaches the Worker: from the dev vars file or, first, from the environment. */
export const variables = [
  'AUTH_SECRET',
  'SIGNING_SECRET',
  'INTERNAL_TOKEN',
  'UPSTREAM_WEBHOOK_SECRET',
  'ENCRYPTION_KEY',
  'DEV_AUTH',
  'UPSTREAM_MODE',
  'UPSTREAM_URL',
  'UPSTREAM_API_KEY',
  'UPSTREAM_MODEL',
  'UPSTREAM_MODELS',
  'UPSTREAM_BODY',
  'HERMES_WEBUI_CHAT_BACKEND',
  'HERMES_WEBUI_GATEWAY_BASE_URL',
  'HERMES_WEBUI_GATEWAY_API_KEY',
  'API_SERVER_KEY',
  'AUTH_JWKS_URL',
  'AUTH_ISSUER',
  'AUTH_AUDIENCE',
  'ALLOWED_ORIGINS',
  'PUBLIC_URL',
  'LIMITS',
  'OPEN_FILES',
] as const;

export type Variables = Partial<Record<(typeof variables)[number], string>>;

const secret = () => randomBytes(32).toString('base64url');

/** What a new dev vars file says. The webhook secret has the shape that Standard Webhooks libraries expect. */
function firstDevVars(): string {
  return [
    '# Made by `npm start`: secrets of this machine only. A variable of the environment wins over a line here.',
    `AUTH_SECRET=${secret()}`,
    `SIGNING_SECRET=${secret()}`,
    `INTERNAL_TOKEN=${secret()}`,
    `UPSTREAM_WEBHOOK_SECRET=whsec_${randomBytes(32).toString('base64')}`,
    `ENCRYPTION_KEY=${randomBytes(32).toString('base64')}`,
    'DEV_AUTH=true',
    'UPSTREAM_MODE=demo',
    '',
  ].join('\n');
}

/** Creates the dev vars file where it is missing, readable by its owner alone; says whether it did. */
export function ensureDevVars(path: string): boolean {
  // Written whole and then named, so that a second start never reads half a file.
  const whole = `${path}.${process.pid}`;
  writeFileSync(whole, firstDevVars(), { mode: 0o600 });
  try {
    linkSync(whole, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(whole, { force: true });
  }
}

/** The variables for the Worker: those of the file, and over them those of the environment. */
export function readVariables(path: string, environment: Record<string, string | undefined>): Variables {
  const file = parseEnv(readFileSync(path, 'utf8'));
  const found: Variables = {};
  for (const name of variables) {
    const value = environment[name] ?? file[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
